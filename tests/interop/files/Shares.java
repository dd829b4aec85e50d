import java.time.Duration;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Properties;

import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.AlterConfigOp;
import org.apache.kafka.clients.admin.ConfigEntry;
import org.apache.kafka.clients.consumer.AcknowledgeType;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaShareConsumer;
import org.apache.kafka.common.config.ConfigResource;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;

/** What Files does with share groups, of which the clients of 2.7 know nothing. */
final class Shares {
    private static final String GROUP = "shared";

    private Shares() {
    }

    /** Accepts, rejects and releases the records of a topic, so that the group's state has all kinds. */
    static void consume(Properties properties, Admin admin) throws Exception {
        Map<ConfigResource, Collection<AlterConfigOp>> earliest = Map.of(new ConfigResource(ConfigResource.Type.GROUP, GROUP),
            List.of(new AlterConfigOp(new ConfigEntry("share.auto.offset.reset", "earliest"), AlterConfigOp.OpType.SET)));
        admin.incrementalAlterConfigs(earliest).all().get();
        properties.put("group.id", GROUP);
        properties.put("share.acknowledgement.mode", "explicit");
        try (KafkaShareConsumer<byte[], byte[]> consumer =
                new KafkaShareConsumer<>(properties, new ByteArrayDeserializer(), new ByteArrayDeserializer())) {
            consumer.subscribe(List.of("idempotent"));
            int records = 0;
            // What is released comes again.
            for (int polls = 0; records < 60 && polls < 200; polls++) {
                for (ConsumerRecord<byte[], byte[]> record : consumer.poll(Duration.ofMillis(300))) {
                    boolean isReleased = record.offset() % 7 == 3 && record.deliveryCount().orElse((short) 1) < 2;
                    consumer.acknowledge(record, isReleased ? AcknowledgeType.RELEASE
                        : record.offset() % 5 == 1 ? AcknowledgeType.REJECT : AcknowledgeType.ACCEPT);
                    records++;
                }
                consumer.commitSync();
            }
            if (records < 60)
                throw new IllegalStateException("only " + records + " records came to the share group");
        }
    }
}
