import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Properties;

import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.config.ConfigResource;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;

/**
 * Prints of each topic that the arguments after the broker's address name: its name, its cleanup.policy, how many
 * records it has, and how many it was given, with tabs between.
 */
public final class Topics {
    public static void main(String[] arguments) throws Exception {
        Properties settings = new Properties();
        settings.put("bootstrap.servers", arguments[0]);
        try (Admin admin = Admin.create(settings);
                KafkaConsumer<byte[], byte[]> reader = new KafkaConsumer<>(settings, new ByteArrayDeserializer(), new ByteArrayDeserializer())) {
            for (int i = 1; i < arguments.length; i++) {
                ConfigResource topic = new ConfigResource(ConfigResource.Type.TOPIC, arguments[i]);
                String policy = admin.describeConfigs(List.of(topic)).all().get().get(topic).get("cleanup.policy").value();
                List<TopicPartition> partitions = new ArrayList<>();
                reader.partitionsFor(arguments[i]).forEach(info -> partitions.add(new TopicPartition(info.topic(), info.partition())));
                reader.assign(partitions);
                reader.seekToBeginning(partitions);
                Map<TopicPartition, Long> ends = reader.endOffsets(partitions);
                int count = 0;
                while (ends.entrySet().stream().anyMatch(end -> reader.position(end.getKey()) < end.getValue()))
                    count += reader.poll(Duration.ofMillis(100)).count();
                long given = ends.values().stream().mapToLong(Long::longValue).sum();
                System.out.println(arguments[i] + "\t" + policy + "\t" + count + "\t" + given);
            }
        }
    }
}
