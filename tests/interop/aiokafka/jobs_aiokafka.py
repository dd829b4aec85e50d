"""aiokafka, the client for asyncio."""

import asyncio
import pathlib
import sys
import time

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, NewTopic, RecordsToDelete
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType
from aiokafka.coordinator.assignors.sticky.sticky_assignor import StickyPartitionAssignor
from aiokafka.coordinator.protocol import ConsumerProtocolMemberAssignment
from aiokafka.errors import ProducerFenced, for_code

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))
from jobs import BOOTSTRAP, NotApplicable, run_all, unique  # noqa: E402

LIMIT_S = 30
admin = None


async def wait_for(what, condition):
    """Waits for a condition of the client's own making, such as an assignment."""
    deadline = time.monotonic() + LIMIT_S
    while not (value := await condition()):
        assert time.monotonic() < deadline, f"not within {LIMIT_S} s: {what}"
        await asyncio.sleep(0.005)
    return value


def raise_for(code):
    if code:
        raise for_code(code)


async def create(topic, partitions, configs=None):
    response = await admin.create_topics([NewTopic(topic, partitions, 1, topic_configs=configs or {})])
    for error in response.topic_errors:
        raise_for(error[1])


async def new_topic(partitions=1, **configs):
    topic = unique("aiokafka")
    await create(topic, partitions, {key.replace("_", "."): value for key, value in configs.items()})
    return topic


async def produce(topic, records, **settings):
    """Sends (key, value) pairs and returns what was acknowledged."""
    async with AIOKafkaProducer(bootstrap_servers=BOOTSTRAP, **settings) as producer:
        futures = []
        for record in records:
            key, value = record[:2]
            extra = record[2] if len(record) > 2 else {}
            futures.append(await producer.send(topic, key=key, value=value, partition=0, **extra))
        return await asyncio.wait_for(asyncio.gather(*futures), LIMIT_S)


def numbers(count):
    return [(None, str(i).encode()) for i in range(count)]


def consumer(*topics, group=None, **settings):
    return AIOKafkaConsumer(*topics, bootstrap_servers=BOOTSTRAP, group_id=group, auto_offset_reset="earliest",
                            enable_auto_commit=False, **settings)


async def take(reader, count):
    messages = []
    deadline = time.monotonic() + LIMIT_S
    while len(messages) < count:
        assert time.monotonic() < deadline, f"only {len(messages)} of {count} records came"
        for batch in (await reader.getmany(timeout_ms=500, max_records=count - len(messages))).values():
            messages.extend(batch)
    return messages


async def read(topic, count, offset=0):
    async with consumer() as reader:
        tp = TopicPartition(topic, 0)
        reader.assign([tp])
        if offset:
            reader.seek(tp, offset)
        else:
            await reader.seek_to_beginning(tp)
        return await take(reader, count)


async def round_trip(**settings):
    topic = await new_topic()
    records = [(f"k{i}".encode(), f"value {i} ".encode() * 20) for i in range(100)]
    await produce(topic, records, **settings)
    assert [(m.key, m.value) for m in await read(topic, 100)] == records


async def job_create_topics():
    topic = await new_topic(3)
    assert topic in await admin.list_topics()
    assert len((await admin.describe_topics([topic]))[0]["partitions"]) == 3
    try:
        await create(topic, 3)
    except Exception as error:  # noqa: BLE001 (the client makes up a class for each code)
        assert type(error).__name__ == "TopicAlreadyExistsError", error
    else:
        raise AssertionError("the topic was created twice")


async def job_produce_none():
    await round_trip()


async def job_produce_gzip():
    await round_trip(compression_type="gzip")


async def job_produce_snappy():
    await round_trip(compression_type="snappy")


async def job_produce_lz4():
    await round_trip(compression_type="lz4")


async def job_produce_zstd():
    await round_trip(compression_type="zstd")


async def job_keys_headers_nulls():
    topic = await new_topic()
    headers = [("a", b"1"), ("a", b"")]
    await produce(topic, [(b"key", b"value", {"headers": headers}), (None, b""), (b"gone", None)])
    first, empty, null = await read(topic, 3)
    assert list(first.headers) == headers, first.headers
    assert (empty.key, empty.value) == (None, b"")
    assert (null.key, null.value) == (b"gone", None)


async def job_large_values():
    topic = await new_topic()
    records = [(None, bytes([i]) * 1_000_000) for i in range(5)]
    await produce(topic, records)
    assert [(m.key, m.value) for m in await read(topic, 5)] == records


async def job_timestamps():
    topic = await new_topic()
    start = 1_600_000_000_000
    await produce(topic, [(None, str(i).encode(), {"timestamp_ms": start + i * 1000}) for i in range(10)])
    assert [m.timestamp for m in await read(topic, 10)] == [start + i * 1000 for i in range(10)]
    tp = TopicPartition(topic, 0)
    async with consumer() as reader:
        found = (await reader.offsets_for_times({tp: start + 4500}))[tp]
    assert (found.offset, found.timestamp) == (5, start + 5000), found
    assert (await read(topic, 5, offset=5))[0].value == b"5"


async def job_idempotent():
    topic = await new_topic()
    sent = await produce(topic, numbers(1000), enable_idempotence=True, max_batch_size=1000)
    assert [record.offset for record in sent] == list(range(1000))
    assert [m.value for m in await read(topic, 1000)] == [value for _, value in numbers(1000)]


async def job_acks_0():
    topic = await new_topic()
    await produce(topic, numbers(10), acks=0)
    await read(topic, 10)


async def job_acks_1():
    await round_trip(acks=1)


async def job_acks_all():
    await round_trip(acks="all")


async def job_seek():
    topic = await new_topic()
    await produce(topic, numbers(20))
    async with consumer() as reader:
        tp = TopicPartition(topic, 0)
        reader.assign([tp])
        await take(reader, 20)
        reader.seek(tp, 7)
        assert (await take(reader, 1))[0].offset == 7


def member(group, topic, **settings):
    return consumer(topic, group=group, session_timeout_ms=6000, heartbeat_interval_ms=300, **settings)


async def share(members, partitions):
    """Waits until all partitions are assigned, none of them twice; returns how many each has."""
    async def assigned():
        owned = [tp.partition for reader in members for tp in reader.assignment()]
        each = [len(reader.assignment()) for reader in members]
        return sorted(owned) == list(range(partitions)) and min(each) > 0 and each
    return await wait_for(f"{partitions} partitions shared by {len(members)} members", assigned)


async def start(*members):
    await asyncio.gather(*(reader.start() for reader in members))


async def job_groups():
    topic, group = await new_topic(4), unique("group")
    first, second = member(group, topic), member(group, topic)
    await start(first)
    assert await share([first], 4) == [4]
    await start(second)
    assert await share([first, second], 4) == [2, 2]
    await second.stop()
    assert await share([first], 4) == [4]
    await first.stop()


async def job_static_members():
    topic, group = await new_topic(2), unique("group")
    first, second = member(group, topic, group_instance_id="one"), member(group, topic, group_instance_id="two")
    await start(first, second)
    await share([first, second], 2)
    before = second.assignment()
    await second.stop()
    second = member(group, topic, group_instance_id="two")
    await start(second)
    await share([first, second], 2)
    assert second.assignment() == before
    await second.stop()
    await first.stop()


async def job_groups_848():
    raise NotApplicable("aiokafka has no consumer protocol")


async def job_cooperative():
    raise NotApplicable("aiokafka has no cooperative assignor; its sticky one is eager")


async def job_commit_resume():
    topic, group = await new_topic(), unique("group")
    await produce(topic, numbers(20))
    async with member(group, topic, partition_assignment_strategy=(StickyPartitionAssignor,)) as first:
        await take(first, 12)
        await first.commit()
    async with member(group, topic) as second:
        assert (await take(second, 1))[0].offset == 12
        assert await second.committed(TopicPartition(topic, 0)) == 12


async def listed(group):
    return group in [name for name, _ in await admin.list_consumer_groups()]


async def job_describe_groups():
    topic, group = await new_topic(), unique("group")
    tp = TopicPartition(topic, 0)
    await produce(topic, numbers(10))
    async with member(group, topic) as reader:
        await take(reader, 10)
        await reader.commit({tp: (4, "noted")})
        assert await listed(group)
        described = (await admin.describe_consumer_groups([group]))[0].to_object()["groups"][0]
        assert (described["error_code"], described["state"]) == (0, "Stable"), described
        assignment = ConsumerProtocolMemberAssignment.decode(described["members"][0]["member_assignment"])
        assert assignment.assignment == [(topic, [0])], assignment
        committed = (await admin.list_consumer_group_offsets(group))[tp]
        assert committed.metadata == "noted"
        assert (await reader.end_offsets([tp]))[tp] - committed.offset == 6


async def job_delete_records():
    topic = await new_topic()
    await produce(topic, numbers(10))
    tp = TopicPartition(topic, 0)
    assert await admin.delete_records({tp: RecordsToDelete(6)}) == {tp: 6}
    assert (await read(topic, 1))[0].offset == 6


async def job_delete_groups():
    raise NotApplicable("aiokafka has no request for it")


async def transactional(name):
    producer = AIOKafkaProducer(bootstrap_servers=BOOTSTRAP, transactional_id=name)
    await producer.start()
    return producer


async def job_transactions():
    source, target, group, name = await new_topic(), await new_topic(), unique("group"), unique("transaction")
    tp = TopicPartition(source, 0)
    await produce(source, numbers(10))
    producer = await transactional(name)

    async def send(value):
        await producer.begin_transaction()
        for _ in range(10):
            await producer.send(target, value=value, partition=0)
        await producer.flush()
        await producer.send_offsets_to_transaction({tp: await member_of_group.position(tp)}, group)

    async with member(group, source) as member_of_group:
        await take(member_of_group, 10)
        await send(b"aborted")
        await producer.abort_transaction()
        assert await member_of_group.committed(tp) is None
        await send(b"committed")
        await producer.commit_transaction()
        assert await member_of_group.committed(tp) == 10
    # What was aborted is there, in front, and left out.
    for level, value in (("read_uncommitted", b"aborted"), ("read_committed", b"committed")):
        async with consumer(isolation_level=level) as reader:
            reader.assign([TopicPartition(target, 0)])
            await reader.seek_to_beginning(TopicPartition(target, 0))
            assert [m.value for m in await take(reader, 10)] == [value] * 10
    newer = await transactional(name)
    try:
        await producer.begin_transaction()
        await producer.send_and_wait(target, value=b"fenced", partition=0)
        await producer.commit_transaction()
    except ProducerFenced:
        pass
    else:
        raise AssertionError("the older producer is not fenced")
    finally:
        await asyncio.gather(producer.stop(), newer.stop(), return_exceptions=True)


async def job_configs():
    topic = await new_topic(retention_ms="1234567")

    async def described():
        response = (await admin.describe_configs([ConfigResource(ConfigResourceType.TOPIC, topic)]))[0]
        error, _, _, _, entries = response.resources[0]
        raise_for(error)
        return {entry[0]: entry[1] for entry in entries}

    assert (await described())["retention.ms"] == "1234567"
    # AlterConfigs, the only way that aiokafka has, replaces all of the topic's settings.
    changes = ConfigResource(ConfigResourceType.TOPIC, topic, configs={"segment.bytes": "2097152"})
    raise_for((await admin.alter_configs([changes]))[0].resources[0][0])
    assert (await described())["segment.bytes"] == "2097152"
    assert (await described())["retention.ms"] != "1234567"


async def job_delete_topics():
    topic = await new_topic()
    raise_for((await admin.delete_topics([topic])).topic_error_codes[0][1])

    async def gone():
        return topic not in await admin.list_topics()

    await wait_for("the topic is gone", gone)


async def with_admin(job):
    global admin
    admin = AIOKafkaAdminClient(bootstrap_servers=BOOTSTRAP)
    await admin.start()
    try:
        await job()
    finally:
        await admin.close()


def alone(job):
    """A job in an event loop of its own."""
    return lambda: asyncio.run(with_admin(job))


run_all({name: alone(job) for name, job in list(globals().items()) if name.startswith("job_")})
