import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.stream.Collectors;

import org.apache.kafka.common.Uuid;
import org.apache.kafka.coordinator.group.api.assignor.PartitionAssignor;
import org.apache.kafka.coordinator.group.api.assignor.SubscribedTopicDescriber;
import org.apache.kafka.coordinator.group.api.assignor.SubscriptionType;
import org.apache.kafka.coordinator.group.assignor.RangeAssignor;
import org.apache.kafka.coordinator.group.assignor.SimpleAssignor;
import org.apache.kafka.coordinator.group.assignor.UniformAssignor;
import org.apache.kafka.coordinator.group.modern.Assignment;
import org.apache.kafka.coordinator.group.modern.GroupSpecImpl;
import org.apache.kafka.coordinator.group.modern.MemberSubscriptionAndAssignmentImpl;

/**
 * What Kafka's own assignors make of groups whose members come, go and change their minds. Each line that begins with
 * "member" is a member: its id, its instance, its topics, what it had, and what it gets.
 */
public final class Assignors {
    static final Random RANDOM = new Random(7);

    static final class Member {
        String id;
        String instance;
        List<Uuid> topics;
        Map<Uuid, Set<Integer>> assignment = new HashMap<>();
    }

    public static void main(String[] none) {
        for (int group = 0; group < 12; group++) {
            PartitionAssignor assignor = group % 3 == 0 ? new RangeAssignor() : new UniformAssignor();
            run(assignor, group % 2 == 0);
        }
        for (int group = 0; group < 12; group++)
            run(new SimpleAssignor(), group % 2 == 0);
    }

    static void run(PartitionAssignor assignor, boolean same) {
        Map<Uuid, Integer> topics = new HashMap<>();
        for (int i = 0; i < 1 + RANDOM.nextInt(4); i++)
            topics.put(new Uuid(RANDOM.nextLong(), RANDOM.nextLong()), 1 + RANDOM.nextInt(20));
        TreeMap<String, Member> members = new TreeMap<>();
        // Of a share group, those whose state is there, which are never fewer than before.
        Map<Uuid, Set<Integer>> assignable = new HashMap<>();
        // Large enough for tables to grow.
        for (int step = 0; step < (assignor instanceof SimpleAssignor ? 9 : 5); step++) {
            change(members, topics, same);
            assign(assignor, members, topics, assignable);
        }
    }

    static void change(TreeMap<String, Member> members, Map<Uuid, Integer> topics, boolean same) {
        if (members.size() > 1 && RANDOM.nextInt(3) == 0)
            members.remove(new ArrayList<>(members.keySet()).get(RANDOM.nextInt(members.size())));
        for (int i = 0; i < 1 + RANDOM.nextInt(4); i++) {
            Member member = new Member();
            member.id = Uuid.randomUuid().toString();
            member.instance = RANDOM.nextInt(4) == 0 ? "instance-" + RANDOM.nextInt(1000) : null;
            member.topics = choose(topics, same);
            members.put(member.id, member);
        }
        if (RANDOM.nextInt(3) == 0) {
            Uuid topic = new ArrayList<>(topics.keySet()).get(RANDOM.nextInt(topics.size()));
            topics.merge(topic, 3, Integer::sum);
        }
        if (!same && RANDOM.nextInt(2) == 0)
            members.firstEntry().getValue().topics = choose(topics, false);
    }

    static List<Uuid> choose(Map<Uuid, Integer> topics, boolean all) {
        List<Uuid> chosen = new ArrayList<>(new TreeSet<>(topics.keySet()));
        if (!all)
            chosen.removeIf(topic -> RANDOM.nextInt(3) == 0);
        return chosen;
    }

    static void assign(PartitionAssignor assignor, TreeMap<String, Member> members, Map<Uuid, Integer> topics,
                       Map<Uuid, Set<Integer>> assignable) {
        Map<String, MemberSubscriptionAndAssignmentImpl> specs = new HashMap<>();
        Map<Uuid, Map<Integer, String>> inverted = new HashMap<>();
        members.values().forEach(member -> {
            // As it comes out of a record.
            Map<Uuid, Set<Integer>> had = new TreeMap<>(member.assignment).entrySet().stream()
                .collect(Collectors.toMap(Map.Entry::getKey, of -> new HashSet<>(new ArrayList<>(new TreeSet<>(of.getValue())))));
            had.forEach((topic, partitions) -> partitions.forEach(partition ->
                inverted.computeIfAbsent(topic, key -> new HashMap<>()).put(partition, member.id)));
            specs.put(member.id, new MemberSubscriptionAndAssignmentImpl(Optional.empty(), Optional.ofNullable(member.instance),
                new LinkedHashSet<>(member.topics), new Assignment(had)));
        });
        boolean same = members.values().stream().map(member -> new HashSet<>(member.topics)).distinct().count() <= 1;
        SubscriptionType type = same ? SubscriptionType.HOMOGENEOUS : SubscriptionType.HETEROGENEOUS;
        if (assignor instanceof SimpleAssignor)
            topics.forEach((topic, count) -> {
                for (int partition = 0; partition < count; partition++)
                    if (RANDOM.nextInt(10) > 0)
                        assignable.computeIfAbsent(topic, key -> new HashSet<>()).add(partition);
            });
        Optional<Map<Uuid, Set<Integer>>> some = assignor instanceof SimpleAssignor ? Optional.of(assignable) : Optional.empty();
        Map<String, ? extends org.apache.kafka.coordinator.group.api.assignor.MemberAssignment> assigned = assignor.assign(
            new GroupSpecImpl(Collections.unmodifiableMap(specs), type, inverted, some), new SubscribedTopicDescriber() {
                public int numPartitions(Uuid topic) {
                    return topics.getOrDefault(topic, -1);
                }

                public Set<String> racksForPartition(Uuid topic, int partition) {
                    return Set.of();
                }
            }).members();
        System.out.println("group " + assignor.name() + " " + type);
        new TreeMap<>(topics).forEach((topic, count) -> System.out.println("topic " + topic + " " + count));
        some.ifPresent(all -> System.out.println("assignable " + text(all)));
        members.values().forEach(member -> {
            Map<Uuid, Set<Integer>> gets = new HashMap<>();
            if (assigned.containsKey(member.id))
                assigned.get(member.id).partitions().forEach((topic, of) -> gets.put(topic, new HashSet<>(of)));
            String subscribed = member.topics.stream().map(Uuid::toString).collect(Collectors.joining(","));
            System.out.println(String.join(" ", "member", member.id, member.instance == null ? "-" : member.instance,
                subscribed.isEmpty() ? "-" : subscribed, text(member.assignment), text(gets)));
            member.assignment = gets;
        });
    }

    static String text(Map<Uuid, Set<Integer>> partitions) {
        String text = new TreeMap<>(partitions).entrySet().stream().filter(of -> !of.getValue().isEmpty())
            .map(of -> of.getKey() + ":" + new TreeSet<>(of.getValue()).stream().map(String::valueOf).collect(Collectors.joining(",")))
            .collect(Collectors.joining(";"));
        return text.isEmpty() ? "-" : text;
    }
}
