"""confluent-kafka for Python, which is librdkafka."""

import pathlib
import sys
import time

from confluent_kafka import (
    OFFSET_BEGINNING, OFFSET_INVALID, Consumer, ConsumerGroupTopicPartitions, KafkaError, KafkaException, Producer,
    TopicPartition)
from confluent_kafka.admin import (
    AdminClient, AlterConfigOpType, ConfigEntry, ConfigResource, NewTopic, OffsetSpec, ResourceType)

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))
from jobs import BOOTSTRAP, run_all, unique, wait_for  # noqa: E402

admin = AdminClient({"bootstrap.servers": BOOTSTRAP})


def new_topic(partitions=1, **configs):
    name = unique("confluent")
    created = admin.create_topics([NewTopic(name, partitions, 1, config={k.replace("_", "."): v for k, v in configs.items()})])
    created[name].result(15)
    return name


def produce(topic, records, partition=0, **settings):
    """Sends (key, value) pairs and returns the offsets that were acknowledged."""
    offsets = []

    def delivered(error, message):
        assert error is None, error
        offsets.append(message.offset())

    producer = Producer({"bootstrap.servers": BOOTSTRAP, "linger.ms": 5,
                         **{k.replace("_", "."): v for k, v in settings.items()}})
    for record in records:
        key, value = record[:2]
        extra = record[2] if len(record) > 2 else {}
        producer.produce(topic, key=key, value=value, partition=partition, on_delivery=delivered, **extra)
    assert producer.flush(30) == 0, "records were not delivered"
    assert len(offsets) == len(records)
    return offsets


def consumer(group=None, **settings):
    return Consumer({"bootstrap.servers": BOOTSTRAP, "group.id": group or unique("reader"),
                     "auto.offset.reset": "earliest", "enable.auto.commit": False,
                     **{k.replace("_", "."): v for k, v in settings.items()}})


def read(topic, count, offset=OFFSET_BEGINNING, partition=0):
    reader = consumer()
    reader.assign([TopicPartition(topic, partition, offset)])
    messages = take(reader, count)
    reader.close()
    return messages


def take(reader, count, limit_s=30):
    messages = []
    deadline = time.monotonic() + limit_s
    while len(messages) < count:
        assert time.monotonic() < deadline, f"only {len(messages)} of {count} records came"
        for message in reader.consume(count - len(messages), 1.0):
            assert message.error() is None, message.error()
            messages.append(message)
    return messages


def round_trip(**settings):
    topic = new_topic()
    records = [(f"k{i}".encode(), f"value {i} ".encode() * 20) for i in range(100)]
    produce(topic, records, **settings)
    assert [(m.key(), m.value()) for m in read(topic, 100)] == records


def job_create_topics():
    topic = new_topic(3)
    assert len(admin.list_topics(topic, timeout=10).topics[topic].partitions) == 3
    try:
        admin.create_topics([NewTopic(topic, 3, 1)])[topic].result(10)
    except KafkaException as error:
        assert error.args[0].name() == "TOPIC_ALREADY_EXISTS", error
    else:
        raise AssertionError("the topic was created twice")


def job_produce_none():
    round_trip(compression_type="none")


def job_produce_gzip():
    round_trip(compression_type="gzip")


def job_produce_snappy():
    round_trip(compression_type="snappy")


def job_produce_lz4():
    round_trip(compression_type="lz4")


def job_produce_zstd():
    round_trip(compression_type="zstd")


def job_keys_headers_nulls():
    topic = new_topic()
    headers = [("a", b"1"), ("a", b""), ("none", None)]
    produce(topic, [(b"key", b"value", {"headers": headers}), (None, b""), (b"gone", None)])
    first, empty, null = read(topic, 3)
    assert first.headers() == headers, first.headers()
    assert (empty.key(), empty.value()) == (None, b"")
    assert (null.key(), null.value()) == (b"gone", None)


def job_large_values():
    topic = new_topic()
    records = [(None, bytes([i]) * 1_000_000) for i in range(5)]
    # librdkafka's own limit counts its overhead, and is 1,000,000 by default.
    produce(topic, records, message_max_bytes=1_048_000)
    assert [(m.key(), m.value()) for m in read(topic, 5)] == records


def job_timestamps():
    topic = new_topic()
    produce(topic, [(None, str(i).encode(), {"timestamp": 1_600_000_000_000 + i * 1000}) for i in range(10)])
    assert [m.timestamp()[1] for m in read(topic, 10)] == [1_600_000_000_000 + i * 1000 for i in range(10)]
    reader = consumer()
    found = reader.offsets_for_times([TopicPartition(topic, 0, 1_600_000_004_500)], 10)
    reader.close()
    assert found[0].offset == 5, found
    assert read(topic, 5, offset=5)[0].value() == b"5"


def job_idempotent():
    topic = new_topic()
    records = [(None, str(i).encode()) for i in range(1000)]
    assert produce(topic, records, enable_idempotence=True, batch_num_messages=50) == list(range(1000))
    assert [m.value() for m in read(topic, 1000)] == [value for _, value in records]


def job_acks_0():
    topic = new_topic()
    producer = Producer({"bootstrap.servers": BOOTSTRAP, "acks": 0})
    for i in range(10):
        producer.produce(topic, value=str(i).encode(), partition=0)
    assert producer.flush(10) == 0
    assert len(read(topic, 10)) == 10


def job_acks_1():
    round_trip(acks=1)


def job_acks_all():
    round_trip(acks="all")


def job_seek():
    topic = new_topic()
    produce(topic, [(None, str(i).encode()) for i in range(20)])
    reader = consumer()
    reader.assign([TopicPartition(topic, 0, OFFSET_BEGINNING)])
    take(reader, 20)
    reader.seek(TopicPartition(topic, 0, 7))
    assert take(reader, 1)[0].offset() == 7
    reader.close()


def member(group, topic, on_assign=lambda *_: None, **settings):
    # With the consumer protocol the broker says how long and how often.
    if "group_protocol" not in settings:
        settings = {"session_timeout_ms": 6000, "heartbeat_interval_ms": 300} | settings
    reader = consumer(group, **settings)
    reader.subscribe([topic], on_assign=on_assign)
    return reader


def share(topic, members, partitions):
    """Polls the members until all partitions are assigned, none of them twice; returns how many each has."""
    def assigned():
        for reader in members:
            message = reader.poll(0.1)
            assert message is None or message.error() is None, message.error()
        owned = [p.partition for reader in members for p in reader.assignment()]
        each = [len(reader.assignment()) for reader in members]
        return sorted(owned) == list(range(partitions)) and min(each) > 0 and each
    return wait_for(f"{partitions} partitions shared by {len(members)} members", assigned)


def job_groups():
    topic, group = new_topic(4), unique("group")
    first = member(group, topic)
    assert share(topic, [first], 4) == [4]
    second = member(group, topic)
    assert share(topic, [first, second], 4) == [2, 2]
    second.close()
    assert share(topic, [first], 4) == [4]
    first.close()


def job_groups_848():
    topic, group = new_topic(4), unique("group")
    first = member(group, topic, group_protocol="consumer")
    assert share(topic, [first], 4) == [4]
    second = member(group, topic, group_protocol="consumer")
    assert share(topic, [first, second], 4) == [2, 2]
    described = admin.describe_consumer_groups([group])[group].result(10)
    assert (described.type.name, len(described.members)) == ("CONSUMER", 2), described
    second.close()
    assert share(topic, [first], 4) == [4]
    # Subscribed by a pattern, which librdkafka leaves to the broker.
    pattern = member(group, f"^{topic}$", group_protocol="consumer")
    assert share(topic, [first, pattern], 4) == [2, 2]
    pattern.close()
    first.close()


def job_static_members():
    # A member must come back before its session ends.
    for settings in ({"session_timeout_ms": 30_000}, {"group_protocol": "consumer"}):
        topic, group, changes = new_topic(2), unique("group"), []
        first = member(group, topic, lambda _, partitions: changes.append(partitions), group_instance_id="one", **settings)
        second = member(group, topic, group_instance_id="two", **settings)
        share(topic, [first, second], 2)
        before, changed = [(p.topic, p.partition) for p in second.assignment()], len(changes)
        second.close()
        second = member(group, topic, group_instance_id="two", **settings)
        share(topic, [first, second], 2)
        assert [(p.topic, p.partition) for p in second.assignment()] == before
        assert len(changes) == changed, "the other member was rebalanced"
        first.close()
        second.close()


def job_cooperative():
    topic, group = new_topic(4), unique("group")
    settings = {"partition_assignment_strategy": "cooperative-sticky"}
    first = member(group, topic, **settings)
    share(topic, [first], 4)
    second = member(group, topic, **settings)
    assert share(topic, [first, second], 4) == [2, 2]
    first.close()
    second.close()


def job_commit_resume():
    topic, group = new_topic(), unique("group")
    produce(topic, [(None, str(i).encode()) for i in range(20)])
    first = member(group, topic)
    take(first, 12)
    first.commit(asynchronous=False)
    first.close()
    second = member(group, topic)
    assert take(second, 1)[0].offset() == 12
    assert second.committed([TopicPartition(topic, 0)], 10)[0].offset == 12
    second.close()


def job_describe_groups():
    topic, group = new_topic(), unique("group")
    produce(topic, [(None, b"x")] * 10)
    reader = member(group, topic)
    take(reader, 10)
    reader.commit(offsets=[TopicPartition(topic, 0, 4)], asynchronous=False)
    assert group in [g.group_id for g in admin.list_consumer_groups().result(10).valid]
    described = admin.describe_consumer_groups([group])[group].result(10)
    assert described.state.name == "STABLE" and len(described.members) == 1, described
    assert described.members[0].assignment.topic_partitions == [TopicPartition(topic, 0)]
    listed = admin.list_consumer_group_offsets([ConsumerGroupTopicPartitions(group)])[group].result(10)
    committed = listed.topic_partitions[0].offset
    latest = admin.list_offsets({TopicPartition(topic, 0): OffsetSpec.latest()})
    end = next(iter(latest.values())).result(10).offset
    assert end - committed == 6, (committed, end)
    reader.close()


def job_delete_records():
    topic = new_topic()
    produce(topic, [(None, str(i).encode()) for i in range(10)])
    deleted = admin.delete_records([TopicPartition(topic, 0, 6)])
    assert next(iter(deleted.values())).result(10).low_watermark == 6
    assert read(topic, 1)[0].offset() == 6


def job_delete_groups():
    topic, group = new_topic(), unique("group")
    produce(topic, [(None, b"x")])
    reader = member(group, topic)
    take(reader, 1)
    reader.commit(asynchronous=False)
    reader.close()
    admin.delete_consumer_groups([group])[group].result(10)
    assert group not in [g.group_id for g in admin.list_consumer_groups().result(10).valid]


def transactional(name):
    producer = Producer({"bootstrap.servers": BOOTSTRAP, "transactional.id": name, "linger.ms": 5})
    producer.init_transactions(30)
    return producer


def job_transactions():
    source, target, group, name = new_topic(), new_topic(), unique("group"), unique("transaction")
    produce(source, [(None, str(i).encode()) for i in range(10)])
    member_of_group = member(group, source)
    take(member_of_group, 10)
    producer = transactional(name)

    def send(value):
        producer.begin_transaction()
        for _ in range(10):
            producer.produce(target, value=value, partition=0)
        assert producer.flush(30) == 0
        producer.send_offsets_to_transaction(
            member_of_group.position(member_of_group.assignment()), member_of_group.consumer_group_metadata(), 30)

    def committed():
        return member_of_group.committed([TopicPartition(source, 0)], 30)[0].offset

    send(b"aborted")
    producer.abort_transaction(30)
    assert committed() == OFFSET_INVALID
    send(b"committed")
    producer.commit_transaction(30)
    assert committed() == 10
    member_of_group.close()
    # What was aborted is there, in front, and left out.
    for level, value in (("read_uncommitted", b"aborted"), ("read_committed", b"committed")):
        reader = consumer(isolation_level=level)
        reader.assign([TopicPartition(target, 0, OFFSET_BEGINNING)])
        assert [m.value() for m in take(reader, 10)] == [value] * 10
        reader.close()
    transactional(name)
    try:
        producer.begin_transaction()
        producer.produce(target, value=b"fenced", partition=0)
        producer.commit_transaction(30)
    except KafkaException as error:
        assert error.args[0].code() == KafkaError._FENCED, error
    else:
        raise AssertionError("the older producer is not fenced")


def job_configs():
    topic = new_topic(retention_ms="1234567")
    resource = ConfigResource(ResourceType.TOPIC, topic)

    def described():
        return admin.describe_configs([resource])[resource].result(10)

    assert described()["retention.ms"].value == "1234567"
    entry = ConfigEntry("segment.bytes", "2097152", incremental_operation=AlterConfigOpType.SET)
    change = ConfigResource(ResourceType.TOPIC, topic, incremental_configs=[entry])
    admin.incremental_alter_configs([change])[change].result(10)
    assert described()["segment.bytes"].value == "2097152"
    assert described()["retention.ms"].value == "1234567"


def job_delete_topics():
    topic = new_topic()
    admin.delete_topics([topic])[topic].result(10)
    assert topic not in admin.list_topics(timeout=10).topics


run_all(globals())
