"""A chain of transactional programs over a broker that is killed again and again: what it puts out is what was put in."""

import collections
import functools
import os
import pathlib
import random
import subprocess
import sys
import time

from confluent_kafka import OFFSET_BEGINNING, Consumer, Producer, TopicPartition
from confluent_kafka.admin import AdminClient, NewTopic

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))
from broker import Broker  # noqa: E402
from jobs import run_all, wait_for  # noqa: E402

PLACE = pathlib.Path(os.environ["INSTALL_DIR"])
JAVA = ["java", "-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC", "-Xmx128m", "-Dorg.slf4j.simpleLogger.defaultLogLevel=error",
        "-cp", f"{PLACE}/libs/*:{PLACE}/classes", "Copier"]
KILLS, PARTITIONS, KEYS = 30, 4, 40
wait_for = functools.partial(wait_for, limit_s=90)


class Copier:
    """A program that copies from a topic to another as a member of that step's group."""

    def __init__(self, broker, command, *arguments):
        self.command = [*command, *arguments]
        environment = dict(os.environ, BOOTSTRAP=broker.bootstrap)
        self.process = subprocess.Popen(self.command, env=environment, cwd=HERE, stdin=subprocess.PIPE)

    def is_alive(self):
        assert self.process.poll() is None, f"ended by itself with {self.process.returncode}: {self.command}"
        return True

    def end(self):
        self.process.stdin.close()
        try:
            assert self.process.wait(timeout=30) == 0, f"a program ended with {self.process.returncode}"
        finally:
            self.process.kill()


class Input:
    """Numbers, counted for each key, from an idempotent producer that lives through all the kills."""

    def __init__(self, broker):
        self.sent, self.trouble = collections.Counter(), []
        self.producer = Producer({"bootstrap.servers": broker.bootstrap, "enable.idempotence": True, "linger.ms": 2,
                                  "reconnect.backoff.max.ms": 200})

    def delivered(self, error, _):
        if error:
            self.trouble.append(error)

    def send(self, count):
        for _ in range(count):
            key = random.randrange(KEYS)
            self.producer.produce("input", key=str(key).encode(), value=str(self.sent[key]).encode(),
                                  partition=key % PARTITIONS, on_delivery=self.delivered)
            self.sent[key] += 1
        self.producer.poll(0)

    def flush(self):
        assert self.producer.flush(60) == 0 and not self.trouble, self.trouble[:1]


class Output:
    """What committed transactions have put into a topic, by key, in the order of its partitions."""

    def __init__(self, broker, topic):
        self.reader = Consumer({"bootstrap.servers": broker.bootstrap, "group.id": "output", "isolation.level": "read_committed",
                                "enable.auto.commit": False, "reconnect.backoff.max.ms": 200, "fetch.wait.max.ms": 50})
        self.reader.assign([TopicPartition(topic, partition, OFFSET_BEGINNING) for partition in range(PARTITIONS)])
        self.values = collections.defaultdict(list)
        self.count = 0

    def read(self, limit_s):
        end = time.monotonic() + limit_s
        while (left := end - time.monotonic()) > 0:
            message = self.reader.poll(left)
            if message is not None and message.error() is None:
                self.values[int(message.key())].append(int(message.value()))
                self.count += 1
        return self.count

    def check(self, sent):
        for key, count in sent.items():
            assert self.values[key] == list(range(count)), f"key {key}: {count} went in, {self.values[key]} came out"
        assert self.values.keys() == sent.keys(), "keys that nobody has sent"


def job_killed_broker():
    random.seed(7)
    settings = {"transaction.state.log.num.partitions": 4, "offsets.topic.num.partitions": 4,
                "group.consumer.min.heartbeat.interval.ms": 500, "group.consumer.heartbeat.interval.ms": 1000}

    def has_output_after(count):
        return all(copier.is_alive() for copier in copiers) and output.read(0.1) > count

    with Broker(os.environ["OTTLA"], PLACE / "broker.log", **settings) as broker:
        admin = AdminClient({"bootstrap.servers": broker.bootstrap})
        topics = ["input", "once", "twice", "output"]
        for created in admin.create_topics([NewTopic(topic, PARTITIONS, 1) for topic in topics]).values():
            created.result(15)
        librdkafka = [sys.executable, "copier.py"]
        copiers = [
            Copier(broker, librdkafka, "input", "once", "first", "first-a"),
            Copier(broker, librdkafka, "input", "once", "first", "first-b"),
            Copier(broker, JAVA, "once", "twice", "second", "second-a", "consumer"),
            Copier(broker, JAVA, "once", "twice", "second", "second-b", "consumer"),
            Copier(broker, [PLACE / "copier"], "twice", "output", "third", "third-a"),
            Copier(broker, [PLACE / "copier"], "twice", "output", "third", "third-b"),
        ]
        try:
            source, output = Input(broker), Output(broker, "output")
            source.send(500)
            for _ in range(KILLS):
                source.send(200)
                # Records go through all three steps after each kill; the next comes at any moment after that.
                before = output.count
                wait_for("records go through", lambda: has_output_after(before))
                output.read(random.uniform(0, 0.7))
                broker.kill()
                broker.start()
            source.flush()
            total = sum(source.sent.values())
            wait_for(f"all {total} records have gone through", lambda: has_output_after(total - 1))
            output.read(2)
            output.check(source.sent)
        except AssertionError as error:
            raise AssertionError(f"{error} ({output.count} of {sum(source.sent.values())} have come out)") from None
        finally:
            for copier in copiers:
                copier.end()


if __name__ == "__main__":
    run_all(globals())
