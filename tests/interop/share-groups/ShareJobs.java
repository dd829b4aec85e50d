import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Properties;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import java.util.stream.IntStream;

import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.AlterConfigOp;
import org.apache.kafka.clients.admin.ConfigEntry;
import org.apache.kafka.clients.admin.ListShareGroupOffsetsSpec;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.clients.admin.ShareGroupDescription;
import org.apache.kafka.clients.admin.SharePartitionOffsetInfo;
import org.apache.kafka.clients.consumer.AcknowledgeType;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaShareConsumer;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.config.ConfigResource;
import org.apache.kafka.common.serialization.StringDeserializer;
import org.apache.kafka.common.serialization.StringSerializer;

/** Share groups by Java's own share consumer; `before` and `after` stand on the two sides of a restart of the broker. */
public class ShareJobs {
    static final String BOOTSTRAP = System.getenv("BOOTSTRAP");
    static final long LIMIT_S = 30;
    static final long LOCK_MS = 5_000;

    interface Job {
        void run() throws Exception;
    }

    public static void main(String[] arguments) {
        Map<String, Job> jobs = Map.of(
            "dealt_with", ShareJobs::dealtWith, "two_members", ShareJobs::twoMembers, "offsets", ShareJobs::offsets,
            "renewed", ShareJobs::renewed, "lock_timeout", ShareJobs::lockTimeout, "isolation", ShareJobs::isolation,
            "before", ShareJobs::before, "after", ShareJobs::after);
        for (String name : arguments) {
            try {
                jobs.get(name).run();
                System.out.println(name + "\tok");
            } catch (Throwable error) {
                error.printStackTrace();
                System.out.println(name + "\tFAIL\t" + error.toString().replaceAll("\\s+", " "));
            }
        }
    }

    static void same(Object expected, Object found) {
        if (!expected.equals(found))
            throw new AssertionError(found + " is not " + expected);
    }

    static Properties settings(String... pairs) {
        Properties properties = new Properties();
        properties.put("bootstrap.servers", BOOTSTRAP);
        for (int i = 0; i < pairs.length; i += 2)
            properties.put(pairs[i], pairs[i + 1]);
        return properties;
    }

    /** A topic of one partition with ten records, and a group of the same name that begins at the first of them. */
    static void prepare(String name, String... configs) throws Exception {
        prepareEmpty(name, configs);
        produce(name, 0, 10);
    }

    static void prepareEmpty(String name, String... configs) throws Exception {
        List<AlterConfigOp> changes = new ArrayList<>();
        changes.add(new AlterConfigOp(new ConfigEntry("share.auto.offset.reset", "earliest"), AlterConfigOp.OpType.SET));
        for (int i = 0; i < configs.length; i += 2)
            changes.add(new AlterConfigOp(new ConfigEntry(configs[i], configs[i + 1]), AlterConfigOp.OpType.SET));
        try (Admin admin = Admin.create(settings())) {
            admin.createTopics(List.of(new NewTopic(name, 1, (short) 1))).all().get(LIMIT_S, TimeUnit.SECONDS);
            ConfigResource group = new ConfigResource(ConfigResource.Type.GROUP, name);
            admin.incrementalAlterConfigs(Map.of(group, changes)).all().get(LIMIT_S, TimeUnit.SECONDS);
        }
    }

    static void produce(String topic, int from, int to) throws Exception {
        try (KafkaProducer<String, String> producer = new KafkaProducer<>(settings(), new StringSerializer(), new StringSerializer())) {
            for (int i = from; i < to; i++)
                producer.send(new ProducerRecord<>(topic, 0, null, "" + i)).get(LIMIT_S, TimeUnit.SECONDS);
        }
    }

    static KafkaShareConsumer<String, String> member(String name) {
        Properties settings = settings("group.id", name, "share.acknowledgement.mode", "explicit");
        KafkaShareConsumer<String, String> member = new KafkaShareConsumer<>(settings, new StringDeserializer(), new StringDeserializer());
        member.subscribe(Set.of(name));
        return member;
    }

    interface Verdict {
        AcknowledgeType of(ConsumerRecord<String, String> record);
    }

    /** Takes records until there are so many, says what has become of each, and answers value -> how often delivered. */
    static Map<Integer, Integer> take(KafkaShareConsumer<String, String> member, int count, Verdict verdict) {
        Map<Integer, Integer> taken = new TreeMap<>();
        long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(LIMIT_S);
        while (taken.size() < count) {
            if (System.nanoTime() > deadline)
                throw new AssertionError("only " + taken + " of " + count);
            for (ConsumerRecord<String, String> record : member.poll(Duration.ofMillis(200))) {
                taken.put(Integer.parseInt(record.value()), (int) record.deliveryCount().get());
                member.acknowledge(record, verdict.of(record));
            }
            confirm(member);
        }
        return taken;
    }

    static Map<Integer, Integer> each(IntStream values, int deliveries) {
        return new TreeMap<>(values.boxed().collect(Collectors.toMap(value -> value, value -> deliveries)));
    }

    static void dealtWith() throws Exception {
        prepare("dealt-with");
        try (KafkaShareConsumer<String, String> member = member("dealt-with")) {
            AcknowledgeType[] verdicts = {AcknowledgeType.ACCEPT, AcknowledgeType.RELEASE, AcknowledgeType.REJECT};
            same(each(IntStream.range(0, 10), 1), take(member, 10, record -> verdicts[(int) record.offset() % 3]));
            // What was released comes once more; what was accepted or rejected does not, and new records come.
            produce("dealt-with", 10, 12);
            Map<Integer, Integer> expected = each(IntStream.of(1, 4, 7), 2);
            expected.putAll(each(IntStream.range(10, 12), 1));
            same(expected, take(member, 5, record -> AcknowledgeType.ACCEPT));
        }
    }

    static void twoMembers() throws Exception {
        prepare("two-members");
        try (KafkaShareConsumer<String, String> one = member("two-members"); KafkaShareConsumer<String, String> two = member("two-members")) {
            Set<Integer> seen = new HashSet<>(take(one, 10, record -> AcknowledgeType.ACCEPT).keySet());
            same(10, seen.size());
            int next = 10;
            List<Integer> byTwo = new ArrayList<>();
            long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(LIMIT_S);
            // The other one gets some of the same partition's records, and nobody any of them twice.
            while (byTwo.isEmpty() || seen.size() < next) {
                if (System.nanoTime() > deadline)
                    throw new AssertionError(seen.size() + " of " + next + " seen, by the second member " + byTwo);
                if (seen.size() == next)
                    produce("two-members", next, next += 10);
                for (KafkaShareConsumer<String, String> member : List.of(two, one)) {
                    for (ConsumerRecord<String, String> record : member.poll(Duration.ofMillis(100))) {
                        int value = Integer.parseInt(record.value());
                        same(true, seen.add(value));
                        if (member == two)
                            byTwo.add(value);
                        member.acknowledge(record, AcknowledgeType.ACCEPT);
                    }
                    member.commitSync();
                }
            }
        }
    }

    /** What is renewed again and again stays with its member for longer than a lock lasts. */
    static void renewed() throws Exception {
        prepare("renewed", "share.record.lock.duration.ms", "" + LOCK_MS);
        try (KafkaShareConsumer<String, String> one = member("renewed"); KafkaShareConsumer<String, String> two = member("renewed")) {
            long end = System.nanoTime() + TimeUnit.MILLISECONDS.toNanos(5 * LOCK_MS / 2);
            long deadline = end + TimeUnit.SECONDS.toNanos(LIMIT_S);
            Map<Integer, Integer> seen = new TreeMap<>();
            Set<Integer> accepted = new HashSet<>();
            int renewals = 0;
            while (accepted.size() < 10) {
                if (System.nanoTime() > deadline)
                    throw new AssertionError("seen " + seen + ", accepted " + accepted);
                boolean accepts = System.nanoTime() > end;
                for (ConsumerRecord<String, String> record : one.poll(Duration.ofMillis(100))) {
                    int value = Integer.parseInt(record.value());
                    seen.put(value, (int) record.deliveryCount().get());
                    one.acknowledge(record, accepts ? AcknowledgeType.ACCEPT : AcknowledgeType.RENEW);
                    renewals += accepts ? 0 : 1;
                    if (accepts)
                        accepted.add(value);
                }
                confirm(one);
                if (seen.size() == 10)
                    same(0, two.poll(Duration.ofMillis(100)).count());
            }
            same(each(IntStream.range(0, 10), 1), seen);
            same(true, renewals >= 20);
        }
    }

    /** What a member holds for longer than a lock lasts goes to another, and is no more the first one's to deal with. */
    static void lockTimeout() throws Exception {
        prepare("lock-timeout", "share.record.lock.duration.ms", "" + LOCK_MS);
        try (KafkaShareConsumer<String, String> one = member("lock-timeout"); KafkaShareConsumer<String, String> two = member("lock-timeout")) {
            List<ConsumerRecord<String, String>> held = new ArrayList<>();
            long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(LIMIT_S);
            while (held.isEmpty() && System.nanoTime() < deadline)
                one.poll(Duration.ofMillis(200)).forEach(held::add);
            same(10, held.size());
            List<ConsumerRecord<String, String>> again = new ArrayList<>();
            while (again.isEmpty() && System.nanoTime() < deadline)
                two.poll(Duration.ofMillis(200)).forEach(again::add);
            same(10, again.size());
            held.forEach(record -> one.acknowledge(record, AcknowledgeType.ACCEPT));
            List<String> errors = one.commitSync().values().stream()
                .map(error -> error.map(e -> e.getClass().getSimpleName()).orElse("none")).collect(Collectors.toList());
            same(List.of("InvalidRecordStateException"), errors);
            again.forEach(record -> same(2, (int) record.deliveryCount().get()));
            again.forEach(record -> two.acknowledge(record, AcknowledgeType.ACCEPT));
            confirm(two);
        }
    }

    /** A group that reads what is committed gets no record of an aborted transaction, and none of one that is undecided. */
    static void isolation() throws Exception {
        prepareEmpty("isolation", "share.isolation.level", "read_committed");
        Properties settings = settings("transactional.id", "isolation");
        try (KafkaProducer<String, String> producer = new KafkaProducer<>(settings, new StringSerializer(), new StringSerializer());
             KafkaShareConsumer<String, String> member = member("isolation")) {
            producer.initTransactions();
            for (boolean commits : new boolean[] {true, false, true}) {
                producer.beginTransaction();
                String kind = commits ? "1" : "9";
                for (int i = 0; i < 5; i++)
                    producer.send(new ProducerRecord<>("isolation", 0, null, kind + i)).get(LIMIT_S, TimeUnit.SECONDS);
                if (commits)
                    producer.commitTransaction();
                else
                    producer.abortTransaction();
            }
            producer.beginTransaction();
            producer.send(new ProducerRecord<>("isolation", 0, null, "20")).get(LIMIT_S, TimeUnit.SECONDS);
            Map<Integer, Integer> found = new TreeMap<>();
            int[] count = {0};
            long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(LIMIT_S);
            boolean decided = false;
            while (count[0] < 11) {
                if (System.nanoTime() > deadline)
                    throw new AssertionError(count[0] + " records of 11, " + found);
                member.poll(Duration.ofMillis(200)).forEach(record -> {
                    count[0]++;
                    found.merge(Integer.parseInt(record.value()), 1, Integer::sum);
                    member.acknowledge(record, AcknowledgeType.ACCEPT);
                });
                confirm(member);
                if (count[0] == 10 && !decided) {
                    same(0, member.poll(Duration.ofMillis(500)).count());
                    producer.commitTransaction();
                    decided = true;
                }
            }
            Map<Integer, Integer> expected = each(IntStream.range(10, 15), 2);
            expected.put(20, 1);
            same(expected, found);
        }
    }

    static void confirm(KafkaShareConsumer<String, String> member) {
        member.commitSync().forEach((partition, error) -> error.ifPresent(e -> {
            throw e;
        }));
    }

    static void offsets() throws Exception {
        prepare("offsets");
        TopicPartition partition = new TopicPartition("offsets", 0);
        try (Admin admin = Admin.create(settings())) {
            try (KafkaShareConsumer<String, String> member = member("offsets")) {
                take(member, 10, record -> AcknowledgeType.ACCEPT);
                ShareGroupDescription described = admin.describeShareGroups(List.of("offsets")).all().get(LIMIT_S, TimeUnit.SECONDS).get("offsets");
                same("STABLE", described.groupState().name());
                same(Set.of(partition), described.members().iterator().next().assignment().topicPartitions());
            }
            // The start is written with the acknowledgements before it moves; the lag counts these.
            same(Optional.of(0L), standing(admin, partition).lag());
            admin.alterShareGroupOffsets("offsets", Map.of(partition, 4L)).all().get(LIMIT_S, TimeUnit.SECONDS);
            same(4L, standing(admin, partition).startOffset());
            try (KafkaShareConsumer<String, String> member = member("offsets")) {
                same(each(IntStream.range(4, 10), 1), take(member, 6, record -> AcknowledgeType.ACCEPT));
            }
            admin.deleteShareGroups(List.of("offsets")).all().get(LIMIT_S, TimeUnit.SECONDS);
        }
    }

    static SharePartitionOffsetInfo standing(Admin admin, TopicPartition partition) throws Exception {
        return admin.listShareGroupOffsets(Map.of(partition.topic(), new ListShareGroupOffsetsSpec()))
            .partitionsToOffsetInfo(partition.topic()).get(LIMIT_S, TimeUnit.SECONDS).get(partition);
    }

    static void before() throws Exception {
        prepare("restart");
        try (KafkaShareConsumer<String, String> member = member("restart")) {
            take(member, 10, record -> record.offset() % 2 == 0 ? AcknowledgeType.ACCEPT : AcknowledgeType.RELEASE);
        }
    }

    static void after() throws Exception {
        try (KafkaShareConsumer<String, String> member = member("restart")) {
            same(each(IntStream.of(1, 3, 5, 7, 9), 2), take(member, 5, record -> AcknowledgeType.ACCEPT));
        }
    }
}
