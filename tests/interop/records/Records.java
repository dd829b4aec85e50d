import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.HashSet;
import java.util.HexFormat;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;

import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.common.protocol.ApiMessage;
import org.apache.kafka.common.protocol.MessageUtil;
import org.apache.kafka.coordinator.common.runtime.CoordinatorRecord;
import org.apache.kafka.coordinator.group.GroupCoordinatorRecordHelpers;
import org.apache.kafka.coordinator.group.GroupCoordinatorRecordSerde;
import org.apache.kafka.coordinator.group.generated.ConsumerGroupCurrentMemberAssignmentKey;
import org.apache.kafka.coordinator.group.generated.ConsumerGroupCurrentMemberAssignmentValue;
import org.apache.kafka.coordinator.group.generated.ConsumerGroupMemberMetadataValue.ClassicMemberMetadata;
import org.apache.kafka.coordinator.group.generated.ConsumerGroupMemberMetadataValue.ClassicProtocol;
import org.apache.kafka.coordinator.group.generated.ConsumerGroupPartitionMetadataKey;
import org.apache.kafka.coordinator.group.generated.ConsumerGroupPartitionMetadataValue;
import org.apache.kafka.coordinator.group.generated.CoordinatorRecordJsonConverters;
import org.apache.kafka.coordinator.group.modern.MemberState;
import org.apache.kafka.coordinator.group.modern.consumer.ConsumerGroupMember;
import org.apache.kafka.coordinator.group.modern.consumer.ResolvedRegularExpression;
import org.apache.kafka.coordinator.transaction.TransactionLog;
import org.apache.kafka.coordinator.transaction.TransactionState;
import org.apache.kafka.coordinator.transaction.TxnTransitMetadata;
import org.apache.kafka.coordinator.transaction.generated.TransactionLogValue;
import org.apache.kafka.server.common.ApiMessageAndVersion;
import org.apache.kafka.server.common.TransactionVersion;

/**
 * Records of coordinators as Kafka writes them, one a line: a name by which the test knows what is in it, the bytes of
 * the key, those of the value, and the value in the words of Kafka's tools. A record that ends with "-old" is one that
 * older versions wrote.
 */
public final class Records {
    static final Uuid A = new Uuid(0x0102030405060708L, 0x090a0b0c0d0e0f10L);
    static final Uuid B = new Uuid(0x1112131415161718L, 0x191a1b1c1d1e1f20L);

    public static void main(String[] what) {
        if (what[0].equals("group"))
            group();
        else
            transaction();
    }

    static void group() {
        print("epoch", GroupCoordinatorRecordHelpers.newConsumerGroupEpochRecord("g1", 5, 0x0123456789abcdefL));
        print("epoch-without-hash", GroupCoordinatorRecordHelpers.newConsumerGroupEpochRecord("g1", 5, 0));
        print("epoch-none", GroupCoordinatorRecordHelpers.newConsumerGroupEpochTombstoneRecord("g1"));
        print("partition-metadata-old", new ConsumerGroupPartitionMetadataKey().setGroupId("g1"), partitionMetadata());
        print("partition-metadata-none",
            GroupCoordinatorRecordHelpers.newConsumerGroupSubscriptionMetadataTombstoneRecord("g1"));
        members();
        print("target-metadata",
            GroupCoordinatorRecordHelpers.newConsumerGroupTargetAssignmentMetadataRecord("g1", 5, 1_700_000_000_000L));
        print("target-metadata-without-timestamp",
            GroupCoordinatorRecordHelpers.newConsumerGroupTargetAssignmentMetadataRecord("g1", 5, 0));
        print("target-metadata-none",
            GroupCoordinatorRecordHelpers.newConsumerGroupTargetAssignmentMetadataTombstoneRecord("g1"));
        Map<Uuid, Set<Integer>> target = new TreeMap<>();
        print("target-of-nothing", GroupCoordinatorRecordHelpers.newConsumerGroupTargetAssignmentRecord("g1", "m1", target));
        target.put(A, new TreeSet<>(Set.of(0, 3)));
        target.put(B, Set.of(7));
        print("target", GroupCoordinatorRecordHelpers.newConsumerGroupTargetAssignmentRecord("g1", "m1", target));
        print("target-none", GroupCoordinatorRecordHelpers.newConsumerGroupTargetAssignmentTombstoneRecord("g1", "m1"));
        current();
        Set<String> topics = new LinkedHashSet<>(List.of("bar", "foo"));
        print("regex", GroupCoordinatorRecordHelpers.newConsumerGroupRegularExpressionRecord(
            "g1", "foo|bar", new ResolvedRegularExpression(topics, 12345L, 1_700_000_000_000L)));
        print("regex-of-nothing", GroupCoordinatorRecordHelpers.newConsumerGroupRegularExpressionRecord(
            "g1", "foo|bar", ResolvedRegularExpression.EMPTY));
        print("regex-none", GroupCoordinatorRecordHelpers.newConsumerGroupRegularExpressionTombstone("g1", "foo|bar"));
    }

    static void members() {
        ConsumerGroupMember.Builder full = new ConsumerGroupMember.Builder("m1")
            .setInstanceId("i1").setRackId("r1").setClientId("c".repeat(200)).setClientHost("/127.0.0.1")
            .setSubscribedTopicNames(Arrays.asList("bar", "foo")).setSubscribedTopicRegex("ba.*")
            .setRebalanceTimeoutMs(45_000).setServerAssignorName("uniform");
        print("member", GroupCoordinatorRecordHelpers.newConsumerGroupMemberSubscriptionRecord("g1", full.build()));
        ConsumerGroupMember plain = new ConsumerGroupMember.Builder("m1")
            .setClientId("c1").setClientHost("/h").setRebalanceTimeoutMs(-1).build();
        print("member-that-says-little",
            GroupCoordinatorRecordHelpers.newConsumerGroupMemberSubscriptionRecord("g1", plain));
        ConsumerGroupMember nulls = new ConsumerGroupMember.Builder("m1")
            .setClientId("c1").setClientHost("/h").setRebalanceTimeoutMs(1).setSubscribedTopicRegex(null).build();
        print("member-without-regex",
            GroupCoordinatorRecordHelpers.newConsumerGroupMemberSubscriptionRecord("g1", nulls));
        ClassicMemberMetadata classic = new ClassicMemberMetadata().setSessionTimeoutMs(10_000)
            .setSupportedProtocols(List.of(
                new ClassicProtocol().setName("range").setMetadata(new byte[] {0, 1, 2}),
                new ClassicProtocol().setName("sticky").setMetadata(new byte[0])));
        ConsumerGroupMember old = new ConsumerGroupMember.Builder("m1")
            .setClientId("c1").setClientHost("/h").setRebalanceTimeoutMs(30_000)
            .setSubscribedTopicNames(List.of("foo")).setClassicMemberMetadata(classic).build();
        print("member-that-syncs", GroupCoordinatorRecordHelpers.newConsumerGroupMemberSubscriptionRecord("g1", old));
        print("member-none", GroupCoordinatorRecordHelpers.newConsumerGroupMemberSubscriptionTombstoneRecord("g1", "m1"));
    }

    static void current() {
        Map<Integer, Integer> ofA = new TreeMap<>(Map.of(0, 5, 3, 7));
        ConsumerGroupMember stable = new ConsumerGroupMember.Builder("m1").setMemberEpoch(7).setPreviousMemberEpoch(6)
            .setState(MemberState.STABLE).setAssignedPartitions(Map.of(A, ofA)).build();
        print("current", GroupCoordinatorRecordHelpers.newConsumerGroupCurrentAssignmentRecord("g1", stable));
        ConsumerGroupMember revoking = new ConsumerGroupMember.Builder("m1").setMemberEpoch(7).setPreviousMemberEpoch(7)
            .setState(MemberState.UNREVOKED_PARTITIONS).setAssignedPartitions(Map.of(A, Map.of(0, 7)))
            .setPartitionsPendingRevocation(Map.of(B, Map.of(1, 2))).build();
        print("current-that-gives-back",
            GroupCoordinatorRecordHelpers.newConsumerGroupCurrentAssignmentRecord("g1", revoking));
        ConsumerGroupMember waiting = new ConsumerGroupMember.Builder("m1").setMemberEpoch(1).setPreviousMemberEpoch(0)
            .setState(MemberState.UNRELEASED_PARTITIONS).build();
        print("current-that-waits",
            GroupCoordinatorRecordHelpers.newConsumerGroupCurrentAssignmentRecord("g1", waiting));
        print("current-old", new ConsumerGroupCurrentMemberAssignmentKey().setGroupId("g1").setMemberId("m1"),
            new ConsumerGroupCurrentMemberAssignmentValue().setMemberEpoch(7).setPreviousMemberEpoch(6)
                .setState((byte) 0).setAssignedPartitions(List.of(
                    new ConsumerGroupCurrentMemberAssignmentValue.TopicPartitions()
                        .setTopicId(A).setPartitions(List.of(0, 3)))));
        print("current-none", GroupCoordinatorRecordHelpers.newConsumerGroupCurrentAssignmentTombstoneRecord("g1", "m1"));
    }

    static ApiMessage partitionMetadata() {
        return new ConsumerGroupPartitionMetadataValue().setTopics(List.of(
            new ConsumerGroupPartitionMetadataValue.TopicMetadata().setTopicId(A).setTopicName("foo").setNumPartitions(1)
                .setPartitionMetadata(List.of(new ConsumerGroupPartitionMetadataValue.PartitionMetadata()
                    .setPartition(0).setRacks(List.of("r1"))))));
    }

    static void print(String name, ApiMessage key, ApiMessage value) {
        print(name, CoordinatorRecord.record(key, new ApiMessageAndVersion(value, (short) 0)));
    }

    static void print(String name, CoordinatorRecord record) {
        GroupCoordinatorRecordSerde serde = new GroupCoordinatorRecordSerde();
        ApiMessageAndVersion value = record.value();
        print(name, serde.serializeKey(record), serde.serializeValue(record), value == null ? "-" :
            CoordinatorRecordJsonConverters.writeRecordValueAsJson(value.message(), value.version()).toString());
    }

    static void transaction() {
        HashSet<TopicPartition> none = new HashSet<>();
        HashSet<TopicPartition> one = new HashSet<>(Set.of(new TopicPartition("t", 3)));
        print("new", new TxnTransitMetadata(258, -1, -1, (short) 0, (short) -1, 60_000, TransactionState.EMPTY, none,
            -1, 1_700_000_000_000L, TransactionVersion.TV_0));
        print("ongoing", new TxnTransitMetadata(258, 258, -1, (short) 5, (short) 4, 60_000, TransactionState.ONGOING, one,
            1_700_000_000_001L, 1_700_000_000_000L, TransactionVersion.TV_2));
        print("prepared-with-a-next-id", new TxnTransitMetadata(258, 258, 99, Short.MAX_VALUE, (short) (Short.MAX_VALUE - 1),
            60_000, TransactionState.PREPARE_COMMIT, one, 1_700_000_000_001L, 1_700_000_000_000L, TransactionVersion.TV_2));
        print("complete-under-the-next-id", new TxnTransitMetadata(99, 258, -1, (short) 0, (short) (Short.MAX_VALUE - 1),
            60_000, TransactionState.COMPLETE_COMMIT, none, 1_700_000_000_001L, 1_700_000_000_002L, TransactionVersion.TV_2));
        // A field of the schema that Kafka 4.4 neither writes nor keeps.
        TransactionLogValue foreign = new TransactionLogValue().setProducerId(258).setPreviousProducerId(258)
            .setNextProducerId(99).setProducerEpoch((short) 5).setNextProducerEpoch((short) 9).setTransactionTimeoutMs(60_000)
            .setTransactionStatus(TransactionState.PREPARE_ABORT.id()).setTransactionLastUpdateTimestampMs(7)
            .setTransactionStartTimestampMs(6).setClientTransactionVersion((short) 2)
            .setTransactionPartitions(List.of(new TransactionLogValue.PartitionsSchema()
                .setTopic("t").setPartitionIds(List.of(3))));
        byte[] value = MessageUtil.toVersionPrefixedBytes((short) 1, foreign);
        print("with-a-next-epoch-foreign", TransactionLog.keyToBytes("id"), value, json(value));
        print("with-a-next-epoch-kept", TransactionLog.keyToBytes("id"), written(value), json(written(value)));
    }

    static void print(String name, TxnTransitMetadata metadata) {
        byte[] value = TransactionLog.valueToBytes(metadata, TransactionVersion.TV_2);
        print(name, TransactionLog.keyToBytes("id"), value, json(value));
    }

    /** What Kafka writes of what it has read. */
    static byte[] written(byte[] value) {
        var key = java.nio.ByteBuffer.wrap(TransactionLog.keyToBytes("id"));
        var read = (TransactionLog.TxnRecord) TransactionLog.read(key, java.nio.ByteBuffer.wrap(value));
        return TransactionLog.valueToBytes(read.metadata().prepareNoTransit(), TransactionVersion.TV_2);
    }

    static String json(byte[] value) {
        var readable = new org.apache.kafka.common.protocol.ByteBufferAccessor(java.nio.ByteBuffer.wrap(value));
        short version = readable.readShort();
        return org.apache.kafka.coordinator.transaction.generated.CoordinatorRecordJsonConverters
            .writeRecordValueAsJson(new TransactionLogValue(readable, version), version).toString();
    }

    static void print(String name, byte[] key, byte[] value, String json) {
        HexFormat hex = HexFormat.of();
        System.out.println(String.join("\t", name, hex.formatHex(key), value == null ? "-" : hex.formatHex(value), json));
    }
}
