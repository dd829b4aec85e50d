import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Properties;
import java.util.Set;
import java.util.concurrent.TimeUnit;

import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.AlterConfigOp;
import org.apache.kafka.clients.admin.ConfigEntry;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.clients.consumer.AcknowledgeType;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.ConsumerRecords;
import org.apache.kafka.clients.consumer.KafkaShareConsumer;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.clients.producer.RecordMetadata;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.TopicIdPartition;
import org.apache.kafka.common.config.ConfigResource;
import org.apache.kafka.common.serialization.StringDeserializer;
import org.apache.kafka.common.serialization.StringSerializer;

/**
 * A producer, and members of a share group, that go on while their broker is killed: `ShareChain NAME PARTITIONS MEMBERS`,
 * of a new topic and a group of that name. The input says `send FROM TO`, which are numbers, or `next`, with which a round
 * begins in which all members are new ones. They say `begun ROUND MEMBER`, `got ROUND VALUE` of each record, and `done
 * ROUND VALUE` once it is confirmed that it was accepted.
 */
public final class ShareChain {
    static volatile int round = 0;

    static synchronized void say(String line) {
        System.out.println(line);
        System.out.flush();
    }

    static Properties settings() {
        Properties settings = new Properties();
        settings.put("bootstrap.servers", System.getenv("BOOTSTRAP"));
        settings.put("reconnect.backoff.max.ms", "200");
        return settings;
    }

    public static void main(String[] arguments) throws Exception {
        String name = arguments[0];
        int partitions = Integer.parseInt(arguments[1]);
        prepare(name, partitions);
        List<Member> members = new ArrayList<>();
        for (int i = 0; i < Integer.parseInt(arguments[2]); i++) {
            Member member = new Member("member-" + i, name);
            members.add(member);
            member.start();
        }
        BufferedReader lines = new BufferedReader(new InputStreamReader(System.in));
        try (KafkaProducer<String, String> producer = new KafkaProducer<>(settings(), new StringSerializer(), new StringSerializer())) {
            String line;
            while ((line = lines.readLine()) != null) {
                String[] words = line.split(" ");
                if (words[0].equals("next"))
                    round++;
                else
                    for (int value = Integer.parseInt(words[1]); value < Integer.parseInt(words[2]); value++)
                        producer.send(new ProducerRecord<>(name, value % partitions, null, "" + value), ShareChain::sent);
            }
        }
        round = -1;
        for (Member member : members)
            member.join();
    }

    static void sent(RecordMetadata metadata, Exception error) {
        if (error != null)
            say("failed to send: " + error);
    }

    static void prepare(String name, int partitions) throws Exception {
        try (Admin admin = Admin.create(settings())) {
            admin.createTopics(List.of(new NewTopic(name, partitions, (short) 1))).all().get(30, TimeUnit.SECONDS);
            ConfigEntry earliest = new ConfigEntry("share.auto.offset.reset", "earliest");
            admin.incrementalAlterConfigs(Map.of(
                new ConfigResource(ConfigResource.Type.GROUP, name),
                List.of(new AlterConfigOp(earliest, AlterConfigOp.OpType.SET)))).all().get(30, TimeUnit.SECONDS);
        }
    }

    static final class Member extends Thread {
        final String topic;

        Member(String name, String topic) {
            super(name);
            this.topic = topic;
        }

        KafkaShareConsumer<String, String> consumer() {
            Properties settings = settings();
            settings.put("group.id", topic);
            settings.put("share.acknowledgement.mode", "explicit");
            settings.put("max.poll.records", "50");
            KafkaShareConsumer<String, String> consumer =
                new KafkaShareConsumer<>(settings, new StringDeserializer(), new StringDeserializer());
            consumer.subscribe(Set.of(topic));
            return consumer;
        }

        @Override
        public void run() {
            int own;
            while ((own = round) >= 0) {
                KafkaShareConsumer<String, String> consumer = consumer();
                say("begun " + own + " " + getName());
                while (round == own) {
                    try {
                        work(consumer, own);
                    } catch (KafkaException error) {
                        // Of a broker that is gone, or a session that went with it: the next poll begins anew.
                        System.err.println(getName() + ": " + error);
                    }
                }
                try {
                    consumer.close(Duration.ofSeconds(5));
                } catch (KafkaException error) {
                    System.err.println(getName() + ": " + error);
                }
            }
        }

        /** Every seventh record is given back when it comes for the first time, the others are accepted. */
        void work(KafkaShareConsumer<String, String> consumer, int own) {
            ConsumerRecords<String, String> records = consumer.poll(Duration.ofMillis(250));
            Map<Integer, List<String>> accepted = new HashMap<>();
            for (ConsumerRecord<String, String> record : records) {
                say("got " + own + " " + record.value());
                boolean isReleased = Integer.parseInt(record.value()) % 7 == 0 && record.deliveryCount().get() == 1;
                consumer.acknowledge(record, isReleased ? AcknowledgeType.RELEASE : AcknowledgeType.ACCEPT);
                if (!isReleased)
                    accepted.computeIfAbsent(record.partition(), none -> new ArrayList<>()).add(record.value());
            }
            for (Map.Entry<TopicIdPartition, Optional<KafkaException>> of : consumer.commitSync(Duration.ofSeconds(10)).entrySet()) {
                if (of.getValue().isEmpty())
                    for (String value : accepted.getOrDefault(of.getKey().partition(), List.of()))
                        say("done " + own + " " + value);
                else
                    System.err.println(getName() + ": " + of.getKey() + ": " + of.getValue().get());
            }
        }
    }
}
