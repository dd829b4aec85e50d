import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import java.util.TreeMap;
import java.util.concurrent.atomic.AtomicLong;
import java.util.stream.Collectors;

import com.fasterxml.jackson.databind.ObjectMapper;

import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.ListOffsetsOptions;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.clients.admin.OffsetSpec;
import org.apache.kafka.clients.admin.TransactionListing;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.IsolationLevel;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.config.ConfigResource;
import org.apache.kafka.common.serialization.Deserializer;
import org.apache.kafka.common.serialization.LongDeserializer;
import org.apache.kafka.common.serialization.Serdes;
import org.apache.kafka.common.serialization.StringDeserializer;
import org.apache.kafka.common.serialization.StringSerializer;
import org.apache.kafka.streams.KafkaStreams;
import org.apache.kafka.streams.StoreQueryParameters;
import org.apache.kafka.streams.StreamsBuilder;
import org.apache.kafka.streams.Topology;
import org.apache.kafka.streams.errors.InvalidStateStoreException;
import org.apache.kafka.streams.kstream.Consumed;
import org.apache.kafka.streams.kstream.Grouped;
import org.apache.kafka.streams.kstream.Materialized;
import org.apache.kafka.streams.kstream.Produced;
import org.apache.kafka.streams.processor.StateRestoreListener;
import org.apache.kafka.streams.state.KeyValueIterator;
import org.apache.kafka.streams.state.QueryableStoreTypes;
import org.apache.kafka.streams.state.ReadOnlyKeyValueStore;

/**
 * Counts words. Does what a line of its input says, and answers each with a line of JSON:
 * "create N": the two topics; "say TEXT": a line of text to count; "start", "close": the application;
 * "state": how it is; "restored": how many records were restored; "store", "topic": what is counted in the store
 * and in the output topic; "policies": the cleanup.policy of each topic of the application's own; "transactions": the
 * state of each of its transactional ids; "undecided": how many records of the store's changelog are of transactions
 * that have not ended.
 */
public final class WordCount {
    static final ObjectMapper JSON = new ObjectMapper();
    static final String BOOTSTRAP = System.getenv("BOOTSTRAP");
    static final String APPLICATION = System.getenv("APPLICATION");
    static final String INPUT = APPLICATION + "-text";
    static final String OUTPUT = APPLICATION + "-counts";
    static final AtomicLong RESTORED = new AtomicLong();
    static KafkaStreams streams;

    public static void main(String[] none) throws Exception {
        BufferedReader requests = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
        Properties settings = new Properties();
        settings.put("bootstrap.servers", BOOTSTRAP);
        try (Admin admin = Admin.create(settings);
                KafkaProducer<String, String> producer = new KafkaProducer<>(settings, new StringSerializer(), new StringSerializer())) {
            String line;
            while ((line = requests.readLine()) != null) {
                String[] words = line.split(" ", 2);
                System.out.println(JSON.writeValueAsString(answer(words[0], words.length > 1 ? words[1] : "", admin, producer)));
            }
        }
        if (streams != null)
            streams.close();
    }

    static Object answer(String what, String argument, Admin admin, KafkaProducer<String, String> producer) throws Exception {
        switch (what) {
            case "create":
                int partitions = Integer.parseInt(argument);
                admin.createTopics(List.of(new NewTopic(INPUT, partitions, (short) 1), new NewTopic(OUTPUT, partitions, (short) 1))).all().get();
                return true;
            case "say":
                return producer.send(new ProducerRecord<>(INPUT, argument)).get().offset();
            case "start":
                streams = new KafkaStreams(topology(), settings());
                streams.setGlobalStateRestoreListener(new CountRestored());
                streams.start();
                return true;
            case "close":
                return streams.close(Duration.ofSeconds(60));
            case "state":
                return streams.state().name();
            case "restored":
                return RESTORED.get();
            case "store":
                return store();
            case "topic":
                return topic();
            case "policies":
                return policies(admin);
            case "transactions":
                return admin.listTransactions().all().get().stream().filter(listed -> listed.transactionalId().startsWith(APPLICATION))
                    .collect(Collectors.toMap(TransactionListing::transactionalId, listed -> listed.state().toString()));
            case "undecided":
                // In this order: what has ended in between is not taken for undecided.
                return ends(admin, IsolationLevel.READ_UNCOMMITTED) - ends(admin, IsolationLevel.READ_COMMITTED);
            default:
                throw new IllegalArgumentException(what);
        }
    }

    static Properties settings() {
        Properties settings = new Properties();
        settings.put("bootstrap.servers", BOOTSTRAP);
        settings.put("application.id", APPLICATION);
        settings.put("state.dir", System.getenv("STATE_DIR"));
        settings.put("processing.guarantee", System.getenv("GUARANTEE"));
        settings.put("num.stream.threads", "2");
        settings.put("commit.interval.ms", System.getenv("COMMIT_INTERVAL_MS"));
        // Each change to the store is sent to the changelog at once, and not only when a transaction ends.
        settings.put("statestore.cache.max.bytes", "0");
        settings.put("auto.offset.reset", "earliest");
        settings.put("session.timeout.ms", "6000");
        settings.put("heartbeat.interval.ms", "500");
        return settings;
    }

    static Topology topology() {
        StreamsBuilder builder = new StreamsBuilder();
        builder.stream(INPUT, Consumed.with(Serdes.String(), Serdes.String()))
            .flatMapValues(text -> Arrays.asList(text.split(" ")))
            .groupBy((key, word) -> word, Grouped.with("words", Serdes.String(), Serdes.String()))
            .count(Materialized.as("counts"))
            .toStream()
            .to(OUTPUT, Produced.with(Serdes.String(), Serdes.Long()));
        return builder.build();
    }

    static final class CountRestored implements StateRestoreListener {
        @Override
        public void onRestoreStart(TopicPartition partition, String store, long start, long end) {
        }

        @Override
        public void onBatchRestored(TopicPartition partition, String store, long end, long count) {
            RESTORED.addAndGet(count);
        }

        @Override
        public void onRestoreEnd(TopicPartition partition, String store, long total) {
        }
    }

    /** Empty while the store cannot be read, as in a rebalance. */
    static Map<String, Long> store() {
        Map<String, Long> counts = new TreeMap<>();
        try {
            ReadOnlyKeyValueStore<String, Long> store =
                streams.store(StoreQueryParameters.fromNameAndType("counts", QueryableStoreTypes.keyValueStore()));
            try (KeyValueIterator<String, Long> all = store.all()) {
                all.forEachRemaining(pair -> counts.put(pair.key, pair.value));
            }
        } catch (InvalidStateStoreException error) {
            return Map.of();
        }
        return counts;
    }

    /** The last count of each word in the output topic, from its beginning to its present end. */
    static Map<String, Long> topic() {
        Properties settings = new Properties();
        settings.put("bootstrap.servers", BOOTSTRAP);
        settings.put("isolation.level", "read_committed");
        Map<String, Long> counts = new TreeMap<>();
        try (KafkaConsumer<String, Long> reader = new KafkaConsumer<>(settings, new StringDeserializer(), (Deserializer<Long>) new LongDeserializer())) {
            List<TopicPartition> partitions = reader.partitionsFor(OUTPUT).stream().map(info -> new TopicPartition(OUTPUT, info.partition())).toList();
            reader.assign(partitions);
            reader.seekToBeginning(partitions);
            Map<TopicPartition, Long> ends = reader.endOffsets(partitions);
            while (ends.entrySet().stream().anyMatch(end -> reader.position(end.getKey()) < end.getValue()))
                for (ConsumerRecord<String, Long> record : reader.poll(Duration.ofMillis(100)))
                    counts.put(record.key(), record.value());
        }
        return counts;
    }

    /** Where the store's changelog ends, summed over its partitions. */
    static long ends(Admin admin, IsolationLevel level) throws Exception {
        String changelog = APPLICATION + "-counts-changelog";
        Map<TopicPartition, OffsetSpec> latest = admin.describeTopics(List.of(changelog)).allTopicNames().get().get(changelog).partitions().stream()
            .collect(Collectors.toMap(partition -> new TopicPartition(changelog, partition.partition()), partition -> OffsetSpec.latest()));
        return admin.listOffsets(latest, new ListOffsetsOptions(level)).all().get().values().stream().mapToLong(end -> end.offset()).sum();
    }

    static Map<String, String> policies(Admin admin) throws Exception {
        Map<String, String> policies = new TreeMap<>();
        List<ConfigResource> internal = admin.listTopics().names().get().stream()
            .filter(name -> name.startsWith(APPLICATION + "-") && !name.equals(INPUT) && !name.equals(OUTPUT))
            .map(name -> new ConfigResource(ConfigResource.Type.TOPIC, name)).toList();
        admin.describeConfigs(internal).all().get()
            .forEach((topic, config) -> policies.put(topic.name().substring(APPLICATION.length()), config.get("cleanup.policy").value()));
        return policies;
    }
}
