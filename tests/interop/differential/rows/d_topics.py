"""Metadata, DescribeCluster, DescribeTopicPartitions, and what makes and changes topics."""

import uuid

from records import batch
from rows import every_version

UNKNOWN_ID = uuid.UUID("12345678-1234-1234-1234-123456789012")


@every_version("Metadata")
def metadata(ask, c, v):
    one, three = ask.topic(), ask.topic(partitions=3)
    ask.led(ask.connect(), "__consumer_offsets", 4)
    send = lambda name, *topics, **more: c(name, "Metadata", v, topics=[{"name": t} for t in topics], **more)
    send("one topic", one)
    send("S-106 several topics, one of them internal", one, three, "__consumer_offsets")
    send("S-108 S-109 a topic twice", one, one)
    if v > 0:
        send("S-101 none")
    send("S-102 an unknown topic, not to be made", "never-made", allowAutoTopicCreation=v < 4) if v >= 4 else None
    for bad in ("a b", "", ".", "..", "a/b", "x" * 250, "ä"):
        send(f"S-103 the name {bad[:9]!r}", bad)
    send("S-110 authorized operations", one, includeClusterAuthorizedOperations=True, includeTopicAuthorizedOperations=True)
    if v >= 10:
        ids = lambda name, *topics: c(name, "Metadata", v, topics=[{"name": n, "topicId": i} for n, i in topics])
        topic_id = ask.topic_id(one)
        if v >= 12:
            ids("S-104 by id", (None, topic_id))
            ids("S-104 by an unknown id", (None, UNKNOWN_ID))
            ids("S-104 by both", (one, topic_id))
            ids("S-104 by neither", (None, uuid.UUID(int=0)))
            ids("S-104 by ids and names", (None, topic_id), (None, UNKNOWN_ID))
        else:
            ids("S-104 an id before its time", (one, topic_id))


@every_version("Metadata", first=1)
def all_topics(ask, c, v):
    answer = c.unasked("Metadata", v, topics=None)
    names = answer.map(lambda a: sorted(t["name"] for t in a["topics"]))
    ask.row("Metadata", v, "S-101 all topics", names.map(lambda n: {"names": n}))


@every_version("Metadata")
def auto_creation(ask, c, v):
    name = ask.name("auto")
    c("S-102 an unknown topic, to be made", "Metadata", v, topics=[{"name": name}], allowAutoTopicCreation=True)
    ask.led(ask.connect(), name, 2)
    c("S-102 asked again", "Metadata", v, topics=[{"name": name}], allowAutoTopicCreation=True)


@every_version("DescribeCluster")
def describe_cluster(ask, c, v):
    c("S-113 the brokers", "DescribeCluster", v)
    c("S-110 authorized operations", "DescribeCluster", v, includeClusterAuthorizedOperations=True)
    if v > 0:
        for kind in (0, 2, 3, -1):
            c(f"S-113 endpoint type {kind}", "DescribeCluster", v, endpointType=kind)
    c("with fenced brokers", "DescribeCluster", v, includeFencedBrokers=True)


@every_version("DescribeTopicPartitions")
def describe_topic_partitions(ask, c, v):
    one, three = ask.topic(), ask.topic(partitions=3)
    send = lambda name, *topics, **more: c(name, "DescribeTopicPartitions", v, topics=[{"name": t} for t in topics],
                                           **{"responsePartitionLimit": 2000, **more})
    send("S-114 two topics", one, three)
    send("S-114 a limit", one, three, responsePartitionLimit=2)
    send("S-114 from a cursor on", one, three, cursor={"topicName": three, "partitionIndex": 1})
    send("S-114 a cursor beyond the partitions", three, cursor={"topicName": three, "partitionIndex": 9})
    send("S-114 a cursor after all topics", one, cursor={"topicName": "zzz", "partitionIndex": 0})
    send("S-114 a cursor with a negative partition", one, cursor={"topicName": one, "partitionIndex": -1})
    send("an unknown topic", one, "no-such-topic")
    send("a bad name", "a b")
    send("a limit of 0", three, responsePartitionLimit=0)
    send("a topic twice", one, one)


@every_version("CreateTopics")
def create_topics(ask, c, v):
    def topic(name=None, partitions=1, replicas=1, configs=(), assignments=(), **more):
        return {"name": name or ask.name("new"), "numPartitions": partitions, "replicationFactor": replicas,
                "configs": [{"name": n, "value": x} for n, x in configs],
                "assignments": [{"partitionIndex": p, "brokerIds": b} for p, b in assignments], **more}

    def send(name, *topics, **more):
        return c(name, "CreateTopics", v, topics=list(topics), **{"timeoutMs": 10000, **more})

    old = ask.topic()
    dotted = ask.topic(name=f"dot.{ask.name()}")
    send("S-194 plain", topic())
    send("three partitions, two settings", topic(partitions=3, configs=[("cleanup.policy", "compact"), ("retention.ms", "-1")]))
    for bad in ("", ".", "..", "a b", "a/b", "ä", "x" * 250):
        send(f"S-192 the name {bad[:9]!r}", topic(bad) if bad else {**topic("x"), "name": ""})
    send("S-192 the longest name", topic(f"{ask.name()}-".ljust(249, "x")))
    send("S-193 there already", topic(old))
    send("S-193 a name that collides", topic(dotted.replace(".", "_")))
    for count in (0, -2, -3):
        send(f"S-194 {count} partitions", topic(partitions=count))
    for count in (0, -2, 2, 99):
        send(f"S-194 {count} replicas", topic(replicas=count))
    send("S-194 the broker's own numbers", topic(partitions=-1, replicas=-1))
    send("S-195 an assignment", topic(partitions=-1, replicas=-1, assignments=[(0, [1]), (1, [1])]))
    send("S-195 an assignment and numbers", topic(partitions=2, replicas=-1, assignments=[(0, [1])]))
    send("S-195 an assignment and replicas", topic(partitions=-1, replicas=1, assignments=[(0, [1])]))
    send("S-195 an assignment that leaves one out", topic(partitions=-1, replicas=-1, assignments=[(0, [1]), (2, [1])]))
    send("S-195 an assignment that does not start at 0", topic(partitions=-1, replicas=-1, assignments=[(1, [1])]))
    if ask.version.startswith("4"):  # 2.7 never answers these.
        send("S-195 an unknown broker", topic(partitions=-1, replicas=-1, assignments=[(0, [7])]))
        send("S-195 no brokers", topic(partitions=-1, replicas=-1, assignments=[(0, [])]))
    send("S-195 a broker twice", topic(partitions=-1, replicas=-1, assignments=[(0, [1, 1])]))
    send("S-195 a partition twice", topic(partitions=-1, replicas=-1, assignments=[(0, [1]), (0, [1])]))
    send("S-196 an unknown setting", topic(configs=[("no.such.setting", "1")]))
    send("S-196 a bad value", topic(configs=[("retention.ms", "soon")]))
    send("S-196 a value out of range", topic(configs=[("segment.bytes", "1")]))
    send("S-196 a bad choice", topic(configs=[("cleanup.policy", "shred")]))
    send("S-196 a null value", topic(configs=[("retention.ms", None)]))
    send("S-196 a setting twice", topic(configs=[("retention.ms", "1"), ("retention.ms", "2")]))
    twice = ask.name("twice")
    send("S-196 a topic twice, beside another", topic(twice), topic(twice), topic())
    send("S-197 validate only", topic(name := ask.name("valid")), validateOnly=True)
    send("S-197 validate only what cannot be", topic("a b"), validateOnly=True)
    c("S-197 it is not there", "Metadata", 5, topics=[{"name": name}], allowAutoTopicCreation=False)
    send("no topics")
    send("an internal topic's name", topic("__consumer_offsets"))
    if ask.version.startswith("4"):
        send("S-198 no time", topic(), timeoutMs=0)


@every_version("DeleteTopics")
def delete_topics(ask, c, v):
    first, second, third = ask.topic(), ask.topic(), ask.topic()

    def send(name, *topics, **more):
        by = {"topics": [t if isinstance(t, dict) else {"name": t} for t in topics]} if v >= 6 else {"topicNames": list(topics)}
        return c(name, "DeleteTopics", v, **{"timeoutMs": 10000, **by, **more})

    send("one and an unknown one", first, "no-such-topic")
    gone = dict(topics=[{"name": first}], allowAutoTopicCreation=False)
    ask.row("Metadata", 5, "it is gone", ask.until(c, lambda a: a["topics"][0]["errorCode"], "Metadata", 5, **gone))
    send("S-200 again", first)
    send("S-200 twice in one request", second, second)
    send("S-200 none")
    send("S-200 a bad name", "a b")
    if v >= 6:
        topic_id = ask.topic_id(third)
        send("S-200 by id and name", {"name": third, "topicId": topic_id})
        send("S-200 by neither", {"name": None})
        send("S-200 by an unknown id", {"name": None, "topicId": UNKNOWN_ID})
        send("S-200 by id", {"name": None, "topicId": topic_id})


@every_version("CreatePartitions")
def create_partitions(ask, c, v):
    name = ask.topic(partitions=2)

    def send(what, count, assignments=None, topic=name, **more):
        asked = {"name": topic, "count": count, "assignments": None if assignments is None else [{"brokerIds": b} for b in assignments]}
        return c(what, "CreatePartitions", v, **{"topics": [asked], "timeoutMs": 10000, **more})

    for count in (2, 1, 0, -1):
        send(f"S-201 {count} where there are 2", count)
    send("S-201 validate only", 3, validateOnly=True)
    send("S-201 3", 3)
    ask.led(c, name, 3)
    send("S-201 3 again", 3)
    send("S-201 an assignment", 4, [[1]])
    ask.led(c, name, 4)
    send("S-201 too many assignments", 5, [[1], [1]])
    send("S-201 too few assignments", 6, [[1]])
    send("S-201 an unknown broker", 5, [[9]])
    send("S-201 a broker twice", 5, [[1, 1]])
    send("S-201 no brokers", 5, [[]])
    send("S-201 an empty list of assignments", 5, [])
    send("an unknown topic", 5, topic="no-such-topic")
    asked = {"name": name, "count": 7, "assignments": None}
    c("a topic twice", "CreatePartitions", v, topics=[asked, asked], timeoutMs=10000)
    c("no topics", "CreatePartitions", v, topics=[], timeoutMs=10000)


@every_version("DeleteRecords")
def delete_records(ask, c, v):
    name = ask.topic(partitions=2)
    ask.produce(name, batch([b"a", b"b"]), batch([b"c"]))
    compacted = ask.topic(cleanup_policy="compact")

    def send(what, *partitions, topic=name):
        asked = [{"partitionIndex": p, "offset": o} for p, o in partitions]
        return c(what, "DeleteRecords", v, topics=[{"name": topic, "partitions": asked}], timeoutMs=10000)

    send("S-202 up to an offset", (0, 1))
    send("S-202 up to the same offset", (0, 1))
    send("S-202 below the start", (0, 0))
    send("S-202 a negative offset", (0, -2))
    send("S-202 above the high watermark", (0, 4))
    send("S-202 up to the high watermark", (0, -1))
    send("S-202 an empty partition", (1, -1))
    send("S-202 an empty partition, up to 1", (1, 1))
    send("an unknown partition", (9, 0))
    send("S-202 a partition twice", (1, 0), (1, 0))
    send("an unknown topic", (0, 0), topic="no-such-topic")
    send("S-202 a compacted topic", (0, 0), topic=compacted)
    send("S-202 an internal topic", (0, 0), topic="__consumer_offsets")
    c("no topics", "DeleteRecords", v, topics=[], timeoutMs=10000)
    asked = [{"partitionIndex": 0, "timestamp": -2}]
    c("S-202 where the log starts now", "ListOffsets", 1, replicaId=-1, topics=[{"name": name, "partitions": asked}])


@every_version("DescribeLogDirs")
def describe_log_dirs(ask, c, v):
    name = ask.topic(partitions=2)
    ask.produce(name, batch([b"a"]))
    c("two partitions", "DescribeLogDirs", v, topics=[{"topic": name, "partitions": [0, 1]}])
    c("an unknown partition", "DescribeLogDirs", v, topics=[{"topic": name, "partitions": [1, 9]}])
    c("an unknown topic", "DescribeLogDirs", v, topics=[{"topic": "no-such-topic", "partitions": [0]}])
    c("no topics", "DescribeLogDirs", v, topics=[])


@every_version("AlterReplicaLogDirs")
def alter_replica_log_dirs(ask, c, v):
    name = ask.topic(partitions=2)

    def send(what, *dirs):
        asked = [{"path": path, "topics": [{"name": topic, "partitions": partitions} for topic, partitions in topics]}
                 for path, topics in dirs]
        c(what, "AlterReplicaLogDirs", v, dirs=asked)

    send("a log dir that is none", ("/no/such/dir", [(name, [0, 1])]))
    send("a log dir that is none, an unknown topic", ("/no/such/dir", [("no-such-topic", [0])]))
    send("a log dir that is none, an unknown partition", ("/no/such/dir", [(name, [9])]))
    send("a partition twice", ("/no/such/dir", [(name, [0])]), ("/nor/this/one", [(name, [0])]))
    send("no path", ("", [(name, [0])]))
    send("no partitions", ("/no/such/dir", [(name, [])]))
    send("no log dirs")


@every_version("AlterPartitionReassignments")
def reassigns(ask, c, v):
    topic = ask.topic(2)
    partition = lambda number, *replicas: {"partitionIndex": number, "replicas": list(replicas)}
    send = lambda name, *partitions, of=topic, **more: c(name, "AlterPartitionReassignments", v, timeoutMs=10000, **more,
                                                        topics=[{"name": of, "partitions": list(partitions)}])
    send("where it is", partition(0, 1), partition(1, 1))
    send("no broker", partition(0))
    send("an unknown broker", partition(0, 9))
    send("a negative broker", partition(0, -1))
    send("a broker twice", partition(0, 1, 1))
    send("nothing to call off", {"partitionIndex": 0, "replicas": None})
    send("an unknown partition", partition(7, 1), partition(0, 1))
    send("an unknown topic", partition(0, 1), of="no-such-topic")
    send("no partition")
    if v:
        send("no other number of replicas", partition(0, 1), allowReplicationFactorChange=False)
    c("no topic", "AlterPartitionReassignments", v, timeoutMs=10000, topics=[])


@every_version("ListPartitionReassignments")
def lists_reassignments(ask, c, v):
    topic = ask.topic(1)
    c("all", "ListPartitionReassignments", v, timeoutMs=10000, topics=None)
    for name, number in ((topic, 0), (topic, 9), ("no-such-topic", 0)):
        c(f"{name} {number}".replace(topic, "one"), "ListPartitionReassignments", v, timeoutMs=10000,
          topics=[{"name": name, "partitionIndexes": [number]}])
    c("none", "ListPartitionReassignments", v, timeoutMs=10000, topics=[])
