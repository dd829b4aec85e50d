import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import java.util.Random;
import java.util.TreeSet;

import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.AlterConfigOp;
import org.apache.kafka.clients.admin.ConfigEntry;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.clients.admin.RecordsToDelete;
import org.apache.kafka.clients.consumer.ConsumerGroupMetadata;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.config.ConfigResource;
import org.apache.kafka.common.header.Header;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.apache.kafka.common.serialization.ByteArraySerializer;

/**
 * Files fill BOOTSTRAP VERSION PART: records of all kinds, the same for the same PART. VERSION is Kafka's, or `ottla`.
 * Files read BOOTSTRAP: what Kafka's own consumer gets of all topics, line by line.
 * Both for the clients of 2.7 and of 4.x.
 */
public final class Files {
    static final String[] CODECS = {"none", "gzip", "snappy", "lz4", "zstd"};
    static String bootstrap;
    static Random random;
    static long now;

    public static void main(String[] args) throws Exception {
        bootstrap = args[1];
        if (args[0].equals("fill"))
            fill(args[2], Integer.parseInt(args[3]));
        else
            read();
        // Without closing what is open: a transaction stays so.
        Runtime.getRuntime().halt(0);
    }

    static Properties properties(String... pairs) {
        Properties properties = new Properties();
        properties.put("bootstrap.servers", bootstrap);
        for (int i = 0; i < pairs.length; i += 2)
            properties.put(pairs[i], pairs[i + 1]);
        return properties;
    }

    static KafkaProducer<byte[], byte[]> producer(String codec, String... pairs) {
        Properties properties = properties(pairs);
        properties.put("compression.type", codec);
        properties.put("linger.ms", "1000");
        properties.put("batch.size", "400");
        properties.putIfAbsent("enable.idempotence", "false");
        return new KafkaProducer<>(properties, new ByteArraySerializer(), new ByteArraySerializer());
    }

    static byte[] bytes(String text) {
        return text.getBytes(StandardCharsets.UTF_8);
    }

    /** Random records in random batches; `keyed`: few keys, no headers, tombstones. */
    static void send(KafkaProducer<byte[], byte[]> producer, TopicPartition to, int count, boolean keyed, boolean headers) {
        for (int i = 0; i < count; i++) {
            byte[] key = keyed ? bytes("k" + random.nextInt(12)) : random.nextInt(3) == 0 ? null : bytes("key " + i);
            byte[] value = random.nextInt(6) == 0 ? null : bytes("value " + i + " of " + to + "x".repeat(random.nextInt(40)));
            // Not in order, and the same twice.
            long timestamp = now + 100L * i - random.nextInt(400);
            ProducerRecord<byte[], byte[]> record = new ProducerRecord<>(to.topic(), to.partition(), timestamp, key, value);
            for (int h = headers ? random.nextInt(3) : 0; h > 0; h--)
                record.headers().add("header " + h, random.nextInt(4) == 0 ? null : bytes("h" + i));
            producer.send(record);
            if (random.nextInt(8) == 0)
                producer.flush();
        }
        producer.flush();
    }

    static void create(Admin admin, String name, int partitions, Map<String, String> configs) throws Exception {
        admin.createTopics(List.of(new NewTopic(name, partitions, (short) 1).configs(configs))).all().get();
    }

    static void fill(String version, int part) throws Exception {
        random = new Random(part);
        // Days apart, and young enough for every default retention.
        now = System.currentTimeMillis() - 3_600_000L * (4 - part);
        boolean old = version.startsWith("2.");
        try (Admin admin = Admin.create(properties())) {
            if (part == 1)
                createTopics(admin, version);
            for (String codec : CODECS)
                try (KafkaProducer<byte[], byte[]> producer = producer(codec)) {
                    send(producer, new TopicPartition("codec-" + codec, 0), 40, false, true);
                }
            try (KafkaProducer<byte[], byte[]> producer = producer("lz4", "enable.idempotence", "true", "acks", "all")) {
                for (int partition = 0; partition < 2; partition++)
                    send(producer, new TopicPartition("idempotent", partition), 30, false, true);
            }
            try (KafkaProducer<byte[], byte[]> producer = producer("none")) {
                send(producer, new TopicPartition("append-time", 0), 20, false, true);
                send(producer, new TopicPartition("deleted", 0), 60, false, true);
                send(producer, new TopicPartition("compacted", 0), 150, true, false);
            }
            admin.deleteRecords(Map.of(new TopicPartition("deleted", 0), RecordsToDelete.beforeOffset(27L * part))).all().get();
            transactions(part);
            commits(version, part);
            shares(admin);
            if (old)
                oldFormats(admin, part);
        }
    }

    static void createTopics(Admin admin, String version) throws Exception {
        String segment = version.startsWith("4") ? "internal.segment.bytes" : "segment.bytes";
        Map<String, String> small = Map.of(segment, "2500");
        for (String codec : CODECS)
            create(admin, "codec-" + codec, 1, small);
        create(admin, "idempotent", 2, Map.of("max.message.bytes", "100000"));
        create(admin, "transactional", 2, Map.of(segment, "4000", "min.insync.replicas", "1"));
        create(admin, "append-time", 1, Map.of("message.timestamp.type", "LogAppendTime"));
        create(admin, "deleted", 1, small);
        create(admin, "compacted", 1, Map.of("cleanup.policy", "compact", segment, "2500", "min.cleanable.dirty.ratio", "0"));
        create(admin, "empty.topic-1", 1, Map.of());
        if (version.startsWith("2.")) {
            for (String[] row : new String[][] {{"old-0", "0.9.0"}, {"old-1", "0.10.0"}, {"old-mixed", "0.9.0"}})
                create(admin, row[0], 1, Map.of("message.format.version", row[1], segment, "2500"));
            create(admin, "old-compacted", 1, Map.of("message.format.version", "0.10.0", segment, "2500",
                "cleanup.policy", "compact", "min.cleanable.dirty.ratio", "0"));
        }
    }

    static void transactions(int part) throws Exception {
        for (int id = 0; id < 3; id++) {
            KafkaProducer<byte[], byte[]> producer = producer(CODECS[(id + part) % 5], "transactional.id", "id-" + id,
                "enable.idempotence", "true", "transaction.timeout.ms", "900000");
            producer.initTransactions();
            for (int i = 0; i < 4; i++) {
                producer.beginTransaction();
                for (int partition = 0; partition < 2; partition++)
                    send(producer, new TopicPartition("transactional", partition), 3 + random.nextInt(5), false, true);
                if (i == 1)
                    send(producer, new TopicPartition("compacted", 0), 6, true, false);
                boolean commits = random.nextBoolean();
                producer.sendOffsetsToTransaction(Map.of(new TopicPartition("codec-none", 0),
                    new OffsetAndMetadata(100L * part + i, "in a transaction")), new ConsumerGroupMetadata("transactional-" + commits));
                if (commits)
                    producer.commitTransaction();
                else
                    producer.abortTransaction();
            }
            if (id == 2 && part == 2) {
                producer.beginTransaction();
                send(producer, new TopicPartition("transactional", 1), 5, false, true);
            } else {
                producer.close();
            }
        }
        // What comes after the one that is open.
        try (KafkaProducer<byte[], byte[]> producer = producer("none")) {
            send(producer, new TopicPartition("transactional", 1), 5, false, true);
        }
    }

    static KafkaConsumer<byte[], byte[]> consumer(String... pairs) {
        return new KafkaConsumer<>(properties(pairs), new ByteArrayDeserializer(), new ByteArrayDeserializer());
    }

    static void commits(String version, int part) {
        TopicPartition partition = new TopicPartition("codec-gzip", 0);
        try (KafkaConsumer<byte[], byte[]> consumer = consumer("group.id", "assigned")) {
            consumer.assign(List.of(partition));
            for (int i = 0; i < 5; i++)
                consumer.commitSync(Map.of(partition, new OffsetAndMetadata(3 * i + part, "commit " + i)));
        }
        List<String> protocols = version.startsWith("4") ? List.of("classic", "consumer") : List.of("classic");
        for (String protocol : protocols)
            try (KafkaConsumer<byte[], byte[]> consumer = consumer("group.id", "subscribed-" + protocol, "group.protocol", protocol,
                    "auto.offset.reset", "earliest", "enable.auto.commit", "false")) {
                consumer.subscribe(List.of("idempotent", "append-time"));
                // What is there is there at once; a second group would wait for a rebalance.
                for (int polls = 0, records = 0; records < 40 && polls < 100; polls++)
                    records += consumer.poll(Duration.ofMillis(300)).count();
                consumer.commitSync();
            }
    }

    /** With the clients that know of share groups. */
    static void shares(Admin admin) throws Exception {
        try {
            Class.forName("Shares").getDeclaredMethod("consume", Properties.class, Admin.class).invoke(null, properties(), admin);
        } catch (ClassNotFoundException of27) {
            // Those of 2.7 do not.
        }
    }

    static void oldFormats(Admin admin, int part) throws Exception {
        ConfigResource mixed = new ConfigResource(ConfigResource.Type.TOPIC, "old-mixed");
        String[] versions = {"0.9.0", "0.10.0", "2.7"};
        for (int step = 0; step < versions.length; step++) {
            AlterConfigOp set = new AlterConfigOp(new ConfigEntry("message.format.version", versions[step]), AlterConfigOp.OpType.SET);
            if (part == 1)
                admin.incrementalAlterConfigs(Map.of(mixed, List.of(set))).all().get();
            // The broker takes it over when ZooKeeper has told it.
            Thread.sleep(part == 1 ? 500 : 0);
            try (KafkaProducer<byte[], byte[]> producer = producer(CODECS[step + 1])) {
                send(producer, new TopicPartition("old-mixed", 0), 20, false, false);
            }
        }
        for (int codec = 0; codec < 4; codec++)
            try (KafkaProducer<byte[], byte[]> producer = producer(CODECS[codec])) {
                for (String topic : List.of("old-0", "old-1"))
                    send(producer, new TopicPartition(topic, 0), 25, false, false);
                send(producer, new TopicPartition("old-compacted", 0), 40, true, false);
            }
    }

    static String text(byte[] bytes) {
        return bytes == null ? "null" : "'" + new String(bytes, StandardCharsets.UTF_8) + "'";
    }

    static void read() throws Exception {
        List<TopicPartition> partitions = new ArrayList<>();
        try (KafkaConsumer<byte[], byte[]> consumer = consumer()) {
            for (String topic : new TreeSet<>(consumer.listTopics().keySet()))
                if (!topic.startsWith("__"))
                    for (int i = 0; i < consumer.partitionsFor(topic).size(); i++)
                        partitions.add(new TopicPartition(topic, i));
        }
        for (String isolation : List.of("read_uncommitted", "read_committed"))
            try (KafkaConsumer<byte[], byte[]> consumer = consumer("isolation.level", isolation, "check.crcs", "true",
                    "fetch.max.wait.ms", "20")) {
                Map<TopicPartition, Long> ends = consumer.endOffsets(partitions);
                for (TopicPartition partition : partitions) {
                    consumer.assign(List.of(partition));
                    consumer.seekToBeginning(List.of(partition));
                    StringBuilder committed = new StringBuilder();
                    while (consumer.position(partition) < ends.get(partition))
                        for (ConsumerRecord<byte[], byte[]> record : consumer.poll(Duration.ofSeconds(1)))
                            if (isolation.equals("read_committed"))
                                committed.append(' ').append(record.offset());
                            else
                                print(partition, record);
                    if (isolation.equals("read_committed"))
                        System.out.println("committed " + partition + committed);
                }
            }
        System.out.flush();
    }

    static void print(TopicPartition partition, ConsumerRecord<byte[], byte[]> record) {
        StringBuilder line = new StringBuilder("record " + partition + " " + record.offset() + " " + record.timestampType() + " "
            + record.timestamp() + " " + text(record.key()) + " " + text(record.value()));
        for (Header header : record.headers())
            line.append(' ').append(header.key()).append('=').append(text(header.value()));
        System.out.println(line);
    }
}
