"""kcat, the command line client on librdkafka, as people use it in scripts."""

import json
import pathlib
import subprocess
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))
from jobs import BOOTSTRAP, NotApplicable, run_all, unique, wait_for  # noqa: E402


def kcat(*arguments, stdin=b"", limit_s=60):
    done = subprocess.run(["kcat", "-b", BOOTSTRAP, *arguments], input=stdin, capture_output=True, timeout=limit_s)
    assert done.returncode == 0, done.stderr.decode()[-500:]
    return done.stdout


def produce(topic, lines, *arguments):
    kcat("-P", "-t", topic, "-p", "0", *arguments, stdin="".join(f"{line}\n" for line in lines).encode())


def consume(topic, *arguments):
    output = kcat("-C", "-t", topic, "-p", "0", "-o", "beginning", "-e", "-q", "-J", *arguments)
    return [json.loads(line) for line in output.splitlines()]


def round_trip(*arguments):
    topic = unique("kcat")
    lines = [f"k{i}:value {i} " + "x" * 100 for i in range(100)]
    produce(topic, lines, "-K", ":", *arguments)
    assert [f"{m['key']}:{m['payload']}" for m in consume(topic)] == lines


def listed(topic=None):
    arguments = ["-t", topic] if topic else []
    return json.loads(kcat("-L", "-J", *arguments))["topics"]


def job_create_topics():
    # kcat has no command for it: asking for a topic's metadata creates it, as auto.create.topics.enable says.
    topic = unique("kcat")
    produce(topic, ["x"])
    assert [t["topic"] for t in listed(topic)] == [topic]
    assert len(listed(topic)[0]["partitions"]) == 1


def job_produce_none():
    round_trip("-z", "none")


def job_produce_gzip():
    round_trip("-z", "gzip")


def job_produce_snappy():
    round_trip("-z", "snappy")


def job_produce_lz4():
    round_trip("-z", "lz4")


def job_produce_zstd():
    round_trip("-z", "zstd")


def job_keys_headers_nulls():
    topic = unique("kcat")
    produce(topic, ["key:value"], "-K", ":", "-H", "a=1", "-H", "b=")
    produce(topic, ["gone:"], "-K", ":", "-Z")
    first, null = consume(topic)
    assert (first["key"], first["payload"], first["headers"]) == ("key", "value", ["a", "1", "b", ""]), first
    assert (null["key"], null["payload"]) == ("gone", None), null


def job_large_values():
    topic = unique("kcat")
    with tempfile.NamedTemporaryFile() as file:
        file.write(b"v" * 1_000_000)
        file.flush()
        kcat("-P", "-t", topic, "-p", "0", "-X", "message.max.bytes=1048000", file.name)
    assert len(consume(topic)[0]["payload"]) == 1_000_000


def job_timestamps():
    topic = unique("kcat")
    produce(topic, ["a", "b", "c"])
    stamps = [m["ts"] for m in consume(topic)]
    assert all(ts > 1_600_000_000_000 for ts in stamps)
    found = kcat("-Q", "-t", f"{topic}:0:{stamps[0]}").decode().split()
    assert found[-1] == "0", found
    later = [m["payload"] for m, stamp in zip(consume(topic), stamps) if stamp >= stamps[1]]
    assert kcat("-C", "-t", topic, "-p", "0", "-o", f"s@{stamps[1]}", "-e", "-q").decode().split() == later


def job_idempotent():
    round_trip("-X", "enable.idempotence=true")


def job_acks_0():
    round_trip("-X", "acks=0")


def job_acks_1():
    round_trip("-X", "acks=1")


def job_acks_all():
    round_trip("-X", "acks=all")


def job_seek():
    topic = unique("kcat")
    produce(topic, [str(i) for i in range(10)])
    assert kcat("-C", "-t", topic, "-p", "0", "-o", "7", "-e", "-q").split() == [b"7", b"8", b"9"]
    assert kcat("-C", "-t", topic, "-p", "0", "-o", "-2", "-e", "-q").split() == [b"8", b"9"]


class Member:
    """A `kcat -G` that runs until it is stopped, and says on stderr what it was assigned."""

    def __init__(self, group, topic, *settings):
        self.log = tempfile.NamedTemporaryFile()
        self.process = subprocess.Popen(
            ["kcat", "-b", BOOTSTRAP, "-X", "session.timeout.ms=6000", "-X", "heartbeat.interval.ms=300",
             *settings, "-G", group, topic], stdout=subprocess.DEVNULL, stderr=self.log)

    def assigned(self):
        """The partitions of the last assignment that kcat told of."""
        last = None
        for line in open(self.log.name):
            if "assigned:" in line:
                last = line.split("assigned:")[1].count("[")
        return last

    def stop(self):
        self.process.terminate()
        self.process.wait(30)


def job_groups():
    topic, group = unique("kcat"), unique("group")
    # A topic of several partitions comes from nowhere in kcat, so its members share two topics by name.
    other = unique("kcat")
    produce(topic, ["x"])
    produce(other, ["x"])
    first = Member(group, f"^({topic}|{other})$", "-X", "partition.assignment.strategy=roundrobin")
    wait_for("the first member has both", lambda: first.assigned() == 2)
    second = Member(group, f"^({topic}|{other})$", "-X", "partition.assignment.strategy=roundrobin")
    wait_for("each has one", lambda: first.assigned() == 1 and second.assigned() == 1)
    second.stop()
    wait_for("the first has both again", lambda: first.assigned() == 2)
    first.stop()


def job_static_members():
    topic, group = unique("kcat"), unique("group")
    produce(topic, ["x"])
    for _ in range(2):
        member = Member(group, topic, "-X", "group.instance.id=one")
        wait_for("the static member has the partition", lambda: member.assigned() == 1)
        member.stop()


def job_groups_848():
    raise NotApplicable("kcat 1.7 takes partitions in its rebalance callback as the classic protocol gives them")


def job_cooperative():
    raise NotApplicable("kcat 1.7 assigns eagerly in its rebalance callback, whatever the strategy")


def job_commit_resume():
    topic, group = unique("kcat"), unique("group")
    produce(topic, [str(i) for i in range(10)])
    settings = ["-X", "auto.offset.reset=earliest"]
    first = kcat(*settings, "-c", "6", "-q", "-G", group, topic)
    assert first.split() == [b"0", b"1", b"2", b"3", b"4", b"5"], first
    second = kcat(*settings, "-e", "-q", "-G", group, topic)
    assert second.split() == [b"6", b"7", b"8", b"9"], second


def not_in_kcat():
    raise NotApplicable("kcat has no command for it")


job_describe_groups = job_delete_records = job_delete_groups = not_in_kcat
job_transactions = job_configs = job_delete_topics = not_in_kcat

run_all(globals())
