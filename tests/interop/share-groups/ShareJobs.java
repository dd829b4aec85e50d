import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Properties;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import java.util.stream.IntStream;

import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.AlterConfigOp;
import org.apache.kafka.clients.admin.ConfigEntry;
import org.apache.kafka.clients.admin.ListShareGroupOffsetsSpec;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.clients.admin.ShareGroupDescription;
import org.apache.kafka.clients.admin.SharePartitionOffsetInfo;
import org.apache.kafka.clients.consumer.AcknowledgeType;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaShareConsumer;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.config.ConfigResource;
import org.apache.kafka.common.serialization.StringDeserializer;
import org.apache.kafka.common.serialization.StringSerializer;

/** Share groups by Java's own share consumer; `before` and `after` stand on the two sides of a restart of the broker. */
public class ShareJobs {
    static final String BOOTSTRAP = System.getenv("BOOTSTRAP");
    static final long LIMIT_S = 30;

    interface Job {
        void run() throws Exception;
    }

    public static void main(String[] arguments) {
        Map<String, Job> jobs = Map.of(
            "dealt_with", ShareJobs::dealtWith, "two_members", ShareJobs::twoMembers, "offsets", ShareJobs::offsets,
            "before", ShareJobs::before, "after", ShareJobs::after);
        for (String name : arguments) {
            try {
                jobs.get(name).run();
                System.out.println(name + "\tok");
            } catch (Throwable error) {
                error.printStackTrace();
                System.out.println(name + "\tFAIL\t" + error.toString().replaceAll("\\s+", " "));
            }
        }
    }

    static void same(Object expected, Object found) {
        if (!expected.equals(found))
            throw new AssertionError(found + " is not " + expected);
    }

    static Properties settings(String... pairs) {
        Properties properties = new Properties();
        properties.put("bootstrap.servers", BOOTSTRAP);
        for (int i = 0; i < pairs.length; i += 2)
            properties.put(pairs[i], pairs[i + 1]);
        return properties;
    }

    /** A topic of one partition with ten records, and a group of the same name that begins at the first of them. */
    static void prepare(String name) throws Exception {
        try (Admin admin = Admin.create(settings())) {
            admin.createTopics(List.of(new NewTopic(name, 1, (short) 1))).all().get(LIMIT_S, TimeUnit.SECONDS);
            ConfigEntry earliest = new ConfigEntry("share.auto.offset.reset", "earliest");
            admin.incrementalAlterConfigs(Map.of(
                new ConfigResource(ConfigResource.Type.GROUP, name),
                List.of(new AlterConfigOp(earliest, AlterConfigOp.OpType.SET)))).all().get(LIMIT_S, TimeUnit.SECONDS);
        }
        produce(name, 0, 10);
    }

    static void produce(String topic, int from, int to) throws Exception {
        try (KafkaProducer<String, String> producer = new KafkaProducer<>(settings(), new StringSerializer(), new StringSerializer())) {
            for (int i = from; i < to; i++)
                producer.send(new ProducerRecord<>(topic, 0, null, "" + i)).get(LIMIT_S, TimeUnit.SECONDS);
        }
    }

    static KafkaShareConsumer<String, String> member(String name) {
        Properties settings = settings("group.id", name, "share.acknowledgement.mode", "explicit");
        KafkaShareConsumer<String, String> member = new KafkaShareConsumer<>(settings, new StringDeserializer(), new StringDeserializer());
        member.subscribe(Set.of(name));
        return member;
    }

    interface Verdict {
        AcknowledgeType of(ConsumerRecord<String, String> record);
    }

    /** Takes records until there are so many, says what has become of each, and answers value -> how often delivered. */
    static Map<Integer, Integer> take(KafkaShareConsumer<String, String> member, int count, Verdict verdict) {
        Map<Integer, Integer> taken = new TreeMap<>();
        long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(LIMIT_S);
        while (taken.size() < count) {
            if (System.nanoTime() > deadline)
                throw new AssertionError("only " + taken + " of " + count);
            for (ConsumerRecord<String, String> record : member.poll(Duration.ofMillis(200))) {
                taken.put(Integer.parseInt(record.value()), (int) record.deliveryCount().get());
                member.acknowledge(record, verdict.of(record));
            }
            member.commitSync().forEach((partition, error) -> error.ifPresent(e -> {
                throw e;
            }));
        }
        return taken;
    }

    static Map<Integer, Integer> each(IntStream values, int deliveries) {
        return new TreeMap<>(values.boxed().collect(Collectors.toMap(value -> value, value -> deliveries)));
    }

    static void dealtWith() throws Exception {
        prepare("dealt-with");
        try (KafkaShareConsumer<String, String> member = member("dealt-with")) {
            AcknowledgeType[] verdicts = {AcknowledgeType.ACCEPT, AcknowledgeType.RELEASE, AcknowledgeType.REJECT};
            same(each(IntStream.range(0, 10), 1), take(member, 10, record -> verdicts[(int) record.offset() % 3]));
            // What was released comes once more; what was accepted or rejected does not, and new records come.
            produce("dealt-with", 10, 12);
            Map<Integer, Integer> expected = each(IntStream.of(1, 4, 7), 2);
            expected.putAll(each(IntStream.range(10, 12), 1));
            same(expected, take(member, 5, record -> AcknowledgeType.ACCEPT));
        }
    }

    static void twoMembers() throws Exception {
        prepare("two-members");
        try (KafkaShareConsumer<String, String> one = member("two-members"); KafkaShareConsumer<String, String> two = member("two-members")) {
            Set<Integer> seen = new HashSet<>(take(one, 10, record -> AcknowledgeType.ACCEPT).keySet());
            same(10, seen.size());
            int next = 10;
            List<Integer> byTwo = new ArrayList<>();
            long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(LIMIT_S);
            // The other one gets some of the same partition's records, and nobody any of them twice.
            while (byTwo.isEmpty() || seen.size() < next) {
                if (System.nanoTime() > deadline)
                    throw new AssertionError(seen.size() + " of " + next + " seen, by the second member " + byTwo);
                if (seen.size() == next)
                    produce("two-members", next, next += 10);
                for (KafkaShareConsumer<String, String> member : List.of(two, one)) {
                    for (ConsumerRecord<String, String> record : member.poll(Duration.ofMillis(100))) {
                        int value = Integer.parseInt(record.value());
                        same(true, seen.add(value));
                        if (member == two)
                            byTwo.add(value);
                        member.acknowledge(record, AcknowledgeType.ACCEPT);
                    }
                    member.commitSync();
                }
            }
        }
    }

    static void offsets() throws Exception {
        prepare("offsets");
        TopicPartition partition = new TopicPartition("offsets", 0);
        try (Admin admin = Admin.create(settings())) {
            try (KafkaShareConsumer<String, String> member = member("offsets")) {
                take(member, 10, record -> AcknowledgeType.ACCEPT);
                ShareGroupDescription described = admin.describeShareGroups(List.of("offsets")).all().get(LIMIT_S, TimeUnit.SECONDS).get("offsets");
                same("STABLE", described.groupState().name());
                same(Set.of(partition), described.members().iterator().next().assignment().topicPartitions());
            }
            // The start is written with the acknowledgements before it moves; the lag counts these.
            same(Optional.of(0L), standing(admin, partition).lag());
            admin.alterShareGroupOffsets("offsets", Map.of(partition, 4L)).all().get(LIMIT_S, TimeUnit.SECONDS);
            same(4L, standing(admin, partition).startOffset());
            try (KafkaShareConsumer<String, String> member = member("offsets")) {
                same(each(IntStream.range(4, 10), 1), take(member, 6, record -> AcknowledgeType.ACCEPT));
            }
            admin.deleteShareGroups(List.of("offsets")).all().get(LIMIT_S, TimeUnit.SECONDS);
        }
    }

    static SharePartitionOffsetInfo standing(Admin admin, TopicPartition partition) throws Exception {
        return admin.listShareGroupOffsets(Map.of(partition.topic(), new ListShareGroupOffsetsSpec()))
            .partitionsToOffsetInfo(partition.topic()).get(LIMIT_S, TimeUnit.SECONDS).get(partition);
    }

    static void before() throws Exception {
        prepare("restart");
        try (KafkaShareConsumer<String, String> member = member("restart")) {
            take(member, 10, record -> record.offset() % 2 == 0 ? AcknowledgeType.ACCEPT : AcknowledgeType.RELEASE);
        }
    }

    static void after() throws Exception {
        try (KafkaShareConsumer<String, String> member = member("restart")) {
            same(each(IntStream.of(1, 3, 5, 7, 9), 2), take(member, 5, record -> AcknowledgeType.ACCEPT));
        }
    }
}
