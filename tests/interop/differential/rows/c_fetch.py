"""Fetch, ListOffsets, OffsetForLeaderEpoch."""

import uuid

import records
from records import GZIP, ZSTD, batch
from rows import every_version

MB = 1 << 20
UNKNOWN_ID = uuid.UUID("12345678-1234-1234-1234-123456789012")


def part(partition=0, offset=0, max_bytes=MB, **more):
    return {"partition": partition, "fetchOffset": offset, "partitionMaxBytes": max_bytes, **more}


def of(topic, *partitions):
    """By name below version 13, by id from there on: (name, id)."""
    return {"topic": topic[0], **({"topicId": topic[1]} if topic[1] else {}), "partitions": list(partitions)}


def made(ask, *batches, **options):
    name = ask.topic(**options)
    ask.produce(name, *batches)
    return name, ask.topic_id(name)


@every_version("Fetch")
def fetch(ask, c, v):
    plain = made(ask, batch([b"a", (b"k", b"b", [("h", b"x")])]), batch([b"c"] * 3), batch([b"d" * 1000]), partitions=2)
    zipped = made(ask, batch([b"z"] * 5, codec=GZIP))
    empty = made(ask)
    unknown = ("no-such-topic", UNKNOWN_ID)

    def send(name, *topics, **more):
        return c(name, "Fetch", v, topics=list(topics), **{"replicaId": -1, "maxWaitMs": 0, "minBytes": 1, "maxBytes": 10 * MB, **more})

    send("S-069 S-044 from the start", of(plain, part()))
    send("S-064 from within a batch", of(plain, part(offset=3)))
    send("S-087 at the end, without waiting", of(plain, part(offset=6)))
    send("S-068 above the end", of(plain, part(offset=7)))
    send("S-068 below the start", of(plain, part(offset=-1)))
    send("S-068 far below the start", of(plain, part(offset=-5)))
    send("an empty partition", of(empty, part()))
    send("S-086 a compressed batch, from within", of(zipped, part(offset=2)))
    send("an unknown topic", of(unknown, part()))
    send("an unknown partition", of(plain, part(9)))
    send("a negative partition", of(plain, part(-1)))
    send("no topics", maxWaitMs=0)
    send("no partitions", of(plain))
    send("S-065 an offset out of range does not wait", of(empty, part()), of(plain, part(offset=77)), maxWaitMs=4000)
    send("S-065 nothing but unknown partitions does not wait", of(unknown, part()), of(plain, part(9)), maxWaitMs=4000)
    send("S-085 S-088 a replica that is none", of(plain, part()), replicaId=7)
    c = ask.connect()
    send("S-062 limits below one batch", of(plain, part(max_bytes=10)), maxBytes=10)
    send("S-062 a limit of 0", of(plain, part(max_bytes=0)))
    send("S-061 S-062 two partitions, one batch's worth of bytes", of(zipped, part()), of(plain, part()), maxBytes=10)
    send("S-063 a limit within the second batch", of(plain, part(max_bytes=120)))
    send("S-066 more bytes than there are, no time to wait", of(plain, part()), minBytes=MB)
    send("a negative limit", of(plain, part(max_bytes=-1)))
    send("S-070 read_committed", of(plain, part()), isolationLevel=1)
    send("an isolation level that does not exist", of(plain, part()), isolationLevel=7)
    send("S-079 the present leader epoch", of(plain, part(currentLeaderEpoch=0)))
    send("S-079 a leader epoch above the present one", of(plain, part(currentLeaderEpoch=5)))
    send("S-080 the last fetched epoch is the present one", of(plain, part(offset=6, currentLeaderEpoch=0, lastFetchedEpoch=0)))
    send("S-080 a last fetched epoch above the present one", of(plain, part(offset=3, lastFetchedEpoch=4)))
    send("a rack", of(plain, part()), rackId="r1")
    send("one topic twice", of(plain, part()), of(plain, part(1)))
    send("a partition twice", of(empty, part(), part()))
    send("several topics", of(plain, part(offset=5), part(1)), of(zipped, part()), of(empty, part()))
    if v < 15:
        send("S-067 the debugging consumer", of(plain, part()), replicaId=-2)
    send("S-072 a sessionless fetch", of(plain, part()), sessionId=0, sessionEpoch=-1)


@every_version("Fetch")
def waiting(ask, c, v):
    topic = made(ask)
    pending = c.start("Fetch", v, topics=[of(topic, part())], maxWaitMs=4000, minBytes=1, maxBytes=MB, replicaId=-1)
    ask.produce(topic[0], batch([b"late"]))
    c.finish("S-087 S-065 a long poll ends with the append", pending)
    pending = c.start("Fetch", v, topics=[of(topic, part(offset=1), part(9))], maxWaitMs=4000, minBytes=1, maxBytes=MB, replicaId=-1)
    ask.produce(topic[0], batch([b"later"]))
    c.finish("S-065 an unknown partition does not end the wait of the others", pending)
    c("S-065 a wait in vain", "Fetch", v, topics=[of(topic, part(offset=2))], replicaId=-1, maxWaitMs=30, minBytes=1, maxBytes=MB)


@every_version("Fetch", last=9)
def old_codecs(ask, c, v):
    zstd = made(ask, batch([b"z"], codec=ZSTD))
    c("S-083 zstd for old clients", "Fetch", v, topics=[of(zstd, part())], replicaId=-1, maxWaitMs=0, maxBytes=MB)
    kept = made(ask, batch([b"z"], codec=ZSTD), compression_type="zstd")
    c("S-083 a topic kept in zstd", "Fetch", v, topics=[of(kept, part())], replicaId=-1, maxWaitMs=0, maxBytes=MB)


@every_version("Fetch", last=3)
def down_converted(ask, c, v):
    values = [(b"k", b"a", [("h", b"x")]), (None, b"b"), (b"k", None)]
    topic = made(ask, batch(values, timestamp_step=5), batch(values, codec=GZIP), batch(values))
    send = lambda name, *parts, **more: c(name, "Fetch", v, topics=[of(topic, *parts)], replicaId=-1, maxWaitMs=0, maxBytes=MB, **more)
    send("S-084 all of it", part())
    send("S-084 from within the first batch", part(offset=1))
    send("S-084 from within a compressed batch", part(offset=4))
    send("S-084 S-062 a limit below one batch", part(max_bytes=20))
    send("S-084 a limit of two batches", part(max_bytes=150))
    strict = made(ask, batch([b"a"]), **{} if ask.version.startswith("4") else {"message_downconversion_enable": "false"})
    c("S-084 without down-conversion", "Fetch", v, topics=[of(strict, part())], replicaId=-1, maxWaitMs=0, maxBytes=MB)


@every_version("Fetch", first=7)
def sessions(ask, c, v):
    topic, other = made(ask, batch([b"a"]), partitions=2), made(ask, batch([b"b"]))

    def send(name, session, epoch, *topics, forgotten=(), **more):
        return c(name, "Fetch", v, sessionId=session, sessionEpoch=epoch, topics=list(topics), replicaId=-1, maxWaitMs=0, maxBytes=MB,
                 forgottenTopicsData=list(forgotten), **more)

    forget = lambda topic, *partitions: {"topic": topic[0], **({"topicId": topic[1]} if topic[1] else {}), "partitions": list(partitions)}
    send("S-072 an epoch without a session", 0, 5, of(topic, part()))
    send("S-074 an unknown session", 12345, 1)
    session = send("S-072 a new session", 0, 0, of(topic, part(), part(1)), of(other, part())).sessionId
    send("S-075 nothing has changed but what has data", session, 1)
    send("S-074 the same epoch again", session, 1)
    send("S-074 an epoch left out", session, 3)
    send("S-075 the consumer goes on", session, 2, of(topic, part(offset=1)), of(other, part(offset=1)))
    send("S-075 nothing new", session, 3)
    ask.produce(topic[0], batch([b"x"]), partition=1)
    send("S-075 one partition has data", session, 4)
    send("S-075 an unknown partition joins", session, 5, of(topic, part(9)))
    send("S-075 its error is told again", session, 6)
    send("S-076 it is forgotten", session, 7, forgotten=[forget(topic, 9)])
    send("S-076 a partition that it never had is forgotten", session, 8, forgotten=[forget(topic, 7)])
    send("S-076 all are forgotten", session, 9, forgotten=[forget(topic, 0, 1), forget(other, 0)])
    send("S-076 the session is gone", session, 10)
    session = send("S-072 a second session", 0, 0, of(topic, part())).sessionId
    send("S-072 it is closed, and fetched without one", session, -1, of(topic, part()))
    send("S-074 it is unknown", session, 1)
    send("S-072 an empty session", 0, 0)
    session = send("S-072 a session is replaced", 0, 0, of(topic, part())).sessionId
    send("S-072 by a full fetch with its id", session, 0, of(other, part()))
    send("S-072 after which it is gone", session, 1)
    session = send("S-078 a session of an unknown topic", 0, 0, of(("no-such-topic", UNKNOWN_ID), part())).sessionId
    send("S-078 which is asked again", session, 1)
    if v > 12:
        session = c("S-077 a session by name", "Fetch", 12, sessionId=0, sessionEpoch=0, topics=[of(topic, part())], maxBytes=MB).sessionId
        send("S-077 goes on by id", session, 1, of(topic, part(1)))


@every_version("ListOffsets")
def list_offsets(ask, c, v):
    now = records.NOW
    topic = ask.topic(partitions=2)
    ask.produce(topic, batch([b"a"], timestamp=now), batch([b"b", b"c"], timestamp=now + 200), batch([b"d", b"e", b"f"], timestamp=now + 100))

    count = {} if v else {"maxNumOffsets": 10}

    def send(name, *partitions, topic=topic, replica=-1, **more):
        parts = [{"partitionIndex": p, "timestamp": t, **count, **extra} for p, t, extra in partitions]
        return c(name, "ListOffsets", v, replicaId=replica, topics=[{"name": topic, "partitions": parts}], **more)

    at = lambda t, p=0, **extra: (p, t, extra)
    send("S-089 S-096 latest", at(-1))
    send("S-089 S-096 earliest", at(-2))
    send("S-089 latest of an empty partition", at(-1, 1))
    send("S-089 earliest of an empty partition", at(-2, 1))
    send("S-090 the largest timestamp", at(-3))
    send("S-090 the largest timestamp of an empty partition", at(-3, 1))
    send("S-091 earliest local", at(-4))
    send("S-091 latest tiered", at(-5))
    send("S-091 earliest pending upload", at(-6))
    send("S-091 a marker that does not exist", at(-7))
    send("S-092 S-093 a timestamp", at(now + 100))
    send("S-092 a timestamp between two", at(now + 150))
    send("S-092 an old timestamp", at(1))
    send("S-092 a timestamp of 0", at(0))
    send("S-092 a timestamp after all", at(now + 300))
    send("S-092 a timestamp in an empty partition", at(5, 1))
    send("S-093 the present leader epoch", at(-1, currentLeaderEpoch=0))
    send("S-093 a leader epoch above the present one", at(-1, currentLeaderEpoch=9))
    send("S-095 a partition twice", at(-1), at(-2))
    send("S-095 a partition twice, beside another", at(-1), at(-2), at(-1, 1))
    send("an unknown partition", at(-1, 9))
    send("an unknown topic", at(-1), topic="no-such-topic")
    send("S-089 read_committed", at(-1), isolationLevel=1)
    send("an isolation level that does not exist", at(-1), isolationLevel=5)
    send("S-097 the debugging consumer", at(-1), replica=-2)
    c("no topics", "ListOffsets", v, replicaId=-1, topics=[])
    c("S-095 a topic twice", "ListOffsets", v, replicaId=-1, topics=[{"name": topic, "partitions": [{"partitionIndex": p, "timestamp": -1, **count}]} for p in (0, 1)])


@every_version("OffsetForLeaderEpoch")
def offset_for_leader_epoch(ask, c, v):
    topic = ask.topic(partitions=2)
    ask.produce(topic, batch([b"a", b"b"]))

    def send(name, epoch, partition=0, current=-1, topic=topic, replica=-1):
        asked = [{"partition": partition, "leaderEpoch": epoch, "currentLeaderEpoch": current}]
        c(name, "OffsetForLeaderEpoch", v, replicaId=replica, topics=[{"topic": topic, "partitions": asked}])

    send("S-098 the present epoch", 0)
    send("S-099 an epoch above it", 3)
    send("S-099 no epoch", -1)
    send("S-098 an empty partition", 0, 1)
    send("S-079 the present leader epoch is given", 0, current=0)
    send("S-079 a present leader epoch that is too high", 0, current=4)
    send("an unknown partition", 0, 9)
    send("an unknown topic", 0, topic="no-such-topic")
    send("S-100 the debugging consumer", 0, replica=-2)
    c("no topics", "OffsetForLeaderEpoch", v, replicaId=-1, topics=[])
