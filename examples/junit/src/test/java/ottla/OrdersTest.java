package ottla;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.errors.KafkaStorageException;
import org.apache.kafka.common.serialization.StringDeserializer;
import org.apache.kafka.common.serialization.StringSerializer;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.ExtendWith;

/** What takes minutes with Kafka, or cannot be done. Run by examples/junit/run. */
@ExtendWith(KafkaExtension.class)
@Timeout(120)
class OrdersTest {
    private static KafkaProducer<String, String> producer(String servers, Map<String, Object> settings) {
        Map<String, Object> all = new HashMap<>(settings);
        all.put("bootstrap.servers", servers);
        return new KafkaProducer<>(all, new StringSerializer(), new StringSerializer());
    }

    private static void send(String servers, String... values) throws Exception {
        try (var producer = producer(servers, Map.of())) {
            for (String value : values) {
                producer.send(new ProducerRecord<>("orders", value)).get();
            }
        }
    }

    private static KafkaConsumer<String, String> consumer(String servers) {
        Map<String, Object> settings = Map.of(
            "bootstrap.servers", servers,
            "group.id", "billing",
            "auto.offset.reset", "earliest",
            "enable.auto.commit", false,
            "heartbeat.interval.ms", 500);
        var consumer = new KafkaConsumer<>(settings, new StringDeserializer(), new StringDeserializer());
        consumer.subscribe(List.of("orders"));
        return consumer;
    }

    private static List<String> receive(KafkaConsumer<String, String> consumer, int count) {
        List<String> values = new ArrayList<>();
        while (values.size() < count) {
            consumer.poll(Duration.ofSeconds(1)).forEach(record -> values.add(record.value()));
        }
        return values;
    }

    @Test
    void aWeekOfRetentionPassesAtOnce(Kafka kafka) throws Exception {
        long week = Duration.ofDays(7).toMillis();
        kafka.createTopic("orders", 1, Map.of("retention.ms", week, "segment.ms", 60_000));
        send(kafka.bootstrapServers(), "old");
        kafka.advance(Duration.ofDays(8));
        assertEquals(List.of(), kafka.values("orders"));
    }

    @Test
    void threeWrongLeadersAndALostAnswerMakeNoDuplicate(Kafka kafka) throws Exception {
        kafka.createTopic("orders", 1, Map.of());
        var wrong =
            kafka.fault(Map.of("api", "Produce", "topic", "orders", "times", 3, "answer", "NOT_LEADER_OR_FOLLOWER"));
        var lost =
            kafka.fault(Map.of("api", "Produce", "topic", "orders", "skip", 3, "times", 1, "disconnectAfter", true));
        var dropped =
            kafka.fault(Map.of("api", "Produce", "topic", "orders", "skip", 4, "times", 1, "dropAnswer", true));
        try (var producer = producer(kafka.bootstrapServers(), Map.of("request.timeout.ms", 2_000))) {
            producer.send(new ProducerRecord<>("orders", "once")).get();
        }
        assertEquals(List.of("once"), kafka.values("orders"));
        assertEquals(3, wrong.hits());
        assertEquals(1, lost.hits());
        assertEquals(1, dropped.hits());
    }

    @Test
    void aTransactionIsFencedAfterAPause(Kafka kafka) throws Exception {
        kafka.createTopic("orders", 1, Map.of());
        var settings = Map.<String, Object>of("transactional.id", "till-4", "transaction.timeout.ms", 60_000);
        try (var producer = producer(kafka.bootstrapServers(), settings)) {
            producer.initTransactions();
            producer.beginTransaction();
            producer.send(new ProducerRecord<>("orders", "late")).get();
            kafka.advance(Duration.ofMinutes(5));
            assertThrows(KafkaException.class, producer::commitTransaction);
        }
        var history = kafka.transactionHistory("till-4");
        assertTrue(history.stream().anyMatch(text -> text.contains("more than its timeout of 60000 ms")), history.toString());
    }

    @Test
    void aConsumersSessionTimesOutByTheClockAndTheGroupTellsWhy(Kafka kafka) throws Exception {
        kafka.createTopic("orders", 1, Map.of());
        send(kafka.bootstrapServers(), "one");
        try (var consumer = consumer(kafka.bootstrapServers())) {
            assertEquals(List.of("one"), receive(consumer, 1));
            kafka.waitUntil("groupStable", Map.of("group", "billing", "members", 1));
            kafka.advance(Duration.ofMinutes(5));
            var history = kafka.groupHistory("billing");
            assertTrue(history.stream().anyMatch(text -> text.contains("its session expired")), history.toString());
            // It finds out by itself, and joins again.
            send(kafka.bootstrapServers(), "two");
            while (!receive(consumer, 1).contains("two")) {}
        }
    }

    @Test
    void aFailedFsyncLosesNothingThatWasAcknowledged(Kafka kafka) throws Exception {
        kafka.createTopic("orders", 1, Map.of("flush.messages", 1));
        send(kafka.bootstrapServers(), "acknowledged");
        kafka.failDisk("sync", "EIO");
        try (var producer = producer(kafka.bootstrapServers(), Map.of("retries", 0, "enable.idempotence", false))) {
            var sent = producer.send(new ProducerRecord<>("orders", "refused"));
            assertInstanceOf(KafkaStorageException.class, assertThrows(ExecutionException.class, sent::get).getCause());
        }
        kafka.healDisk();
        kafka.restart();
        assertEquals("acknowledged", kafka.values("orders").get(0));
    }

    @Test
    void aPowerLossLosesNothingThatWasAcknowledgedAsFlushed() throws Exception {
        try (Kafka kafka = Kafka.start("--volatile-disk")) {
            kafka.createTopic("orders", 1, Map.of("flush.messages", 1));
            kafka.createTopic("views", 1, Map.of());
            send(kafka.bootstrapServers(), "flushed");
            try (var producer = producer(kafka.bootstrapServers(), Map.of())) {
                producer.send(new ProducerRecord<>("views", "not flushed")).get();
            }
            kafka.losePower();
            assertEquals(List.of("flushed"), kafka.values("orders"));
            assertEquals(List.of(), kafka.values("views"));
        }
    }

    @Test
    void recordsArePutThereWithoutAClient(Kafka kafka) {
        kafka.produce("orders", Map.of("value", "one", "key", "till-4"), Map.of("value", "two"));
        try (var consumer = consumer(kafka.bootstrapServers())) {
            assertEquals(List.of("one", "two"), receive(consumer, 2));
        }
    }

    @Test
    void aPreparedBrokerIsForkedAndBroughtBack(Kafka kafka) throws Exception {
        kafka.createTopic("orders", 1, Map.of());
        send(kafka.bootstrapServers(), "prepared");
        long prepared = kafka.snapshot();
        try (Kafka fork = kafka.fork()) {
            send(fork.bootstrapServers(), "of the fork");
            assertEquals(List.of("prepared", "of the fork"), fork.values("orders"));
        }
        send(kafka.bootstrapServers(), "of a test");
        kafka.restore(prepared);
        assertEquals(List.of("prepared"), kafka.values("orders"));
    }

    @Test
    void aProducerSurvivesMovesOfTheLeaderAndABrokerThatIsDown() throws Exception {
        try (Kafka kafka = Kafka.start("--nodes", "3")) {
            kafka.createTopic("orders", 1, Map.of());
            var settings = Map.<String, Object>of("retry.backoff.ms", 10, "reconnect.backoff.ms", 10);
            try (var producer = producer(kafka.bootstrapServers(), settings)) {
                producer.send(new ProducerRecord<>("orders", "one")).get();
                kafka.move("leader", Map.of("topic", "orders"));
                producer.send(new ProducerRecord<>("orders", "two")).get();
                int down = kafka.leader("orders", 0);
                kafka.nodeDown(down);
                producer.send(new ProducerRecord<>("orders", "three")).get();
                kafka.nodeUp(down);
                assertEquals(down, kafka.move("leader", Map.of("topic", "orders", "to", down)));
                producer.send(new ProducerRecord<>("orders", "four")).get();
            }
            assertEquals(List.of("one", "two", "three", "four"), kafka.values("orders"));
        }
    }

    @Test
    void aGroupSurvivesTheMoveOfItsCoordinator() throws Exception {
        try (Kafka kafka = Kafka.start("--nodes", "3")) {
            kafka.createTopic("orders", 1, Map.of());
            send(kafka.bootstrapServers(), "one");
            try (var consumer = consumer(kafka.bootstrapServers())) {
                assertEquals(List.of("one"), receive(consumer, 1));
                kafka.waitUntil("groupStable", Map.of("group", "billing", "members", 1));
                var generation = kafka.group("billing").get("generationId");
                int movedTo = kafka.move("coordinator", Map.of("group", "billing"));
                send(kafka.bootstrapServers(), "two");
                assertEquals(List.of("two"), receive(consumer, 1));
                consumer.commitSync();
                var group = kafka.group("billing");
                assertEquals(movedTo, group.get("coordinator").asInt());
                assertEquals(generation, group.get("generationId"));
            }
        }
    }

    @Test
    void whatWasSentWhileTheBrokerHungComesWhenItGoesOn(Kafka kafka) throws Exception {
        kafka.createTopic("orders", 1, Map.of());
        kafka.pause();
        try (var producer = producer(kafka.bootstrapServers(), Map.of())) {
            var late = new ProducerRecord<String, String>("orders", "late");
            var sent = CompletableFuture.supplyAsync(() -> producer.send(late));
            assertThrows(TimeoutException.class, () -> sent.get(200, TimeUnit.MILLISECONDS));
            kafka.resume();
            sent.get().get();
        }
        assertEquals(List.of("late"), kafka.values("orders"));
        assertEquals(1, kafka.journal(Map.of("api", "Produce", "topic", "orders")).size());
    }

    @Test
    void theJournalHasRequestsByTheNamesOfTheirFields(Kafka kafka) throws Exception {
        kafka.createTopic("orders", 1, Map.of());
        send(kafka.bootstrapServers(), "one");
        var produce = kafka.journal("Produce").get(0).get("body");
        var records = produce.at("/topicData/0/partitionData/0/records");
        assertEquals("one", records.at("/records/0/value").asText());
        assertEquals(-1, produce.get("acks").asInt());
    }
}
