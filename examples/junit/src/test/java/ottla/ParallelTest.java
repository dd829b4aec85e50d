package ottla;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CyclicBarrier;
import java.util.concurrent.TimeUnit;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.serialization.StringDeserializer;
import org.apache.kafka.common.serialization.StringSerializer;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.parallel.Execution;
import org.junit.jupiter.api.parallel.ExecutionMode;

/** Two tests that JUnit runs at once on one broker, with one name of a topic and one of a group. */
@ExtendWith(KafkaExtension.class)
@Execution(ExecutionMode.CONCURRENT)
@Timeout(120)
class ParallelTest {
    /** Each goes on when the other is as far: they are under way at once. */
    private static final CyclicBarrier BOTH = new CyclicBarrier(2);

    @Test
    void seesItsOwnThings(Kafka.Namespace namespace) throws Exception {
        seesNothingBut(namespace, "first of one test", "second of one test");
    }

    @Test
    void seesItsOwnThingsBesideTheOther(Kafka.Namespace namespace) throws Exception {
        seesNothingBut(namespace, "first of the other", "second of the other");
    }

    private static void seesNothingBut(Kafka.Namespace namespace, String... values) throws Exception {
        Map<String, Object> settings = Map.of("bootstrap.servers", namespace.bootstrapServers());
        try (var producer = new KafkaProducer<>(settings, new StringSerializer(), new StringSerializer())) {
            for (String value : values) {
                producer.send(new ProducerRecord<>("orders", value)).get();
            }
        }
        BOTH.await(60, TimeUnit.SECONDS);
        settings = Map.of(
            "bootstrap.servers", namespace.bootstrapServers(),
            "group.id", "billing",
            "auto.offset.reset", "earliest",
            "enable.auto.commit", false);
        try (var consumer = new KafkaConsumer<>(settings, new StringDeserializer(), new StringDeserializer())) {
            consumer.subscribe(List.of("orders"));
            List<String> seen = new ArrayList<>();
            while (seen.size() < values.length) {
                consumer.poll(Duration.ofSeconds(1)).forEach(record -> seen.add(record.value()));
            }
            consumer.commitSync();
            assertEquals(1, namespace.kafka().group(namespace.fullName("billing")).get("members").size());
            // Both have a member in a group of the same name.
            BOTH.await(60, TimeUnit.SECONDS);
            assertEquals(List.of(values), seen);
            var topics = new HashSet<>(consumer.listTopics().keySet());
            topics.removeIf(topic -> topic.startsWith("__"));
            assertEquals(Set.of("orders"), topics);
        }
        assertEquals(List.of(values), namespace.values("orders"));
    }
}
