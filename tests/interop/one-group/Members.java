import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.time.Duration;
import java.util.Collection;
import java.util.HashMap;
import java.util.Map;
import java.util.Properties;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;

import org.apache.kafka.clients.consumer.AcknowledgeType;
import org.apache.kafka.clients.consumer.ConsumerRebalanceListener;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.ConsumerRecords;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.consumer.KafkaShareConsumer;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.clients.consumer.SubscriptionPattern;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.errors.RebalanceInProgressException;
import org.apache.kafka.common.serialization.StringDeserializer;

/** Members that are Apache Kafka's own client, in the words that group_member.rs has: `join MEMBER GROUP PROTOCOL TOPIC`, `leave MEMBER`. */
public final class Members {
    static synchronized void say(String line) {
        System.out.println(line);
        System.out.flush();
    }

    public static void main(String[] none) throws Exception {
        Map<String, Member> members = new HashMap<>();
        BufferedReader lines = new BufferedReader(new InputStreamReader(System.in));
        String line;
        while ((line = lines.readLine()) != null) {
            String[] words = line.split(" ");
            if (words[0].equals("join")) {
                Member member = words[3].equals("share") ? new Taker(words[1], words[2], words[4])
                    : new Reader(words[1], words[2], words[3], words[4]);
                members.put(words[1], member);
                member.start();
            } else {
                members.remove(words[1]).leaves = true;
            }
        }
        members.values().forEach(member -> member.leaves = true);
    }

    abstract static class Member extends Thread {
        volatile boolean leaves;

        Member(String name) {
            super(name);
        }
    }

    /** Takes records of a share group. */
    static final class Taker extends Member {
        final KafkaShareConsumer<String, String> consumer;
        final String topic;

        Taker(String name, String group, String topic) {
            super(name);
            this.topic = topic;
            Properties settings = new Properties();
            settings.put("bootstrap.servers", System.getenv("BOOTSTRAP"));
            settings.put("group.id", group);
            settings.put("share.acknowledgement.mode", "explicit");
            consumer = new KafkaShareConsumer<>(settings, new StringDeserializer(), new StringDeserializer());
        }

        @Override
        public void run() {
            try (consumer) {
                consumer.subscribe(Set.of(topic));
                while (!leaves) {
                    for (ConsumerRecord<String, String> record : consumer.poll(Duration.ofMillis(100))) {
                        say("record " + getName() + " " + record.partition() + " " + record.offset() + " " + record.value());
                        consumer.acknowledge(record, AcknowledgeType.ACCEPT);
                    }
                    consumer.commitSync().values().forEach(error -> error.ifPresent(e -> {
                        throw e;
                    }));
                }
            } catch (Throwable error) {
                say("failed " + getName() + " " + error);
                return;
            }
            say("left " + getName());
        }
    }

    /** Reads the partitions that it gets in a consumer group. */
    static final class Reader extends Member implements ConsumerRebalanceListener {
        final KafkaConsumer<String, String> consumer;
        final String topic;
        final boolean isByPattern;
        Set<Integer> assigned = new TreeSet<>();
        final Map<TopicPartition, OffsetAndMetadata> processed = new HashMap<>();

        Reader(String name, String group, String protocol, String topic) {
            super(name);
            this.topic = topic;
            Properties settings = new Properties();
            settings.put("bootstrap.servers", System.getenv("BOOTSTRAP"));
            settings.put("group.id", group);
            settings.put("auto.offset.reset", "earliest");
            settings.put("enable.auto.commit", "false");
            isByPattern = protocol.equals("pattern");
            if (protocol.equals("consumer") || isByPattern) {
                settings.put("group.protocol", "consumer");
            } else {
                settings.put("session.timeout.ms", "20000");
                settings.put("heartbeat.interval.ms", "300");
                String assignor = protocol.equals("classic") ? "RangeAssignor" : "CooperativeStickyAssignor";
                settings.put("partition.assignment.strategy", "org.apache.kafka.clients.consumer." + assignor);
            }
            consumer = new KafkaConsumer<>(settings, new StringDeserializer(), new StringDeserializer());
        }

        @Override
        public void run() {
            try (consumer) {
                if (isByPattern)
                    // By a class of characters, and by the rest of the name as it is.
                    consumer.subscribe(new SubscriptionPattern("\\p{Ll}+\\Q" + topic.replaceFirst("^[a-z]+", "") + "\\E"), this);
                else
                    consumer.subscribe(Set.of(topic), this);
                while (!leaves || !processed.isEmpty())
                    read();
            } catch (Throwable error) {
                say("failed " + getName() + " " + error);
                return;
            }
            say("left " + getName());
        }

        /** Partitions come and go within `poll`, which then has what was read before committed. */
        void read() {
            ConsumerRecords<String, String> records = consumer.poll(Duration.ofMillis(100));
            Set<Integer> now = consumer.assignment().stream().map(TopicPartition::partition).collect(Collectors.toCollection(TreeSet::new));
            if (!now.equals(assigned))
                say("assigned " + getName() + " " + now.stream().map(String::valueOf).collect(Collectors.joining(",")));
            assigned = now;
            for (ConsumerRecord<String, String> record : records)
                say("record " + getName() + " " + record.partition() + " " + record.offset() + " " + record.value());
            processed.putAll(records.nextOffsets());
            commit();
        }

        /** A generation that is about to end may take no commits; the next one does, before it takes partitions away. */
        boolean commit() {
            try {
                if (!processed.isEmpty())
                    consumer.commitSync(processed);
                processed.clear();
                return true;
            } catch (RebalanceInProgressException error) {
                return false;
            }
        }

        @Override
        public void onPartitionsAssigned(Collection<TopicPartition> partitions) {
        }

        @Override
        public void onPartitionsRevoked(Collection<TopicPartition> partitions) {
            if (!commit())
                say("failed " + getName() + " could not commit what it had read");
        }

        @Override
        public void onPartitionsLost(Collection<TopicPartition> partitions) {
            say("failed " + getName() + " lost " + partitions);
        }
    }
}
