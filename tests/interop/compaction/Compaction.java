import java.io.File;
import java.lang.reflect.Proxy;
import java.nio.charset.StandardCharsets;
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
 * Compaction clean DIR FIRST_DIRTY_OFFSET CLOCK_SHIFT_S KEY=VALUE...: Kafka's own cleaner, once, on a partition's directory,
 * so many seconds in the future.
 */
public final class Compaction {
    public static void main(String[] args) throws Exception {
        if (args[0].equals("create"))
            try (Admin admin = Admin.create(Map.of("bootstrap.servers", args[1]))) {
                admin.createTopics(List.of(new NewTopic(args[2], 1, (short) 1))).all().get();
            }
        else if (args[0].equals("fill"))
            fill(args[1], args[2], new Random(Long.parseLong(args[3])));
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

    static void clean(String[] args) throws Exception {
        Properties properties = new Properties();
        Time time = later(1000 * Long.parseLong(args[3]));
        for (int i = 4; i < args.length; i++)
            properties.put(args[i].split("=")[0], args[i].split("=")[1]);
        KafkaScheduler scheduler = new KafkaScheduler(1);
        scheduler.startup();
        UnifiedLog log = UnifiedLog.create(new File(args[1]), new LogConfig(properties), 0L, 0L, scheduler,
            new BrokerTopicStats(), time, 900_000, new ProducerStateManagerConfig(86_400_000, false), 600_000,
            new LogDirFailureChannel(1), true, Optional.empty());
        log.updateHighWatermark(log.logEndOffset());
        long uncleanable = Math.min(log.lastStableOffset(), log.activeSegment().baseOffset());
        Cleaner cleaner = new Cleaner(0, new SkimpyOffsetMap(1 << 20), 1 << 16, 1 << 20, 0.9,
            new Throttler(Double.MAX_VALUE, 300, "none", "bytes", Time.SYSTEM), time, (TopicPartition any) -> { });
        long end = cleaner.clean(new LogToClean(log, Long.parseLong(args[2]), uncleanable, false)).getKey();
        System.out.println(end);
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
