"""Kafka's tools for administrators, each answer of which is that of Apache Kafka 4.4."""

import json
import os
import pathlib
import socket
import struct
import subprocess
import sys
import tempfile
import time

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent), str(HERE.parent / "kafka-tools"), str(HERE.parent / "differential")]
import records  # noqa: E402
from broker import Broker  # noqa: E402
from driver import TOOLS, Driver, java  # noqa: E402
from jobs import run_all, unique, wait_for  # noqa: E402
from schema import Schemas  # noqa: E402

PLACE = pathlib.Path(os.environ["INSTALL_DIR"])
CLIENTS = "kafka-clients-4.3.1.jar"
NODE = 1
DIRS = [tempfile.TemporaryDirectory(prefix="ottla-admin-") for _ in range(2)]
SETTINGS = {
    "broker.id": NODE,
    "log.dirs": ",".join(directory.name for directory in DIRS),
    # A member that joins need not wait for its second heartbeat.
    "group.share.heartbeat.interval.ms": 1000, "group.share.min.heartbeat.interval.ms": 1000,
    # A producer may write to a partition that its coordinator has never heard of: so did old ones.
    "transaction.partition.verification.enable": "false",
}
SHARE, CONSUMER, CONFIGS = "consumer.group.ShareGroupCommand", "consumer.group.ConsumerGroupCommand", "kafka.admin.ConfigCommand"


def rows(out):
    """The rows of a table that a tool prints, under the names of its columns."""
    lines = [line.rstrip("\n") for line in out.splitlines() if line.strip()]
    if not lines:
        return []
    if "\t" in lines[0]:
        names, *lines = [[cell.strip() for cell in line.split("\t")] for line in lines]
    else:
        # Names that are long leave one space between columns.
        names = lines[0].split()
        lines = [line.split(maxsplit=len(names) - 1) for line in lines[1:]]
        lines = [[cell.strip() for cell in line] for line in lines]
    return [dict(zip(names, line)) for line in lines]


def new_topic(partitions=1, count=0):
    topic = unique("admin")
    run("TopicCommand", "--create", "--topic", topic, "--partitions", partitions)
    if count:
        run("ConsoleProducer", "--topic", topic, stdin="".join(f"{i}\n" for i in range(count)))
    return topic


def set_group(group, *change):
    out = run(CONFIGS, "--entity-type", "groups", "--entity-name", group, "--alter", *change)
    assert f"Completed updating config for group {group}." in out, out


class Member:
    """A console consumer that reads until it is stopped."""

    def __init__(self, tool, group, topic, *more):
        self.process = subprocess.Popen([*java(PLACE), TOOLS + tool, "--bootstrap-server", bootstrap, "--group", group,
                                         "--topic", topic, *more], stdout=subprocess.DEVNULL)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.terminate()
        self.process.wait(30)


def job_share_groups():
    topic, group = new_topic(1, 5), unique("share")
    set_group(group, "--add-config", "share.auto.offset.reset=earliest")
    of = lambda *arguments: run(SHARE, "--group", group, *arguments)
    with Member("consumer.ConsoleShareConsumer", group, topic):
        described = wait_for("the member has its partition", lambda: [
            row for row in rows(of("--describe", "--members")) if row.get("ASSIGNMENT") == f"{topic}:0"])
        assert described[0]["GROUP"] == group, described
        assert group in run(SHARE, "--list").split()
        [state] = rows(of("--describe", "--state"))
        assert (state["STATE"], state["#MEMBERS"]) == ("Stable", "1"), state
        wait_for("all is read", lambda: [row for row in rows(of("--describe", "--offsets")) if row["LAG"] == "0"])
    wait_for("the member has left", lambda: "Empty" in of("--describe", "--state"))
    [row] = rows(of("--describe", "--offsets", "--verbose"))
    assert (row["TOPIC"], row["PARTITION"], row["LEADER-EPOCH"], row["LAG"]) == (topic, "0", "0", "0"), row
    for how in ("--dry-run", "--execute"):
        [row] = rows(of("--reset-offsets", "--topic", topic, "--to-earliest", how))
        assert (row["GROUP"], row["TOPIC"], row["PARTITION"], row["NEW-OFFSET"]) == (group, topic, "0", "0"), row
    [row] = rows(of("--describe"))
    assert (row["START-OFFSET"], row["LAG"]) == ("0", "5"), row
    read = run("consumer.ConsoleShareConsumer", "--group", group, "--topic", topic, "--max-messages", 5, "--timeout-ms", 20_000)
    assert read.split() == ["0", "1", "2", "3", "4"], read
    assert rows(of("--delete-offsets", "--topic", topic)) == [{"TOPIC": topic, "STATUS": "Successful"}]
    again = rows(of("--delete-offsets", "--topic", topic))
    assert again == [{"TOPIC": topic, "STATUS": "Error: There is no offset information to delete."}], again
    assert "was successful" in of("--delete")
    assert group not in run(SHARE, "--list").split()


def job_consumer_groups():
    topic, group = new_topic(2, 6), unique("consumer")
    of = lambda *arguments: run(CONSUMER, "--group", group, *arguments)
    total = lambda column: sum(int(row[column]) for row in rows(of("--describe")) if row[column].isdigit())
    with Member("consumer.ConsoleConsumer", group, topic, "--from-beginning", "--command-property", "group.protocol=consumer",
                "--command-property", "auto.commit.interval.ms=200"):
        wait_for("all is read and committed", lambda: total("CURRENT-OFFSET") == 6)
        [state] = rows(of("--describe", "--state"))
        assert (state["ASSIGNMENT-STRATEGY"], state["STATE"], state["#MEMBERS"]) == ("uniform", "Stable", "1"), state
        [row] = rows(of("--describe", "--members", "--verbose"))
        assert (row["#PARTITIONS"], row["CURRENT-ASSIGNMENT"]) == ("2", f"{topic}:0,1"), row
        assert row["CURRENT-EPOCH"] == row["TARGET-EPOCH"], row
        refused = of("--reset-offsets", "--topic", topic, "--to-earliest", "--execute")
        assert "can only be reset if the group" in refused and "is inactive" in refused, refused
        refused = of("--delete")
        assert "GroupNotEmptyException" in refused, refused
        refused = of("--delete-offsets", "--topic", topic)
        assert refused.count("actively subscribed") == 2, refused
    wait_for("the member has left", lambda: "Empty" in of("--describe", "--state"))
    for how in ("--dry-run", "--execute"):
        moved = rows(of("--reset-offsets", "--topic", topic, "--to-earliest", how))
        # In the order of Java's hashes, which the name of the topic decides.
        assert sorted((row["GROUP"], row["TOPIC"], row["PARTITION"], row["NEW-OFFSET"]) for row in moved) == [
            (group, topic, str(partition), "0") for partition in (0, 1)], moved
    assert (total("CURRENT-OFFSET"), total("LAG")) == (0, 6)
    run(CONSUMER, "--group", group, "--reset-offsets", "--topic", f"{topic}:1", "--to-latest", "--execute")
    deleted = of("--delete-offsets", "--topic", f"{topic}:0")
    assert deleted.split()[-3:] == [topic, "0", "Successful"], deleted
    [row] = [row for row in rows(of("--describe")) if row["CURRENT-OFFSET"].isdigit()]
    assert (row["PARTITION"], row["LAG"]) == ("1", "0"), row
    assert "was successful" in of("--delete")
    assert group not in run(CONSUMER, "--list").split()


def job_group_types():
    topic = new_topic(1, 2)
    names = {kind: unique(kind.lower()) for kind in ("Share", "Consumer", "Classic")}
    set_group(names["Share"], "--add-config", "share.auto.offset.reset=earliest")
    read = ["--topic", topic, "--max-messages", 2, "--timeout-ms", 20_000]
    run("consumer.ConsoleShareConsumer", "--group", names["Share"], *read)
    for kind in ("Consumer", "Classic"):
        run("consumer.ConsoleConsumer", "--group", names[kind], "--from-beginning", "--command-property",
            f"group.protocol={kind.lower()}", *read)
    listed = {row["GROUP"]: row["TYPE"] for row in rows(run("GroupsCommand", "--list"))}
    assert all(listed[name] == kind for kind, name in names.items()), listed
    assert [row["GROUP"] for row in rows(run("GroupsCommand", "--list", "--share"))].count(names["Share"]) == 1
    of_consumers = run(CONSUMER, "--list").split()
    assert names["Share"] not in of_consumers and {names["Consumer"], names["Classic"]} <= set(of_consumers), of_consumers
    assert not {names["Consumer"], names["Classic"]} & set(run(SHARE, "--list").split())
    [row] = rows(run(CONSUMER, "--describe", "--group", names["Consumer"]))
    assert (row["TOPIC"], row["CURRENT-OFFSET"], row["LAG"]) == (topic, "2", "0"), row
    other = run(SHARE, "--describe", "--group", names["Classic"])
    assert "GroupIdNotFoundException" in other, other


def ask(api, version, **values):
    """Asks as no client of Kafka's does."""
    frame = schemas.request(api, version, 1, "admin-tools", values)
    host, port = bootstrap.split(":")
    with socket.create_connection((host, int(port)), timeout=20) as stream:
        stream.sendall(struct.pack(">i", len(frame)) + frame)
        answer = stream.makefile("rb")
        (size,) = struct.unpack(">i", answer.read(4))
        return schemas.response(api, version, answer.read(size)[4:])


def producing(topic, age_ms):
    """A transaction of so old a record: its name, and the producer's id."""
    name = unique("transaction")
    ask("FindCoordinator", 4, keyType=1, coordinatorKeys=[name])
    given = wait_for("a producer id", lambda: [a for a in [ask("InitProducerId", 4, transactionalId=name, transactionTimeoutMs=60_000)]
                                                if a["errorCode"] == 0])[0]
    batch = records.batch([b"x"], producer_id=given["producerId"], producer_epoch=given["producerEpoch"], sequence=0,
                          attributes=records.TRANSACTIONAL, timestamp=int(time.time() * 1000) - age_ms)
    return name, given, [{"name": topic, "partitionData": [{"index": 0, "records": batch}]}]


def produce(name, data):
    answer = ask("Produce", 9, transactionalId=name, acks=-1, timeoutMs=10_000, topicData=data)
    assert answer["responses"][0]["partitionResponses"][0]["errorCode"] == 0, answer


def job_hanging():
    topic = new_topic()
    name, given, data = producing(topic, 3_600_000)
    produce(name, data)
    [found] = rows(run("TransactionsCommand", "find-hanging", "--topic", topic))
    assert (found["Topic"], found["ProducerId"], found["StartOffset"]) == (topic, str(given["producerId"]), "0"), found
    assert int(found["Duration(min)"]) >= 60, found
    [by_broker] = rows(run("TransactionsCommand", "find-hanging", "--broker-id", NODE))
    assert by_broker["Topic"] == topic, by_broker
    run("TransactionsCommand", "abort", "--topic", topic, "--partition", 0, "--start-offset", 0)
    assert rows(run("TransactionsCommand", "find-hanging", "--topic", topic)) == []
    [left] = rows(run("TransactionsCommand", "describe-producers", "--topic", topic, "--partition", 0))
    assert left["CurrentTransactionStartOffset"] == "None", left
    again = run("TransactionsCommand", "abort", "--topic", topic, "--partition", 0, "--start-offset", 0, expected=1)
    assert "Could not find any open transactions starting at offset 0" in again, again


def job_transactions():
    topic = new_topic()
    name, given, data = producing(topic, 0)
    ask("AddPartitionsToTxn", 3, v3AndBelowTransactionalId=name, v3AndBelowProducerId=given["producerId"],
        v3AndBelowProducerEpoch=given["producerEpoch"], v3AndBelowTopics=[{"name": topic, "partitions": [0]}])
    produce(name, data)
    state = lambda: rows(run("TransactionsCommand", "describe", "--transactional-id", name))[0]
    assert (state()["TransactionState"], state()["TopicPartitions"]) == ("Ongoing", f"{topic}-0"), state()
    [listed] = [row for row in rows(run("TransactionsCommand", "list", "--transactional-id-pattern", f"{name}|x"))]
    assert (listed["TransactionalId"], listed["TransactionState"]) == (name, "Ongoing"), listed
    assert rows(run("TransactionsCommand", "list", "--duration-filter", 3_600_000, "--transactional-id-pattern", name)) == []
    run("TransactionsCommand", "forceTerminateTransaction", "--transactionalId", name)
    wait_for("it is aborted", lambda: state()["TransactionState"] in ("CompleteAbort", "Empty"))
    [producer] = rows(run("TransactionsCommand", "describe-producers", "--topic", topic, "--partition", 0))
    assert producer["CurrentTransactionStartOffset"] == "None", producer


def job_log_dirs():
    topic = new_topic(2, 3000)

    def where():
        told = run("LogDirsCommand", "--describe", "--topic-list", topic, "--broker-list", NODE).splitlines()
        [broker] = json.loads(next(line for line in told if line[0] == "{"))["brokers"]
        return {p["partition"]: d["logDir"] for d in broker["logDirs"] for p in d["partitions"] if not p["isFuture"]}

    def move(directory):
        partitions = [{"topic": topic, "partition": p, "replicas": [NODE], "log_dirs": [directory]} for p in (0, 1)]
        with tempfile.NamedTemporaryFile("w") as plan:
            json.dump({"version": 1, "partitions": partitions}, plan)
            plan.flush()
            reassign = lambda *how: run("reassign.ReassignPartitionsCommand", "--reassignment-json-file", plan.name, *how)
            started = reassign("--execute")
            assert f"Successfully started partition reassignments for {topic}-0,{topic}-1" in started, started
            told = wait_for("both are moved", lambda: [t for t in [reassign("--verify")] if t.count("completed successfully") == 2])[0]
            assert f"Reassignment of partition {topic}-0 is completed." in told, told

    assert sorted(where()) == [f"{topic}-0", f"{topic}-1"], where()
    for directory in DIRS:
        move(directory.name)
        assert set(where().values()) == {directory.name}, where()
    assert "No partition reassignments found." in run("reassign.ReassignPartitionsCommand", "--list")
    read = run("consumer.ConsoleConsumer", "--topic", topic, "--from-beginning", "--max-messages", 3000, "--timeout-ms", 20_000)
    assert sorted(map(int, read.split())) == list(range(3000))


def job_group_configs():
    group = unique("group")
    of = lambda *arguments: run(CONFIGS, "--entity-type", "groups", *arguments)
    set_group(group, "--add-config", "share.auto.offset.reset=earliest,consumer.session.timeout.ms=50000")
    named = of("--entity-name", group, "--describe")
    assert "share.auto.offset.reset=earliest " in named and "consumer.session.timeout.ms=50000 " in named, named
    assert f"Dynamic configs for group {group} are:" in of("--describe")
    set_group(group, "--delete-config", "share.auto.offset.reset")
    assert "share.auto.offset.reset" not in of("--entity-name", group, "--describe")
    set_group(group, "--delete-config", "consumer.session.timeout.ms")
    assert group not in of("--describe")


with Broker(os.environ["OTTLA"], PLACE.parent / "admin-tools.broker.log", **SETTINGS) as broker:
    bootstrap = broker.bootstrap
    schemas = Schemas([PLACE / "libs" / CLIENTS])
    driver = Driver(PLACE, bootstrap)
    run = driver.run
    run_all(globals())
    driver.close()
for directory in DIRS:
    directory.cleanup()
