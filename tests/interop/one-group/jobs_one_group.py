"""Members of four kinds in one group, native ones within the broker's own process: each record is for one of them."""

import collections
import functools
import os
import pathlib
import subprocess
import sys
import threading
import time

from confluent_kafka import ConsumerGroupTopicPartitions, Producer
from confluent_kafka.admin import AdminClient, NewTopic

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))
from jobs import run_all, unique, wait_for  # noqa: E402

PLACE = pathlib.Path(os.environ["INSTALL_DIR"])
JAVA = ["java", "-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC", "-Xmx128m", "-Dorg.slf4j.simpleLogger.defaultLogLevel=error",
        "-cp", f"{PLACE}/libs/*:{PLACE}/classes", "Members"]
PARTITIONS = 12
KINDS = ("native", "librdkafka", "java", "franz")
wait_for = functools.partial(wait_for, limit_s=240)


class Program:
    """The process of one kind of members, and all that they have said."""

    def __init__(self, group, *command, **env):
        self.process = subprocess.Popen(command, env=os.environ | env, cwd=HERE, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.group = group

    def follow(self):
        self.ear = threading.Thread(target=self._hear, daemon=True)
        self.ear.start()

    def _hear(self):
        for line in self.process.stdout:
            # What a killed one was about to say is not said.
            if line.endswith("\n"):
                self.group.hear(line.split())

    def tell(self, *words):
        self.process.stdin.write(" ".join(words) + "\n")
        self.process.stdin.flush()

    def kill(self):
        """Returns when all that it said is heard."""
        self.process.kill()
        self.process.wait()
        self.ear.join()

    def end(self):
        self.process.stdin.close()
        assert self.process.wait(timeout=120) == 0, f"a program ended with {self.process.returncode}"


class Group:
    """What the members of one group have seen, and who has which partitions."""

    def __init__(self):
        self.lock = threading.Lock()
        self.seen = collections.defaultdict(list)  # value -> who saw it
        self.at = {}  # value -> its partition and offset
        self.order = collections.defaultdict(list)  # partition -> offsets as they were seen
        self.by, self.seen_by = collections.Counter(), collections.Counter()
        self.assigned, self.left, self.failed = {}, set(), []
        self.programs = {"native": Program(self, PLACE / "group_member")}
        self.bootstrap = self.programs["native"].process.stdout.readline().split()[1]
        remote = {"librdkafka": [sys.executable, "members.py"], "java": JAVA, "franz": [PLACE / "members"]}
        for kind, command in remote.items():
            self.programs[kind] = Program(self, *command, BOOTSTRAP=self.bootstrap)
        for program in self.programs.values():
            program.follow()
        self.name, self.topic, self.members = unique("group"), unique("topic"), {}
        self.admin = AdminClient({"bootstrap.servers": self.bootstrap})
        self.admin.create_topics([NewTopic(self.topic, PARTITIONS, 1)])[self.topic].result(15)

    def hear(self, words):
        with self.lock:
            match words:
                case ["record", member, partition, offset, value]:
                    self.seen[value].append(member)
                    self.at[value] = int(partition), int(offset)
                    self.order[int(partition)].append(int(offset))
                    self.by[member.split("-")[0]] += 1
                    self.seen_by[member] += 1
                case ["assigned", member, *partitions]:
                    self.assigned[member] = [int(p) for p in "".join(partitions).split(",") if p]
                case ["left", member]:
                    self.left.add(member)
                case _:
                    self.failed.append(" ".join(words))

    def join(self, kind, protocol):
        name = unique(kind)
        self.members[name] = kind
        # Of the clients here it is Java's that leaves patterns to the broker.
        protocol = "consumer" if protocol == "pattern" and kind != "java" else protocol
        self.programs[kind].tell("join", name, self.name, protocol, self.topic)
        return name

    def leave(self, name):
        self.programs[self.members.pop(name)].tell("leave", name)
        wait_for(f"{name} has left", lambda: self.healthy() and name in self.left)

    def healthy(self):
        assert not self.failed, self.failed[0]
        return True

    def shared(self):
        """Waits until the members have all partitions, none of them twice, and nothing is left to be moved."""
        def right():
            self.healthy()
            with self.lock:
                each = [self.assigned.get(name, []) for name in self.members]
            sizes = [len(owned) for owned in each]
            is_even = max(sizes) - min(sizes) <= 1
            return is_even and sorted(p for owned in each for p in owned) == list(range(PARTITIONS)) and self.stable()
        try:
            wait_for(f"{PARTITIONS} partitions shared by {len(self.members)} members", right)
        except AssertionError as error:
            raise AssertionError(f"{error}: { {name: self.assigned.get(name) for name in self.members} }") from None
        self.progress()

    def stable(self):
        described = self.admin.describe_consumer_groups([self.name])[self.name].result(15)
        return described.state.name == "STABLE" and len(described.members) == len(self.members)

    def progress(self):
        """Waits until a record more is seen."""
        with self.lock:
            before = len(self.seen)
        wait_for("more records are seen", lambda: self.healthy() and len(self.seen) > before)

    def committed(self):
        """Partition -> the offset that the group goes on from."""
        answer = self.admin.list_consumer_group_offsets([ConsumerGroupTopicPartitions(self.name)])[self.name].result(30)
        return {each.partition: each.offset for each in answer.topic_partitions if each.offset > 0}

    def have_committed(self, partitions, before):
        committed = self.committed()
        return all(committed.get(partition, 0) > before.get(partition, 0) for partition in partitions)

    def kill_members(self, kind):
        """Ends their process in the midst of it. Returns what may be seen again: (member, partition) -> from which offset."""
        names = [name for name, of in self.members.items() if of == kind]
        theirs = [partition for name in names for partition in self.assigned[name]]
        before = self.committed()
        wait_for("they commit what they see of each partition", lambda: self.healthy() and self.have_committed(theirs, before))
        self.programs.pop(kind).kill()
        committed = self.committed()
        for name in names:
            del self.members[name]
        return {(name, partition): committed[partition] for name in names for partition in self.assigned[name]}

    def check(self, sent, again=None):
        """`again` is what members that were killed may have seen in vain; of all else nothing is seen twice."""
        wait_for(f"all {sent} records are seen", lambda: self.healthy() and len(self.seen) >= sent)
        again = again or {}

        def in_vain(value, who):
            partition, offset = self.at[value]
            return len(who) == 2 and any(offset >= again.get((name, partition), sent) for name in who)

        twice = {value: who for value, who in self.seen.items() if len(who) > 1 and not in_vain(value, who)}
        assert not twice, f"{len(twice)} records were seen more than once: {list(twice.items())[:3]}"
        assert self.seen.keys() == {str(n) for n in range(sent)}, "records that nobody has sent"
        for partition, offsets in self.order.items():
            assert sorted(set(offsets)) == list(range(len(set(offsets)))), f"holes in partition {partition}"
        assert all(self.by[kind] for kind in KINDS), f"a kind of members has seen nothing: {self.by}"

    def end(self):
        for program in self.programs.values():
            program.end()

    def kill(self):
        for program in self.programs.values():
            program.process.kill()
            program.process.wait()


class Sender(threading.Thread):
    """Sends numbers to all partitions until it is stopped."""

    def __init__(self, group):
        super().__init__(daemon=True)
        self.stops = threading.Event()
        self.sent, self.trouble = 0, []
        self.producer = Producer({"bootstrap.servers": group.bootstrap, "enable.idempotence": True, "linger.ms": 5})
        self.topic = group.topic
        self.start()

    def delivered(self, error, _):
        if error:
            self.trouble.append(error)

    def run(self):
        while not self.stops.is_set():
            for _ in range(20):
                self.producer.produce(self.topic, value=str(self.sent).encode(), partition=self.sent % PARTITIONS,
                                      on_delivery=self.delivered)
                self.sent += 1
            self.producer.poll(0)
            time.sleep(0.02)

    def stop(self):
        self.stops.set()
        self.join()
        assert self.producer.flush(30) == 0 and not self.trouble, self.trouble
        return self.sent


def comes_and_goes(protocol_of):
    """Members of all kinds join one after the other, twice; between, each first one leaves and comes again."""
    group = Group()
    try:
        sender = Sender(group)
        first = []
        for kind in KINDS:
            first.append(group.join(kind, protocol_of(0)))
            group.shared()
        second = [group.join(kind, protocol_of(1)) for kind in KINDS]
        group.shared()
        for name in first:
            group.leave(name)
        group.shared()
        third = [group.join(kind, protocol_of(2)) for kind in reversed(KINDS)]
        for name in second[:2]:
            group.leave(name)
        group.shared()
        for name in second[2:]:
            group.leave(name)
            group.shared()
        for name in third[:3]:
            group.leave(name)
        group.shared()
        group.check(sender.stop())
        group.leave(third[3])
        group.end()
    finally:
        group.kill()


def job_classic():
    comes_and_goes(lambda _: "classic")


def job_cooperative():
    comes_and_goes(lambda _: "cooperative")


def job_consumer():
    comes_and_goes(lambda _: "consumer")


def job_pattern():
    comes_and_goes(lambda _: "pattern")


def job_switch():
    comes_and_goes(lambda generation: ("cooperative", "consumer", "cooperative")[generation])


def job_share():
    """Members of a share group have no partitions of their own: each record goes to whoever is there."""
    group = Group()

    def each_sees_more(names):
        with group.lock:
            before = {name: group.seen_by[name] for name in names}
        for name in names:
            wait_for(f"{name} sees more records", lambda: group.healthy() and group.seen_by[name] > before[name])

    try:
        members = [group.join(kind, "share") for kind in KINDS]
        sender = Sender(group)
        each_sees_more(members)
        for _ in range(3):
            members += [group.join(kind, "share") for kind in KINDS]
            each_sees_more(members)
            for name in members[:len(KINDS)]:
                group.leave(name)
            members = members[len(KINDS):]
            each_sees_more(members)
        group.check(sender.stop())
        for name in members:
            group.leave(name)
        group.end()
    finally:
        group.kill()


def killed(protocol, kind):
    """Two members die without a word, while they read; when their sessions have ended, the others have their partitions."""
    group = Group()
    try:
        sender = Sender(group)
        for each in (*KINDS, kind):
            group.join(each, protocol)
        group.shared()
        again = group.kill_members(kind)
        group.shared()
        group.check(sender.stop(), again)
        for name in list(group.members):
            group.leave(name)
        group.end()
    finally:
        group.kill()


def job_killed():
    killed("classic", "franz")
    killed("cooperative", "librdkafka")
    killed("consumer", "java")


if __name__ == "__main__":
    run_all(globals())
