"""Kafka's own command line tools, as people use them in scripts."""

import atexit
import datetime
import json
import os
import pathlib
import re
import subprocess
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))
from jobs import BOOTSTRAP, run_all, unique, wait_for  # noqa: E402

from driver import TOOLS, Driver, java  # noqa: E402

PLACE = os.environ["INSTALL_DIR"]
JAVA = java(PLACE)
driver = Driver(PLACE, BOOTSTRAP)
run = driver.run


def new_topic(partitions=1, *arguments):
    topic = unique("tools")
    out = run("TopicCommand", "--create", "--topic", topic, "--partitions", partitions, *arguments)
    assert f"Created topic {topic}." in out, out
    return topic


def produce(topic, lines, *arguments):
    run("ConsoleProducer", "--topic", topic, *arguments, stdin="".join(f"{line}\n" for line in lines))


def consume(topic, count, *arguments, start=("--partition", 0, "--offset", "earliest")):
    out = run("consumer.ConsoleConsumer", "--topic", topic, "--max-messages", count, "--timeout-ms", 20_000, *start, *arguments)
    lines = out.splitlines()
    assert len(lines) == count, f"{len(lines)} of {count} records came"
    return lines


def shown(*names):
    return [argument for name in names for argument in ("--formatter-property", f"print.{name}=true")]


def offset_at(topic, time):
    return run("GetOffsetShell", "--topic-partitions", f"{topic}:0", "--time", time).strip()


def round_trip(*arguments):
    topic = new_topic()
    lines = [f"k{i}\tvalue {i} " + "x" * 100 for i in range(100)]
    produce(topic, lines, "--reader-property", "parse.key=true", *arguments)
    assert consume(topic, 100, *shown("key")) == lines


def job_create_topics():
    topic = new_topic(3)
    assert topic in run("TopicCommand", "--list").splitlines()
    described = run("TopicCommand", "--describe", "--topic", topic)
    assert "PartitionCount: 3" in described and described.count("Leader: ") == 3, described
    again = run("TopicCommand", "--create", "--topic", topic, "--partitions", 3, expected=1)
    assert "already exists" in again, again
    versions = run("BrokerApiVersionsCommand")
    assert re.search(r"Produce\(0\): \d+ to \d+ \[usable: \d+\]", versions), versions


def job_produce_none():
    round_trip("--compression-codec", "none")


def job_produce_gzip():
    round_trip("--compression-codec", "gzip")


def job_produce_snappy():
    round_trip("--compression-codec", "snappy")


def job_produce_lz4():
    round_trip("--compression-codec", "lz4")


def job_produce_zstd():
    round_trip("--compression-codec", "zstd")


def job_keys_headers_nulls():
    topic = new_topic()
    produce(topic, ["a:1,b:2\tkey\tvalue", "a:1\tempty\t", "NONE\tgone\tNONE"], "--reader-property", "parse.key=true",
            "--reader-property", "parse.headers=true", "--reader-property", "null.marker=NONE")
    found = consume(topic, 3, *shown("key", "headers"), "--formatter-property", "null.literal=NONE")
    assert found == ["a:1,b:2\tkey\tvalue", "a:1\tempty\t", "NO_HEADERS\tgone\tNONE"], found


def job_large_values():
    topic = new_topic()
    sent = run("ProducerPerformance", "--topic", topic, "--num-records", 5, "--record-size", 1_000_000, "--throughput", -1)
    assert "5 records sent" in sent, sent
    read = run("ConsumerPerformance", "--topic", topic, "--num-records", 5).splitlines()[-1].split(", ")
    assert (read[4], read[2]) == ("5", f"{5_000_000 / 2**20:.4f}"), read
    told = run("LogDirsCommand", "--describe", "--topic-list", topic).splitlines()
    partitions = [p for d in json.loads(next(line for line in told if line[0] == "{"))["brokers"][0]["logDirs"] for p in d["partitions"]]
    assert [p["partition"] for p in partitions] == [f"{topic}-0"] and partitions[0]["size"] > 5_000_000, partitions


def job_timestamps():
    topic = new_topic()
    start = 1_600_000_000_000
    # It sends its records while its process ends, so it needs one of its own.
    sent = subprocess.run([*JAVA, TOOLS + "VerifiableProducer", "--bootstrap-server", BOOTSTRAP, "--topic", topic, "--max-messages", "10",
                           "--message-create-time", str(start)], check=True, capture_output=True, text=True).stdout
    assert json.loads(sent.splitlines()[-1])["acked"] == 10, sent
    stamps = [int(line.split("\t")[0].removeprefix("CreateTime:")) for line in consume(topic, 10, *shown("timestamp"))]
    assert all(start <= stamp < start + 60_000 for stamp in stamps), stamps
    assert offset_at(topic, start) == f"{topic}:0:0"
    assert offset_at(topic, "max-timestamp") == f"{topic}:0:{stamps.index(max(stamps))}"
    assert offset_at(topic, "earliest") == f"{topic}:0:0"
    assert offset_at(topic, "latest") == f"{topic}:0:10"
    middle = sorted(stamps)[5]
    group, instant = unique("group"), datetime.datetime.fromtimestamp(middle / 1000, datetime.timezone.utc)
    group_command(group, "--topic", topic, "--reset-offsets", "--to-datetime", instant.strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3] + "Z", "--execute")
    left = next(offset for offset, stamp in enumerate(stamps) if stamp >= middle)
    rest = consume(topic, 10 - left, *shown("offset"), start=("--group", group))
    assert rest[0].startswith(f"Offset:{left}\t"), rest


def job_idempotent():
    topic = new_topic()
    lines = [str(i) for i in range(1000)]
    produce(topic, lines, "--command-property", "enable.idempotence=true", "--batch-size", 1000)
    assert consume(topic, 1000) == lines


def job_acks_0():
    round_trip("--request-required-acks", "0", "--command-property", "enable.idempotence=false")


def job_acks_1():
    round_trip("--request-required-acks", "1", "--command-property", "enable.idempotence=false")


def job_acks_all():
    round_trip("--request-required-acks", "all")


def job_seek():
    topic = new_topic()
    produce(topic, range(10))
    assert consume(topic, 3, start=("--partition", 0, "--offset", 7)) == ["7", "8", "9"]


class Member:
    """A VerifiableConsumer that runs until it is stopped, and tells what it is assigned."""

    def __init__(self, group, topic, *arguments, session_timeout_ms=6000):
        self.log = tempfile.NamedTemporaryFile("r")
        # With the consumer protocol the broker says how long a session is.
        session = [] if "--group-protocol" in arguments else ["--session-timeout", str(session_timeout_ms)]
        self.process = subprocess.Popen(
            [*JAVA, TOOLS + "VerifiableConsumer", "--bootstrap-server", BOOTSTRAP, "--group-id", group, "--topic", topic,
             *session, *arguments], stdout=open(self.log.name, "w"))
        atexit.register(self.process.kill)

    def assigned(self):
        """The partitions that it has after all that it told."""
        owned = set()
        for line in open(self.log.name).read().splitlines():
            event = json.loads(line) if line.endswith("}") else {}
            partitions = {p["partition"] for p in event.get("partitions", [])}
            if event.get("name") == "partitions_assigned":
                owned |= partitions
            elif event.get("name") == "partitions_revoked":
                owned -= partitions
        return owned

    def stop(self):
        self.process.terminate()
        self.process.wait(30)


def share(partitions, *members):
    """Waits until all partitions are assigned, none of them twice; returns how many each has."""
    def assigned():
        owned = [partition for member in members for partition in member.assigned()]
        each = [len(member.assigned()) for member in members]
        return sorted(owned) == list(range(partitions)) and min(each) > 0 and each
    return wait_for(f"{partitions} partitions shared by {len(members)} members", assigned)


def job_groups():
    topic, group = new_topic(4), unique("group")
    first = Member(group, topic)
    assert share(4, first) == [4]
    second = Member(group, topic)
    assert share(4, first, second) == [2, 2]
    second.stop()
    assert share(4, first) == [4]
    first.stop()


def job_static_members():
    topic, group = new_topic(2), unique("group")

    def member(instance_id):
        # A new process must have joined before the session of the one before it ends.
        return Member(group, topic, "--group-instance-id", instance_id, session_timeout_ms=30_000)

    first, second = member("one"), member("two")
    share(2, first, second)
    before, events = second.assigned(), first.log.read().count("partitions_assigned")
    second.stop()
    second = member("two")
    share(2, first, second)
    assert second.assigned() == before
    assert open(first.log.name).read().count("partitions_assigned") == events, "the other member was rebalanced"
    second.stop()
    first.stop()


def job_groups_848():
    topic, group = new_topic(4), unique("group")
    protocol = ["--group-protocol", "consumer"]
    first = Member(group, topic, *protocol)
    assert share(4, first) == [4]
    second = Member(group, topic, *protocol)
    assert share(4, first, second) == [2, 2]
    listed = run("consumer.group.ConsumerGroupCommand", "--list", "--type", "consumer")
    assert group in listed.split(), listed
    state = run("consumer.group.ConsumerGroupCommand", "--describe", "--group", group, "--state")
    assert "uniform" in state and "Stable" in state, state
    second.stop()
    assert share(4, first) == [4]
    first.stop()


def job_cooperative():
    topic, group = new_topic(4), unique("group")
    strategy = ["--assignment-strategy", "org.apache.kafka.clients.consumer.CooperativeStickyAssignor"]
    first = Member(group, topic, *strategy)
    share(4, first)
    second = Member(group, topic, *strategy)
    assert share(4, first, second) == [2, 2]
    second.stop()
    first.stop()


def group_command(group, *arguments, **settings):
    return run("consumer.group.ConsumerGroupCommand", "--group", group, *arguments, **settings)


def committed(topic, count):
    """A new group that has read so many records of a topic."""
    group = unique("group")
    consume(topic, count, start=("--group", group, "--from-beginning"))
    return group


def job_commit_resume():
    topic = new_topic()
    produce(topic, range(20))
    group = committed(topic, 12)
    assert consume(topic, 8, start=("--group", group)) == [str(i) for i in range(12, 20)]


def job_describe_groups():
    topic = new_topic()
    produce(topic, range(10))
    group = committed(topic, 4)
    assert group in run("consumer.group.ConsumerGroupCommand", "--list").splitlines()
    fields = group_command(group, "--describe").splitlines()[-1].split()
    assert fields[:6] == [group, topic, "0", "4", "10", "6"], fields
    reset = group_command(group, "--topic", topic, "--reset-offsets", "--to-offset", 2, "--execute")
    assert reset.splitlines()[-1].split() == [group, topic, "0", "2"], reset
    shifted = group_command(group, "--all-topics", "--reset-offsets", "--shift-by", 3, "--dry-run")
    assert shifted.splitlines()[-1].split() == [group, topic, "0", "5"], shifted
    member = Member(group, topic)
    share(1, member)
    assert re.search(rf"{group} .*range +Stable +1", group_command(group, "--describe", "--state"))
    assert f"{topic}:0" in group_command(group, "--describe", "--members", "--verbose")
    member.stop()


def job_delete_records():
    topic = new_topic()
    produce(topic, range(10))
    with tempfile.NamedTemporaryFile("w") as file:
        json.dump({"version": 1, "partitions": [{"topic": topic, "partition": 0, "offset": 6}]}, file)
        file.flush()
        deleted = run("DeleteRecordsCommand", "--offset-json-file", file.name)
    assert "low_watermark: 6" in deleted, deleted
    assert offset_at(topic, "earliest") == f"{topic}:0:6"
    assert consume(topic, 4) == ["6", "7", "8", "9"]


def job_delete_groups():
    topic = new_topic()
    produce(topic, ["x"])
    group = committed(topic, 1)
    assert "was successful" in group_command(group, "--delete")
    assert group not in run("consumer.group.ConsumerGroupCommand", "--list").splitlines()


def rows(out):
    """The rows of a table that a tool prints, under the names of its columns."""
    names, *lines = [re.split(r"\s*\t\s*|\s{2,}", line.strip()) for line in out.splitlines() if line.strip()]
    return [dict(zip(names, line)) for line in lines]


def job_transactions():
    topic, name = new_topic(), unique("transaction")
    sent = run("ProducerPerformance", "--topic", topic, "--num-records", 100, "--record-size", 10, "--throughput", -1,
               "--transactional-id", name, "--transaction-duration-ms", 60_000)
    assert "100 records sent" in sent, sent
    consume(topic, 100, "--isolation-level", "read_committed")
    [listed] = [row for row in rows(run("TransactionsCommand", "list")) if row["TransactionalId"] == name]
    assert listed["TransactionState"] == "CompleteCommit", listed
    [described] = rows(run("TransactionsCommand", "describe", "--transactional-id", name))
    assert (described["ProducerId"], described["TransactionState"]) == (listed["ProducerId"], "CompleteCommit"), described
    [producer] = rows(run("TransactionsCommand", "describe-producers", "--topic", topic, "--partition", 0))
    assert (producer["ProducerId"], producer["CurrentTransactionStartOffset"]) == (listed["ProducerId"], "None"), producer
    assert rows(run("TransactionsCommand", "find-hanging", "--topic", topic)) == []
    copied(topic, 100)


def copied(source, count):
    """The copier of Kafka's own system tests, which aborts a third of its transactions, by chance, and does them again."""
    target, name = new_topic(), unique("copier")
    # It ends its process by itself.
    copier = subprocess.run([*JAVA, TOOLS + "TransactionalMessageCopier", "--broker-list", BOOTSTRAP, "--input-topic", source,
                             "--input-partition", "0", "--output-topic", target, "--max-messages", str(count),
                             "--consumer-group", unique("group"), "--transaction-size", "2", "--transactional-id", name,
                             "--enable-random-aborts", "--use-group-metadata"], capture_output=True, text=True, timeout=240)
    assert copier.returncode == 0, copier.stderr[-1500:]
    read = [consume(topic, count, "--isolation-level", "read_committed") for topic in (source, target)]
    assert read[0] == read[1], "what was copied differs from its source"
    # More than were copied are there for those who also read what was aborted.
    consume(target, count + 1, "--isolation-level", "read_uncommitted")
    [listed] = [row for row in rows(run("TransactionsCommand", "list")) if row["TransactionalId"] == name]
    assert listed["TransactionState"] in ("CompleteCommit", "CompleteAbort"), listed


def job_configs():
    topic = new_topic(1, "--config", "retention.ms=1234567")

    def configs(*arguments):
        return run("kafka.admin.ConfigCommand", "--entity-type", "topics", "--entity-name", topic, *arguments)

    assert "retention.ms=1234567 " in configs("--describe")
    configs("--alter", "--add-config", "segment.bytes=2097152")
    both = configs("--describe")
    assert "retention.ms=1234567 " in both and "segment.bytes=2097152 " in both, both
    configs("--alter", "--delete-config", "retention.ms")
    assert "retention.ms" not in configs("--describe")
    brokers = run("kafka.admin.ConfigCommand", "--entity-type", "brokers", "--describe", "--all")
    assert "log.retention.hours=168 " in brokers, brokers


def job_delete_topics():
    topic = new_topic()
    run("TopicCommand", "--delete", "--topic", topic)
    wait_for("the topic is gone", lambda: topic not in run("TopicCommand", "--list").splitlines())


run_all(globals())
driver.close()
