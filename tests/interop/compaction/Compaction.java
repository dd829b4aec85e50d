import java.io.File;
import java.lang.reflect.Proxy;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Properties;
import java.util.Random;

import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.StringSerializer;
import org.apache.kafka.common.utils.Time;
import org.apache.kafka.server.util.KafkaScheduler;
import org.apache.kafka.storage.internals.log.Cleaner;
import org.apache.kafka.storage.internals.log.LogConfig;
import org.apache.kafka.storage.internals.log.LogDirFailureChannel;
import org.apache.kafka.storage.internals.log.LogToClean;
import org.apache.kafka.storage.internals.log.ProducerStateManagerConfig;
import org.apache.kafka.storage.internals.log.SkimpyOffsetMap;
import org.apache.kafka.storage.internals.log.UnifiedLog;
import org.apache.kafka.storage.internals.utils.Throttler;
import org.apache.kafka.storage.log.metrics.BrokerTopicStats;

/**
 * Compaction create BOOTSTRAP TOPIC: the topic, with one partition.
 * Compaction fill BOOTSTRAP TOPIC SEED: random records from producers of all kinds.
 * Compaction spread BOOTSTRAP TOPIC SEED KEYS: a record of each of so many keys, and of every other one again, in any order.
 * Compaction clean DIR FIRST_DIRTY_OFFSET CLOCK_SHIFT_S MAP_BYTES KEY=VALUE...: Kafka's own cleaner on a partition's
 * directory, so many seconds in the future: once, and again as long as its map of keys has been too small for all.
 */
public final class Compaction {
    static final double LOAD_FACTOR = 0.9;

    public static void main(String[] args) throws Exception {
        if (args[0].equals("create"))
            try (Admin admin = Admin.create(Map.of("bootstrap.servers", args[1]))) {
                admin.createTopics(List.of(new NewTopic(args[2], 1, (short) 1))).all().get();
            }
        else if (args[0].equals("fill"))
            fill(args[1], args[2], new Random(Long.parseLong(args[3])));
        else if (args[0].equals("spread"))
            spread(args[1], args[2], new Random(Long.parseLong(args[3])), Integer.parseInt(args[4]));
        else
            clean(args);
        System.exit(0);
    }

    static void fill(String bootstrap, String topic, Random random) throws Exception {
        String[] codecs = {"none", "gzip", "snappy", "lz4", "zstd"};
        for (int session = 0; session < 10; session++) {
            boolean transactional = session % 2 == 1;
            Properties properties = new Properties();
            properties.put("bootstrap.servers", bootstrap);
            properties.put("compression.type", codecs[session % codecs.length]);
            properties.put("linger.ms", "1000");
            properties.put("batch.size", "2000");
            properties.put("enable.idempotence", String.valueOf(transactional || session % 4 == 0));
            if (transactional)
                properties.put("transactional.id", "t" + session % 3);
            StringSerializer text = new StringSerializer();
            try (KafkaProducer<String, String> producer = new KafkaProducer<>(properties, text, text)) {
                if (transactional)
                    producer.initTransactions();
                for (int part = 0; part < 4; part++) {
                    if (transactional)
                        producer.beginTransaction();
                    for (int i = 0, count = 1 + random.nextInt(25); i < count; i++) {
                        String key = "k" + random.nextInt(40);
                        String value = random.nextInt(5) == 0 ? null : "v" + "x".repeat(random.nextInt(60)) + i;
                        ProducerRecord<String, String> record = new ProducerRecord<>(topic, 0, key, value);
                        if (random.nextInt(4) == 0)
                            record.headers().add("h", "1".getBytes(StandardCharsets.UTF_8));
                        producer.send(record);
                        if (random.nextInt(6) == 0)
                            producer.flush();
                    }
                    if (!transactional)
                        producer.flush();
                    else if (random.nextInt(3) == 0)
                        producer.abortTransaction();
                    else
                        producer.commitTransaction();
                }
            }
        }
    }

    static void spread(String bootstrap, String topic, Random random, int keys) throws Exception {
        List<Integer> numbers = new ArrayList<>();
        for (int key = 0; key < keys; key++) {
            numbers.add(key);
            if (key % 2 == 0)
                numbers.add(key);
        }
        Collections.shuffle(numbers, random);
        StringSerializer text = new StringSerializer();
        Map<String, Object> config = Map.of("bootstrap.servers", bootstrap, "linger.ms", "1000", "batch.size", "2000");
        try (KafkaProducer<String, String> producer = new KafkaProducer<>(config, text, text)) {
            for (int i = 0; i < numbers.size(); i++)
                producer.send(new ProducerRecord<>(topic, 0, "spread" + numbers.get(i), i % 9 == 0 ? null : "v" + i));
        }
    }

    static void clean(String[] args) throws Exception {
        Properties properties = new Properties();
        Time time = later(1000 * Long.parseLong(args[3]));
        for (int i = 5; i < args.length; i++)
            properties.put(args[i].split("=")[0], args[i].split("=")[1]);
        KafkaScheduler scheduler = new KafkaScheduler(1);
        scheduler.startup();
        UnifiedLog log = UnifiedLog.create(new File(args[1]), new LogConfig(properties), 0L, 0L, scheduler,
            new BrokerTopicStats(), time, 900_000, new ProducerStateManagerConfig(86_400_000, false), 600_000,
            new LogDirFailureChannel(1), true, Optional.empty());
        log.updateHighWatermark(log.logEndOffset());
        long uncleanable = Math.min(log.lastStableOffset(), log.activeSegment().baseOffset());
        SkimpyOffsetMap map = new SkimpyOffsetMap(Integer.parseInt(args[4]));
        Cleaner cleaner = new Cleaner(0, map, 1 << 16, 1 << 20, LOAD_FACTOR,
            new Throttler(Double.MAX_VALUE, 300, "none", "bytes", Time.SYSTEM), time, (TopicPartition any) -> { });
        long end = Long.parseLong(args[2]);
        int passes = 0;
        do {
            end = cleaner.clean(new LogToClean(log, end, uncleanable, false)).getKey();
            passes++;
        } while (map.size() >= (int) (map.slots() * LOAD_FACTOR));
        System.out.println(end + " in " + passes);
        log.close();
    }

    /** The system's clock, ahead of itself. */
    static Time later(long shiftMs) {
        return (Time) Proxy.newProxyInstance(Time.class.getClassLoader(), new Class<?>[] {Time.class}, (proxy, method, args) -> {
            Object answer = method.invoke(Time.SYSTEM, args);
            return method.getName().equals("milliseconds") ? (Long) answer + shiftMs : answer;
        });
    }
}
