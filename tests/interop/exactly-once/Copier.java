import java.time.Duration;
import java.util.Map;
import java.util.Properties;
import java.util.Set;
import java.util.function.Supplier;

import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.ConsumerRecords;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.errors.RetriableException;
import org.apache.kafka.common.serialization.StringDeserializer;
import org.apache.kafka.common.serialization.StringSerializer;

/**
 * Apache Kafka's own client copies records from a topic to the next, a transaction for what a poll has brought:
 * Copier FROM TO GROUP ID PROTOCOL. Runs until its input is closed. What a transaction fails with is aborted and read
 * again, and when that cannot be, it starts anew with the same transactional id.
 */
public final class Copier {
    static volatile boolean ended;
    static String source, target, name;

    public static void main(String[] arguments) throws Exception {
        source = arguments[0];
        target = arguments[1];
        name = arguments[3];
        Thread input = new Thread(() -> {
            try {
                while (System.in.read() >= 0) { }
            } catch (java.io.IOException gone) {
                // As good as closed.
            }
            ended = true;
        });
        input.setDaemon(true);
        input.start();
        try (KafkaConsumer<String, String> consumer = consumer(arguments[2], arguments[4])) {
            consumer.subscribe(Set.of(source));
            KafkaProducer<String, String> producer = producer();
            while (!ended) {
                ConsumerRecords<String, String> records = consumer.poll(Duration.ofMillis(100));
                if (records.isEmpty())
                    continue;
                try {
                    copy(producer, consumer, records);
                } catch (KafkaException error) {
                    System.err.println(name + ": " + error);
                    producer = aborted(producer);
                    readAgain(consumer);
                }
            }
            producer.close();
        }
    }

    static KafkaConsumer<String, String> consumer(String group, String protocol) {
        Properties settings = new Properties();
        settings.put("bootstrap.servers", System.getenv("BOOTSTRAP"));
        settings.put("group.id", group);
        settings.put("group.protocol", protocol);
        settings.put("isolation.level", "read_committed");
        settings.put("auto.offset.reset", "earliest");
        settings.put("enable.auto.commit", "false");
        settings.put("max.poll.records", "100");
        settings.put("fetch.max.wait.ms", "50");
        settings.put("reconnect.backoff.max.ms", "200");
        if (protocol.equals("classic"))
            settings.put("session.timeout.ms", "4000");
        return new KafkaConsumer<>(settings, new StringDeserializer(), new StringDeserializer());
    }

    static KafkaProducer<String, String> producer() {
        Properties settings = new Properties();
        settings.put("bootstrap.servers", System.getenv("BOOTSTRAP"));
        settings.put("transactional.id", name);
        settings.put("transaction.timeout.ms", "20000");
        settings.put("batch.size", "512");
        settings.put("reconnect.backoff.max.ms", "200");
        KafkaProducer<String, String> producer = new KafkaProducer<>(settings, new StringSerializer(), new StringSerializer());
        patiently(() -> {
            producer.initTransactions();
            return null;
        });
        return producer;
    }

    static <T> T patiently(Supplier<T> step) {
        while (true) {
            try {
                return step.get();
            } catch (RetriableException error) {
                System.err.println(name + ": " + error);
            }
        }
    }

    static void copy(KafkaProducer<String, String> producer, KafkaConsumer<String, String> consumer, ConsumerRecords<String, String> records) {
        producer.beginTransaction();
        for (ConsumerRecord<String, String> record : records)
            producer.send(new ProducerRecord<>(target, record.partition(), record.key(), record.value()));
        Map<TopicPartition, OffsetAndMetadata> positions = records.nextOffsets();
        producer.sendOffsetsToTransaction(positions, consumer.groupMetadata());
        patiently(() -> {
            producer.commitTransaction();
            return null;
        });
    }

    static KafkaProducer<String, String> aborted(KafkaProducer<String, String> producer) {
        try {
            producer.abortTransaction();
            return producer;
        } catch (KafkaException error) {
            System.err.println(name + ": starts anew: " + error);
            producer.close(Duration.ZERO);
            return producer();
        }
    }

    /** Goes back to what is committed, as what was read since then was not copied. */
    static void readAgain(KafkaConsumer<String, String> consumer) {
        Map<TopicPartition, OffsetAndMetadata> committed = patiently(() -> consumer.committed(consumer.assignment()));
        for (TopicPartition partition : consumer.assignment()) {
            OffsetAndMetadata offset = committed.get(partition);
            consumer.seek(partition, offset == null ? 0 : offset.offset());
        }
    }
}
