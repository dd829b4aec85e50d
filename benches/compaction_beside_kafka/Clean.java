import java.io.BufferedReader;
import java.io.File;
import java.io.InputStreamReader;
import java.util.Optional;
import java.util.Properties;

import org.apache.kafka.common.TopicPartition;
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

/** Has Kafka's own cleaner compact each partition directory that a line of stdin names, and answers the seconds it took. */
public final class Clean {
    public static void main(String[] args) throws Exception {
        KafkaScheduler scheduler = new KafkaScheduler(1);
        scheduler.startup();
        // As a broker's thread has it by default: log.cleaner.dedupe.buffer.size, half of log.cleaner.io.buffer.size.
        Cleaner cleaner = new Cleaner(0, new SkimpyOffsetMap(128 << 20), 1 << 18, 1 << 20, 0.9,
            new Throttler(Double.MAX_VALUE, 300, "none", "bytes", Time.SYSTEM), Time.SYSTEM, (TopicPartition any) -> { });
        BufferedReader lines = new BufferedReader(new InputStreamReader(System.in));
        for (String line = lines.readLine(); line != null; line = lines.readLine()) {
            Properties properties = new Properties();
            properties.put("cleanup.policy", "compact");
            properties.put("segment.bytes", "16777216");
            UnifiedLog log = UnifiedLog.create(new File(line), new LogConfig(properties), 0L, 0L, scheduler,
                new BrokerTopicStats(), Time.SYSTEM, 900_000, new ProducerStateManagerConfig(86_400_000, false), 600_000,
                new LogDirFailureChannel(1), true, Optional.empty());
            log.updateHighWatermark(log.logEndOffset());
            long start = System.nanoTime();
            cleaner.clean(new LogToClean(log, 0, log.activeSegment().baseOffset(), false));
            System.out.println((System.nanoTime() - start) / 1e9);
            log.close();
        }
        System.exit(0);
    }
}
