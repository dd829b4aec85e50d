"""Produce."""

import uuid

import records
from records import GZIP, LOG_APPEND_TIME, LZ4, SNAPPY, TRANSACTIONAL, CONTROL, ZSTD, batch, message
from rows import every_version

MB = 1 << 20
UNKNOWN_ID = uuid.UUID("12345678-1234-1234-1234-123456789012")


def one(topic, data, partition=0):
    """What a request says of one partition."""
    return [{**named(topic), "partitionData": [{"index": partition, "records": data}]}]


def named(topic):
    """By name below version 13, by id from there on: (name, id)."""
    return {"name": topic[0], **({"topicId": topic[1]} if topic[1] else {})}


def made(ask, **options):
    name = ask.topic(**options)
    return name, ask.topic_id(name)


def fetched(ask, c, name, topic, **values):
    """What is in a log now shows whether and how it was appended."""
    v = min(12, max(ask.versions("Fetch")))
    partition = {"partition": 0, "fetchOffset": 0, "partitionMaxBytes": 10 * MB}
    c(f"{name}: what is in the log", "Fetch", v, maxWaitMs=0, topics=[{"topic": topic[0], "partitions": [partition]}], **values)


@every_version("Produce")
def produce(ask, c, v):
    topic, other = made(ask), made(ask, partitions=2)
    send = lambda name, data, acks=-1, **more: c(name, "Produce", v, acks=acks, timeoutMs=10000, topicData=data, **more)
    send("S-042 one record", one(topic, batch([(b"k", b"v", [("h", b"x"), ("n", None)])])))
    send("S-042 S-041 acks=1", one(topic, batch([b"a", b"b", b"c"], timestamp_step=5)), acks=1)
    send("S-058 a null value and a null key", one(topic, batch([(None, None), (b"", b"")])))
    for acks in (2, -2, 100):
        send(f"S-021 acks={acks}", one(topic, batch()), acks=acks)
    send("S-026 an unknown topic", one(("no-such-topic", UNKNOWN_ID), batch()))
    send("S-026 an unknown partition", one(topic, batch(), partition=7))
    send("a negative partition", one(topic, batch(), partition=-1))
    send("several partitions, one unknown", [{**named(other), "partitionData": [
        {"index": p, "records": batch([b"x"] * (p + 1))} for p in range(3)]}, *one(topic, batch())])
    send("S-045 no topics", [])
    send("no partitions", [{**named(topic), "partitionData": []}])
    send("S-033 a wrong checksum", one(topic, batch(crc=1)))
    send("S-029 no records", one(topic, b""))
    send("S-029 two batches", one(topic, batch() + batch()))
    send("S-029 a message set of magic 1", one(topic, message()))
    send("S-029 a message set of magic 0", one(topic, message(magic=0)))
    send("S-029 magic 3", one(topic, batch(magic=3)))
    send("S-032 a base offset", one(topic, batch([b"a", b"b"], base_offset=5)))
    send("S-033 a batch cut short", one(topic, batch()[:-3]))
    send("S-033 a header cut short", one(topic, batch()[:20]))
    send("S-033 a size below that of a header", one(topic, batch(size=5)))
    send("S-033 a negative size", one(topic, batch(size=-1)))
    send("S-033 a whole batch and a part of one", one(topic, batch() + batch()[:-3]))
    send("S-034 more records than the last offset delta says", one(topic, batch([b"a", b"b"], last_delta=0)))
    send("S-034 a last offset delta beyond the records", one(topic, batch(last_delta=9)))
    send("S-034 a count of 0", one(topic, batch([], count=0, last_delta=0)))
    send("S-034 a negative count", one(topic, batch(count=-1)))
    send("S-034 a count beyond the records", one(topic, batch(count=9, last_delta=8)))
    send("S-034 a control batch", one(topic, batch([(b"\0\0\0\0", b"\0\0\0\0\0\0")], attributes=CONTROL)))
    send("S-034 a producer id without a sequence", one(topic, batch(producer_id=5, producer_epoch=0)))
    send("S-034 a negative producer epoch", one(topic, batch(producer_id=5, producer_epoch=-1, sequence=0)))
    send("S-035 offset deltas with a gap", one(topic, batch([b"a", b"b"], step=2, last_delta=1)))
    send("S-040 the client says LogAppendTime", one(other, batch(attributes=LOG_APPEND_TIME)))
    send("S-039 no timestamp", one(topic, batch(timestamp=-1)))
    send("a timestamp of 0", one(topic, batch(timestamp=0)))
    send("a maximum timestamp that is none of the records'", one(topic, batch(max_timestamp=records.NOW + 77)))
    send("a leader epoch of the client's", one(topic, batch(leader_epoch=9)))
    send("an unused attribute", one(topic, batch(attributes=0x80)))
    send("S-031 zstd", one(topic, batch([b"z"] * 3, codec=ZSTD)))
    send("gzip", one(topic, batch([b"g"] * 3, codec=GZIP)))
    send("snappy", one(topic, batch([b"s"] * 3, codec=SNAPPY)))
    send("lz4", one(topic, batch([b"l"] * 3, codec=LZ4)))
    send("a codec that does not exist", one(topic, batch(attributes=5)))
    send("gzip that is none", one(topic, batch(attributes=GZIP)))
    send("snappy that is none", one(topic, batch(attributes=SNAPPY)))
    send("lz4 that is none", one(topic, batch(attributes=LZ4)))
    send("S-054 a transactional batch without a transactional id",
         one(topic, batch(attributes=TRANSACTIONAL, producer_id=77, producer_epoch=0, sequence=0)))
    fetched(ask, c, "S-044 S-086", topic)


@every_version("Produce", first=8, last=8)
def null_records(ask, c, v):
    c("S-060 null records", "Produce", v, acks=-1, timeoutMs=10000, topicData=one(made(ask), None))


@every_version("Produce", last=2)
def produce_message_sets(ask, c, v):
    topic = made(ask)
    send = lambda name, data, acks=-1: c(name, "Produce", v, acks=acks, timeoutMs=10000, topicData=one(topic, data))
    send("S-030 magic 1", message(b"a", b"k") + message(b"b", offset=1) + message(None, b"k", offset=2))
    send("S-030 magic 0", message(b"a", b"k", magic=0) + message(b"b", magic=0, offset=1))
    send("S-030 magic 0 and 1", message(b"a", magic=0) + message(b"b", magic=1, offset=1))
    send("S-030 a wrong checksum", message(crc=1))
    send("S-030 offsets that count from elsewhere", message(b"a", offset=5) + message(b"b", offset=9))
    send("S-030 a message cut short", message(b"a") + message(b"b", offset=1)[:-2])
    send("S-030 nothing but a message cut short", message(b"a")[:-2])
    send("S-030 nothing", b"")
    for codec, name in ((GZIP, "gzip"), (SNAPPY, "snappy"), (LZ4, "lz4")):
        for magic in (0, 1):
            inner = message(b"x", b"k", magic=magic) + message(b"y", magic=magic, offset=1)
            send(f"S-030 magic {magic} in {name}", message(records.compress(codec, inner), magic=magic, attributes=codec, offset=1))
    send("S-030 LogAppendTime", message(attributes=8))
    send("S-030 no timestamp", message(timestamp=-1))
    fetched(ask, c, "S-030", topic)


@every_version("Produce")
def acks_of_0(ask, c, v):
    topic = made(ask)
    send = lambda data: c.start("Produce", v, acks=0, timeoutMs=10000, topicData=one(topic, data))
    good = batch([b"quiet"]) if v > 2 else message(b"quiet")
    send(good)
    c("S-016 the answer after a produce with acks=0", "Metadata", 1, topics=[])
    fetched(ask, c, "S-016", topic)
    send(batch(crc=1))
    c("S-024 the connection after a failed produce with acks=0", "Metadata", 1, topics=[])


@every_version("Produce", first=3)
def limits(ask, c, v):
    small = made(ask, max_message_bytes=200)
    compacted = made(ask, cleanup_policy="compact")
    stamped = made(ask, message_timestamp_type="LogAppendTime")
    strict = made(ask, **time_limits(ask, 3600_000))
    tiny = made(ask, segment_bytes=1 << 20, max_message_bytes=8 << 20)
    send = lambda name, topic, data: c(name, "Produce", v, acks=-1, timeoutMs=10000, topicData=one(topic, data))
    largest = next(data for size in range(200, 0, -1) if len(data := batch([b"x" * size])) == 200)
    send("S-036 as large as may be", small, largest)
    send("S-036 too large", small, batch([b"x" * 200]))
    send("S-037 larger than a segment", tiny, batch([b"x" * (1 << 20)]))
    send("S-038 no key in a compacted topic", compacted, batch([(b"k", b"v"), b"v", (b"k", None), b"w"]))
    send("S-038 keys in a compacted topic", compacted, batch([(b"k", b"v")]))
    send("S-041 LogAppendTime", stamped, batch([b"a", b"b"], timestamp=5))
    send("S-039 too old", strict, batch([b"a", b"b"], timestamp=records.NOW - 7200_000))
    send("S-039 too young", strict, batch(timestamp=records.NOW + 7200_000))
    send("S-039 one of three is too old", strict, batch([b"a", b"b", b"c"], timestamp=records.NOW - 4000_000, timestamp_step=2000_000))
    send("S-039 exempt", strict, batch(timestamp=-1))
    send("S-039 within", strict, batch())
    fetched(ask, c, "S-038", compacted)


def time_limits(ask, limit_ms):
    if ask.version.startswith("2"):
        return {"message_timestamp_difference_max_ms": limit_ms}
    return {"message_timestamp_before_max_ms": limit_ms, "message_timestamp_after_max_ms": limit_ms}


@every_version("Produce", first=7)
def recompressed(ask, c, v):
    for target in ("producer", "uncompressed", "gzip", "snappy", "lz4", "zstd"):
        topic = made(ask, compression_type=target)
        for codec in range(5):
            data = batch([b"x" * 100, b"y"], codec=codec, timestamp_step=3)
            c(f"S-043 codec {codec} to {target}", "Produce", v, acks=-1, timeoutMs=10000, topicData=one(topic, data))
        fetched(ask, c, f"S-043 {target}", topic)


@every_version("Produce", first=3)
def idempotent(ask, c, v):
    topic = made(ask)
    producer = ask.producer_id()

    def send(name, sequence, epoch=0, count=1, **more):
        data = producer.map(lambda pid: batch([b"i"] * count, producer_id=pid, producer_epoch=epoch, sequence=sequence, **more))
        return c(name, "Produce", v, acks=-1, timeoutMs=10000, topicData=one(topic, data))

    send("S-046 the first sequence of an unknown producer", 5)
    send("S-047 the next sequence", 6, count=3)
    send("S-047 a sequence left out", 10)
    send("S-050 a duplicate", 6, count=3)
    send("S-051 part of a duplicate", 6, count=2)
    for at in range(9, 14):
        send("S-047 one after the other", at)
    send("S-050 the oldest of five that is still known", 9)
    send("S-051 an older duplicate", 6, count=3)
    send("S-048 a higher epoch that does not start at 0", 14, epoch=1)
    send("S-048 a higher epoch", 0, epoch=1)
    send("S-049 the lower epoch", 14, epoch=0)
    send("S-047 sequence 0 again, with more", 0, epoch=1, count=2)
    send("a higher epoch by more than one", 0, epoch=9)
    fetched(ask, c, "S-050 what idempotent producers wrote", topic)
    wrap = made(ask)
    topic = wrap
    send("S-047 the last sequence there is", 2**31 - 1, epoch=10)
    send("S-047 sequence 0 after the last there is", 0, epoch=10)
    send("S-047 a duplicate across the wrap", 2**31 - 1, epoch=10)


@every_version("Produce")
def internal_topics(ask, c, v):
    """The topic of the offsets is there, since groups have been looked for."""
    offsets = ("__consumer_offsets", ask.topic_id("__consumer_offsets"))
    data = batch([(b"k", b"v")]) if v > 2 else message(b"v", b"k")
    c("S-028 a client writes to an internal topic", "Produce", v, acks=-1, timeoutMs=1000, topicData=one(offsets, data))
