"""Members that are librdkafka, in the words that group_member.rs has: `join MEMBER GROUP PROTOCOL TOPIC`, `leave MEMBER`."""

import os
import sys
import threading

from confluent_kafka import Consumer, KafkaError, KafkaException, ShareConsumer, TopicPartition

speaking = threading.Lock()
PASSING = (KafkaError.STALE_MEMBER_EPOCH, KafkaError.REBALANCE_IN_PROGRESS, KafkaError.ILLEGAL_GENERATION)
ASSIGNORS = {"classic": "range", "cooperative": "cooperative-sticky"}


def say(line):
    with speaking:
        print(line, flush=True)


class Member(threading.Thread):
    def __init__(self, name, group, protocol, topic):
        super().__init__(name=name)
        self.leaves = threading.Event()
        self.processed = {}
        settings = {"bootstrap.servers": os.environ["BOOTSTRAP"], "group.id": group, "auto.offset.reset": "earliest",
                    "enable.auto.commit": False, "fetch.wait.max.ms": 100}
        if protocol == "consumer":
            settings["group.protocol"] = "consumer"
        else:
            settings |= {"partition.assignment.strategy": ASSIGNORS[protocol], "session.timeout.ms": 20000,
                         "heartbeat.interval.ms": 300}
        self.consumer = Consumer(settings)
        self.consumer.subscribe([topic], on_revoke=self.revoked, on_lost=self.lost)
        self.start()

    def commit(self):
        """A generation that is about to end may take no commits; the next one does, before it takes partitions away."""
        if not self.processed:
            return True
        offsets = [TopicPartition(*partition, offset) for partition, offset in self.processed.items()]
        try:
            self.consumer.commit(offsets=offsets, asynchronous=False)
        except KafkaException as error:
            if error.args[0].code() not in PASSING:
                raise
            return False
        self.processed = {}
        return True

    def revoked(self, _, partitions):
        if not self.commit():
            say(f"failed {self.name} could not commit what it had read")

    def lost(self, _, partitions):
        say(f"failed {self.name} lost {[p.partition for p in partitions]}")

    def run(self):
        try:
            self.read()
            self.consumer.close()
            say(f"left {self.name}")
        except Exception as error:  # noqa: BLE001 (every way to fail is told)
            say(f"failed {self.name} {error!r}")

    def read(self):
        assigned, taken = [], 0
        while not self.leaves.is_set() or self.processed:
            message = self.consumer.poll(0.1 if taken == 0 else 0)
            partitions = sorted(p.partition for p in self.consumer.assignment()) if taken == 0 else assigned
            if partitions != assigned:
                say(f"assigned {self.name} {','.join(map(str, partitions))}")
                assigned = partitions
            if message is None or taken == 100:
                self.commit()
                taken = 0
            if message is not None:
                assert message.error() is None, message.error()
                say(f"record {self.name} {message.partition()} {message.offset()} {message.value().decode()}")
                self.processed[message.topic(), message.partition()] = message.offset() + 1
                taken += 1


class Taker(threading.Thread):
    """Takes records of a share group; librdkafka calls its consumer of these a preview."""

    def __init__(self, name, group, _, topic):
        super().__init__(name=name)
        self.leaves = threading.Event()
        self.consumer = ShareConsumer({"bootstrap.servers": os.environ["BOOTSTRAP"], "group.id": group,
                                       "share.acknowledgement.mode": "explicit"})
        self.consumer.subscribe([topic])
        self.start()

    def run(self):
        try:
            while not self.leaves.is_set():
                self.take()
            self.consumer.close()
            say(f"left {self.name}")
        except Exception as error:  # noqa: BLE001 (every way to fail is told)
            say(f"failed {self.name} {error!r}")

    def take(self):
        messages = self.consumer.poll(0.1)
        for message in messages:
            assert message.error() is None, message.error()
            say(f"record {self.name} {message.partition()} {message.offset()} {message.value().decode()}")
            self.consumer.acknowledge(message)
        refused = {partition: error for partition, error in self.consumer.commit_sync().items() if error}
        assert not refused, refused


members = {}
for line in sys.stdin:
    words = line.split()
    if words[0] == "join":
        members[words[1]] = (Taker if words[3] == "share" else Member)(*words[1:])
    else:
        members.pop(words[1]).leaves.set()
for member in members.values():
    member.leaves.set()
