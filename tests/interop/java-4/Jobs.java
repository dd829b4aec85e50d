import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collection;
import java.util.Collections;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import java.util.Set;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Supplier;
import java.util.stream.Collectors;
import java.util.stream.IntStream;

import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.AlterConfigOp;
import org.apache.kafka.clients.admin.Config;
import org.apache.kafka.clients.admin.ConfigEntry;
import org.apache.kafka.clients.admin.ConsumerGroupDescription;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.clients.admin.OffsetSpec;
import org.apache.kafka.clients.admin.RecordsToDelete;
import org.apache.kafka.clients.consumer.ConsumerRebalanceListener;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.clients.consumer.OffsetAndTimestamp;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.clients.producer.RecordMetadata;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.config.ConfigResource;
import org.apache.kafka.common.errors.InvalidProducerEpochException;
import org.apache.kafka.common.errors.ProducerFencedException;
import org.apache.kafka.common.errors.TopicExistsException;
import org.apache.kafka.common.header.Header;
import org.apache.kafka.common.header.Headers;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.apache.kafka.common.serialization.ByteArraySerializer;

/** Apache Kafka's own client for Java. Written in what its version 2.7 and its newest have in common. */
public final class Jobs {
    interface Job {
        void run() throws Exception;
    }

    static final class NotApplicable extends RuntimeException {
        NotApplicable(String reason) {
            super(reason);
        }
    }

    static final String BOOTSTRAP = System.getenv("BOOTSTRAP");
    static final long LIMIT_S = 120;
    static final AtomicInteger COUNT = new AtomicInteger();
    static final Admin ADMIN = Admin.create(settings("bootstrap.servers", BOOTSTRAP));

    public static void main(String[] arguments) {
        Map<String, Job> jobs = new java.util.LinkedHashMap<>();
        jobs.put("create_topics", Jobs::createTopics);
        for (String codec : List.of("none", "gzip", "snappy", "lz4", "zstd"))
            jobs.put("produce_" + codec, () -> roundTrip("compression.type", codec));
        jobs.put("keys_headers_nulls", Jobs::keysHeadersNulls);
        jobs.put("large_values", Jobs::largeValues);
        jobs.put("timestamps", Jobs::timestamps);
        jobs.put("idempotent", Jobs::idempotent);
        jobs.put("acks_0", Jobs::acks0);
        jobs.put("acks_1", () -> roundTrip("acks", "1", "enable.idempotence", "false"));
        jobs.put("acks_all", () -> roundTrip("acks", "all"));
        jobs.put("seek", Jobs::seek);
        jobs.put("groups", Jobs::groups);
        jobs.put("static_members", Jobs::staticMembers);
        jobs.put("cooperative", Jobs::cooperative);
        jobs.put("groups_848", Jobs::groups848);
        jobs.put("commit_resume", Jobs::commitResume);
        jobs.put("describe_groups", Jobs::describeGroups);
        jobs.put("delete_records", Jobs::deleteRecords);
        jobs.put("delete_groups", Jobs::deleteGroups);
        jobs.put("transactions", Jobs::transactions);
        jobs.put("configs", Jobs::configs);
        jobs.put("delete_topics", Jobs::deleteTopics);
        jobs.forEach((name, job) -> {
            try {
                job.run();
                System.out.println(name + "\tok");
            } catch (NotApplicable reason) {
                System.out.println(name + "\tn/a\t" + reason.getMessage());
            } catch (Throwable error) {
                error.printStackTrace();
                System.out.println(name + "\tFAIL\t" + error.toString().replaceAll("\\s+", " "));
            }
        });
        ADMIN.close();
    }

    static Properties settings(String... pairs) {
        Properties properties = new Properties();
        for (int i = 0; i < pairs.length; i += 2)
            properties.put(pairs[i], pairs[i + 1]);
        return properties;
    }

    static String unique(String prefix) {
        return prefix + "-" + ProcessHandle.current().pid() + "-" + COUNT.getAndIncrement();
    }

    static void check(boolean holds, Object otherwise) {
        if (!holds)
            throw new AssertionError(String.valueOf(otherwise));
    }

    static void same(Object expected, Object found) {
        check(expected.equals(found), found + " is not " + expected);
    }

    static <T> T waitFor(String what, Supplier<T> condition) {
        long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(LIMIT_S);
        while (true) {
            T value = condition.get();
            if (value != null)
                return value;
            check(System.nanoTime() < deadline, "not within " + LIMIT_S + " s: " + what);
        }
    }

    static <T> T get(Future<T> future) throws Exception {
        return future.get(LIMIT_S, TimeUnit.SECONDS);
    }

    static byte[] bytes(String text) {
        return text.getBytes(StandardCharsets.UTF_8);
    }

    static String text(byte[] bytes) {
        return bytes == null ? null : new String(bytes, StandardCharsets.UTF_8);
    }

    static TopicPartition first(String topic) {
        return new TopicPartition(topic, 0);
    }

    static String newTopic(int partitions, String... configs) throws Exception {
        String name = unique("java");
        Map<String, String> map = new HashMap<>();
        settings(configs).forEach((key, value) -> map.put((String) key, (String) value));
        get(ADMIN.createTopics(Set.of(new NewTopic(name, partitions, (short) 1).configs(map))).all());
        return name;
    }

    /** Sends the records and returns the offsets that were acknowledged. */
    static List<Long> produce(List<ProducerRecord<byte[], byte[]>> records, String... pairs) throws Exception {
        Properties properties = settings(pairs);
        properties.put("bootstrap.servers", BOOTSTRAP);
        properties.putIfAbsent("linger.ms", "5");
        List<Long> offsets = new ArrayList<>();
        try (KafkaProducer<byte[], byte[]> producer = new KafkaProducer<>(properties, new ByteArraySerializer(), new ByteArraySerializer())) {
            List<Future<RecordMetadata>> sent = new ArrayList<>();
            for (ProducerRecord<byte[], byte[]> record : records)
                sent.add(producer.send(record));
            producer.flush();
            for (Future<RecordMetadata> future : sent)
                offsets.add(get(future).offset());
        }
        return offsets;
    }

    static List<ProducerRecord<byte[], byte[]>> numbers(String topic, int count) {
        return IntStream.range(0, count).mapToObj(i -> new ProducerRecord<byte[], byte[]>(topic, 0, null, bytes("" + i)))
            .collect(Collectors.toList());
    }

    static KafkaConsumer<byte[], byte[]> consumer(String... pairs) {
        Properties properties = settings(pairs);
        properties.put("bootstrap.servers", BOOTSTRAP);
        properties.put("auto.offset.reset", "earliest");
        properties.put("enable.auto.commit", "false");
        return new KafkaConsumer<>(properties, new ByteArrayDeserializer(), new ByteArrayDeserializer());
    }

    static List<ConsumerRecord<byte[], byte[]>> take(KafkaConsumer<byte[], byte[]> reader, int count) {
        List<ConsumerRecord<byte[], byte[]>> records = new ArrayList<>();
        return waitFor(count + " records came", () -> {
            reader.poll(Duration.ofMillis(200)).forEach(records::add);
            return records.size() >= count ? records : null;
        });
    }

    static List<ConsumerRecord<byte[], byte[]>> read(String topic, int count, long offset) {
        try (KafkaConsumer<byte[], byte[]> reader = consumer()) {
            reader.assign(Set.of(first(topic)));
            if (offset == 0)
                reader.seekToBeginning(Set.of(first(topic)));
            else
                reader.seek(first(topic), offset);
            return take(reader, count);
        }
    }

    static void roundTrip(String... pairs) throws Exception {
        String topic = newTopic(1);
        List<ProducerRecord<byte[], byte[]>> records = IntStream.range(0, 100)
            .mapToObj(i -> new ProducerRecord<>(topic, 0, bytes("k" + i), bytes(("value " + i + " ").repeat(20))))
            .collect(Collectors.toList());
        produce(records, pairs);
        List<ConsumerRecord<byte[], byte[]>> found = read(topic, 100, 0);
        same(100, found.size());
        for (int i = 0; i < 100; i++) {
            same(text(records.get(i).key()), text(found.get(i).key()));
            same(text(records.get(i).value()), text(found.get(i).value()));
        }
    }

    static void createTopics() throws Exception {
        String topic = newTopic(3);
        check(get(ADMIN.listTopics().names()).contains(topic), "the topic is not listed");
        try (KafkaConsumer<byte[], byte[]> reader = consumer()) {
            same(3, reader.partitionsFor(topic).size());
        }
        try {
            get(ADMIN.createTopics(Set.of(new NewTopic(topic, 3, (short) 1))).all());
        } catch (ExecutionException error) {
            check(error.getCause() instanceof TopicExistsException, error);
            return;
        }
        throw new AssertionError("the topic was created twice");
    }

    static void keysHeadersNulls() throws Exception {
        String topic = newTopic(1);
        ProducerRecord<byte[], byte[]> full = new ProducerRecord<>(topic, 0, bytes("key"), bytes("value"));
        full.headers().add("a", bytes("1")).add("a", new byte[0]).add("none", null);
        produce(List.of(full, new ProducerRecord<>(topic, 0, null, new byte[0]), new ProducerRecord<>(topic, 0, bytes("gone"), null)));
        List<ConsumerRecord<byte[], byte[]>> found = read(topic, 3, 0);
        Headers headers = found.get(0).headers();
        List<String> shown = new ArrayList<>();
        for (Header header : headers)
            shown.add(header.key() + "=" + text(header.value()));
        same(List.of("a=1", "a=", "none=null"), shown);
        same("key", text(found.get(0).key()));
        check(found.get(1).key() == null && found.get(1).value().length == 0, found.get(1));
        check("gone".equals(text(found.get(2).key())) && found.get(2).value() == null, found.get(2));
    }

    static void largeValues() throws Exception {
        String topic = newTopic(1);
        List<ProducerRecord<byte[], byte[]>> records = new ArrayList<>();
        for (int i = 0; i < 5; i++) {
            byte[] value = new byte[1_000_000];
            Arrays.fill(value, (byte) i);
            records.add(new ProducerRecord<>(topic, 0, null, value));
        }
        produce(records);
        List<ConsumerRecord<byte[], byte[]>> found = read(topic, 5, 0);
        for (int i = 0; i < 5; i++)
            check(Arrays.equals(records.get(i).value(), found.get(i).value()), "value " + i + " changed");
    }

    static void timestamps() throws Exception {
        String topic = newTopic(1);
        long start = 1_600_000_000_000L;
        produce(IntStream.range(0, 10).mapToObj(i -> new ProducerRecord<byte[], byte[]>(topic, 0, start + i * 1000, null, bytes("" + i)))
            .collect(Collectors.toList()));
        List<ConsumerRecord<byte[], byte[]>> found = read(topic, 10, 0);
        for (int i = 0; i < 10; i++)
            same(start + i * 1000, found.get(i).timestamp());
        try (KafkaConsumer<byte[], byte[]> reader = consumer()) {
            OffsetAndTimestamp at = reader.offsetsForTimes(Map.of(first(topic), start + 4500)).get(first(topic));
            check(at.offset() == 5 && at.timestamp() == start + 5000, at);
            check(reader.offsetsForTimes(Map.of(first(topic), start + 10_000)).get(first(topic)) == null, "a record of the future");
        }
        same("5", text(read(topic, 5, 5).get(0).value()));
    }

    static void idempotent() throws Exception {
        String topic = newTopic(1);
        List<Long> offsets = produce(numbers(topic, 1000), "enable.idempotence", "true", "acks", "all", "batch.size", "1000");
        same(IntStream.range(0, 1000).mapToObj(Long::valueOf).collect(Collectors.toList()), offsets);
        List<ConsumerRecord<byte[], byte[]>> found = read(topic, 1000, 0);
        same(1000, found.size());
        for (int i = 0; i < 1000; i++)
            same("" + i, text(found.get(i).value()));
    }

    static void acks0() throws Exception {
        String topic = newTopic(1);
        produce(numbers(topic, 10), "acks", "0", "enable.idempotence", "false");
        same(10, read(topic, 10, 0).size());
    }

    static void seek() throws Exception {
        String topic = newTopic(1);
        produce(numbers(topic, 20));
        try (KafkaConsumer<byte[], byte[]> reader = consumer()) {
            reader.assign(Set.of(first(topic)));
            take(reader, 20);
            reader.seek(first(topic), 7);
            same(7L, take(reader, 1).get(0).offset());
        }
    }

    /** A member of a group that counts how often its assignment changed. */
    static final class Member implements AutoCloseable, ConsumerRebalanceListener {
        final KafkaConsumer<byte[], byte[]> reader;
        int rebalances;

        Member(String group, String topic, String... pairs) {
            this(group, Set.of(topic), pairs);
        }

        Member(String group, Set<String> topics, String... pairs) {
            // With the consumer protocol the broker says how long and how often.
            boolean asked = Arrays.asList(pairs).contains("group.protocol");
            String[] own = asked ? new String[] {"group.id", group}
                : new String[] {"group.id", group, "session.timeout.ms", "6000", "heartbeat.interval.ms", "300"};
            String[] all = Arrays.copyOf(own, own.length + pairs.length);
            System.arraycopy(pairs, 0, all, own.length, pairs.length);
            reader = consumer(all);
            reader.subscribe(topics, this);
        }

        @Override
        public void onPartitionsAssigned(Collection<TopicPartition> partitions) {
            rebalances++;
        }

        @Override
        public void onPartitionsRevoked(Collection<TopicPartition> partitions) {
        }

        @Override
        public void close() {
            reader.close();
        }
    }

    /** Polls the members until all partitions are assigned, none of them twice; returns how many each has. */
    static List<Integer> share(int partitions, Member... members) {
        return waitFor(partitions + " partitions shared by " + members.length + " members", () -> {
            Set<TopicPartition> owned = new HashSet<>();
            List<Integer> each = new ArrayList<>();
            for (Member member : members) {
                member.reader.poll(Duration.ofMillis(50));
                owned.addAll(member.reader.assignment());
            }
            for (Member member : members)
                each.add(member.reader.assignment().size());
            int sum = each.stream().mapToInt(Integer::intValue).sum();
            return owned.size() == partitions && sum == partitions && Collections.min(each) > 0 ? each : null;
        });
    }

    static void groups() throws Exception {
        String topic = newTopic(4);
        String group = unique("group");
        try (Member one = new Member(group, topic)) {
            same(List.of(4), share(4, one));
            try (Member two = new Member(group, topic)) {
                same(List.of(2, 2), share(4, one, two));
            }
            same(List.of(4), share(4, one));
        }
    }

    static boolean knowsConsumerProtocol() {
        return org.apache.kafka.clients.consumer.ConsumerConfig.configNames().contains("group.protocol");
    }

    static void staticMembers() throws Exception {
        // A member must come back before its session ends.
        staticMembersOf("session.timeout.ms", "30000");
        if (knowsConsumerProtocol())
            staticMembersOf("group.protocol", "consumer");
    }

    static void staticMembersOf(String... pairs) throws Exception {
        String topic = newTopic(2);
        String group = unique("group");
        String[] named = Arrays.copyOf(pairs, pairs.length + 2);
        named[pairs.length] = "group.instance.id";
        named[pairs.length + 1] = "one";
        String[] second = named.clone();
        second[pairs.length + 1] = "two";
        try (Member one = new Member(group, topic, named)) {
            Set<TopicPartition> before;
            try (Member two = new Member(group, topic, second)) {
                share(2, one, two);
                before = two.reader.assignment();
            }
            int rebalances = one.rebalances;
            try (Member two = new Member(group, topic, second)) {
                share(2, one, two);
                same(before, two.reader.assignment());
            }
            same(rebalances, one.rebalances);
        }
    }

    static void cooperative() throws Exception {
        String topic = newTopic(4);
        String group = unique("group");
        String[] pairs = {"partition.assignment.strategy", "org.apache.kafka.clients.consumer.CooperativeStickyAssignor"};
        try (Member one = new Member(group, topic, pairs)) {
            share(4, one);
            try (Member two = new Member(group, topic, pairs)) {
                same(List.of(2, 2), share(4, one, two));
            }
        }
    }

    static void groups848() throws Exception {
        if (!knowsConsumerProtocol())
            throw new NotApplicable("kafka-clients 2.7 is older than KIP-848");
        String topic = newTopic(4);
        String group = unique("group");
        String[] pairs = {"group.protocol", "consumer"};
        try (Member one = new Member(group, topic, pairs)) {
            same(List.of(4), share(4, one));
            try (Member two = new Member(group, topic, pairs)) {
                same(List.of(2, 2), share(4, one, two));
                ConsumerGroupDescription described = get(ADMIN.describeConsumerGroups(Set.of(group)).all()).get(group);
                same(2, described.members().size());
                same("uniform", described.partitionAssignor());
            }
            same(List.of(4), share(4, one));
            produce(numbers(topic, 20));
            int read = 0;
            while (read < 20)
                read += one.reader.poll(Duration.ofSeconds(LIMIT_S)).count();
            // A commit leaves out partitions whose position is not known yet, as those may be that came back just now.
            Map<TopicPartition, Long> positions = new HashMap<>();
            one.reader.assignment().forEach(partition -> positions.put(partition, one.reader.position(partition)));
            one.reader.commitSync();
            positions.forEach((partition, position) ->
                same(position, one.reader.committed(Set.of(partition)).get(partition).offset()));
        }
        rangeAssigned();
    }

    /** The broker's range assignor gives a member the same partitions of each topic, and so not an even share. */
    static void rangeAssigned() throws Exception {
        Set<String> topics = Set.of(newTopic(3), newTopic(3));
        String group = unique("group");
        String[] pairs = {"group.protocol", "consumer", "group.remote.assignor", "range"};
        try (Member one = new Member(group, topics, pairs); Member two = new Member(group, topics, pairs)) {
            List<Integer> each = new ArrayList<>(share(6, one, two));
            Collections.sort(each);
            same(List.of(2, 4), each);
            for (Member member : List.of(one, two)) {
                Map<String, Set<Integer>> owned = new HashMap<>();
                member.reader.assignment().forEach(tp -> owned.computeIfAbsent(tp.topic(), topic -> new HashSet<>()).add(tp.partition()));
                same(topics, owned.keySet());
                same(1, new HashSet<>(owned.values()).size());
            }
            same("range", get(ADMIN.describeConsumerGroups(Set.of(group)).all()).get(group).partitionAssignor());
        }
    }

    static void commitResume() throws Exception {
        String topic = newTopic(1);
        String group = unique("group");
        produce(numbers(topic, 20));
        try (Member one = new Member(group, topic, "max.poll.records", "12")) {
            same(12, take(one.reader, 12).size());
            one.reader.commitSync();
        }
        try (Member two = new Member(group, topic)) {
            same(12L, take(two.reader, 1).get(0).offset());
            same(12L, two.reader.committed(Set.of(first(topic))).get(first(topic)).offset());
        }
    }

    static boolean listed(String group) throws Exception {
        return get(ADMIN.listConsumerGroups().all()).stream().anyMatch(listing -> listing.groupId().equals(group));
    }

    static void describeGroups() throws Exception {
        String topic = newTopic(1);
        String group = unique("group");
        produce(numbers(topic, 10));
        try (Member one = new Member(group, topic)) {
            take(one.reader, 10);
            one.reader.commitSync(Map.of(first(topic), new OffsetAndMetadata(4, "noted")));
            check(listed(group), "the group is not listed");
            ConsumerGroupDescription described = get(ADMIN.describeConsumerGroups(Set.of(group)).all()).get(group);
            check(described.toString().contains("tate=Stable"), described);
            same(1, described.members().size());
            same(Set.of(first(topic)), described.members().iterator().next().assignment().topicPartitions());
            OffsetAndMetadata committed = get(ADMIN.listConsumerGroupOffsets(group).partitionsToOffsetAndMetadata()).get(first(topic));
            same("noted", committed.metadata());
            long end = get(ADMIN.listOffsets(Map.of(first(topic), OffsetSpec.latest())).all()).get(first(topic)).offset();
            same(6L, end - committed.offset());
        }
    }

    static void deleteRecords() throws Exception {
        String topic = newTopic(1);
        produce(numbers(topic, 10));
        same(6L, get(ADMIN.deleteRecords(Map.of(first(topic), RecordsToDelete.beforeOffset(6))).lowWatermarks().get(first(topic))).lowWatermark());
        same(6L, read(topic, 1, 0).get(0).offset());
    }

    static void deleteGroups() throws Exception {
        String topic = newTopic(1);
        String group = unique("group");
        produce(numbers(topic, 1));
        try (Member one = new Member(group, topic)) {
            take(one.reader, 1);
            one.reader.commitSync();
        }
        get(ADMIN.deleteConsumerGroups(Set.of(group)).all());
        check(!listed(group), "the group is still listed");
    }

    static KafkaProducer<byte[], byte[]> transactional(String id) {
        Properties properties = settings("bootstrap.servers", BOOTSTRAP, "transactional.id", id);
        KafkaProducer<byte[], byte[]> producer = new KafkaProducer<>(properties, new ByteArraySerializer(), new ByteArraySerializer());
        producer.initTransactions();
        return producer;
    }

    static void sendInTransaction(KafkaProducer<byte[], byte[]> producer, Member member, String source, String target, String value) throws Exception {
        producer.beginTransaction();
        for (int i = 0; i < 10; i++)
            producer.send(new ProducerRecord<>(target, 0, null, bytes(value)));
        producer.flush();
        long position = member.reader.position(first(source));
        producer.sendOffsetsToTransaction(Map.of(first(source), new OffsetAndMetadata(position)), member.reader.groupMetadata());
    }

    static void transactions() throws Exception {
        String source = newTopic(1);
        String target = newTopic(1);
        String id = unique("transaction");
        produce(numbers(source, 10));
        try (Member member = new Member(unique("group"), source); KafkaProducer<byte[], byte[]> producer = transactional(id)) {
            take(member.reader, 10);
            sendInTransaction(producer, member, source, target, "aborted");
            producer.abortTransaction();
            check(member.reader.committed(Set.of(first(source))).get(first(source)) == null, "an aborted offset counts");
            sendInTransaction(producer, member, source, target, "committed");
            producer.commitTransaction();
            same(10L, member.reader.committed(Set.of(first(source))).get(first(source)).offset());
            // What was aborted is there, in front, and left out.
            for (String level : List.of("read_uncommitted", "read_committed")) {
                try (KafkaConsumer<byte[], byte[]> reader = consumer("isolation.level", level)) {
                    reader.assign(Set.of(first(target)));
                    reader.seekToBeginning(Set.of(first(target)));
                    String value = level.equals("read_committed") ? "committed" : "aborted";
                    for (ConsumerRecord<byte[], byte[]> record : take(reader, 10).subList(0, 10))
                        same(value, text(record.value()));
                }
            }
            try (KafkaProducer<byte[], byte[]> newer = transactional(id)) {
                sendInTransaction(producer, member, source, target, "fenced");
                producer.commitTransaction();
                throw new AssertionError("the older producer is not fenced");
            } catch (KafkaException refused) {
                // A send that comes after the answer has it as its cause; with a commit it is thrown as it is.
                Throwable fenced = refused.getClass() == KafkaException.class ? refused.getCause() : refused;
                if (!(fenced instanceof ProducerFencedException || fenced instanceof InvalidProducerEpochException))
                    throw refused;
            }
        }
    }

    static void configs() throws Exception {
        String topic = newTopic(1, "retention.ms", "1234567");
        ConfigResource resource = new ConfigResource(ConfigResource.Type.TOPIC, topic);
        same("1234567", get(ADMIN.describeConfigs(Set.of(resource)).all()).get(resource).get("retention.ms").value());
        AlterConfigOp change = new AlterConfigOp(new ConfigEntry("segment.bytes", "2097152"), AlterConfigOp.OpType.SET);
        get(ADMIN.incrementalAlterConfigs(Map.of(resource, Set.of(change))).all());
        Config config = get(ADMIN.describeConfigs(Set.of(resource)).all()).get(resource);
        same("2097152", config.get("segment.bytes").value());
        same("1234567", config.get("retention.ms").value());
    }

    static void deleteTopics() throws Exception {
        String topic = newTopic(1);
        get(ADMIN.deleteTopics(Set.of(topic)).all());
        waitFor("the topic is gone", () -> {
            try {
                return get(ADMIN.listTopics().names()).contains(topic) ? null : true;
            } catch (Exception error) {
                throw new AssertionError(error);
            }
        });
    }
}
