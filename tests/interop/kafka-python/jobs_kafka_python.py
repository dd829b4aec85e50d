"""kafka-python, the client in pure Python."""

import contextlib
import itertools
import pathlib
import sys
import threading
import time

from kafka import KafkaAdminClient, KafkaConsumer, KafkaProducer, TopicPartition
from kafka.admin import ConfigResource, ConfigResourceType, NewTopic
from kafka.coordinator.assignors.cooperative_sticky import CooperativeStickyAssignor
from kafka.errors import InvalidProducerEpochError, ProducerFencedError, TopicAlreadyExistsError
from kafka.structs import OffsetAndMetadata

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))
from jobs import BOOTSTRAP, NotApplicable, run_all, unique, wait_for  # noqa: E402

admin = KafkaAdminClient(bootstrap_servers=BOOTSTRAP)


def new_topic(partitions=1, **configs):
    name = unique("kafka-python")
    admin.create_topics([NewTopic(name, partitions, 1, topic_configs={k.replace("_", "."): v for k, v in configs.items()})])
    return name


def produce(topic, records, **settings):
    producer = KafkaProducer(bootstrap_servers=BOOTSTRAP, **settings)
    futures = []
    for record in records:
        key, value = record[:2]
        extra = record[2] if len(record) > 2 else {}
        futures.append(producer.send(topic, key=key, value=value, partition=0, **extra))
    producer.flush()
    offsets = [future.get(30).offset for future in futures]
    producer.close()
    return offsets


def consumer(group=None, **settings):
    return KafkaConsumer(bootstrap_servers=BOOTSTRAP, group_id=group, auto_offset_reset="earliest",
                         enable_auto_commit=False, **settings)


def take(reader, count, limit_s=30):
    messages = []
    deadline = time.monotonic() + limit_s
    while len(messages) < count:
        assert time.monotonic() < deadline, f"only {len(messages)} of {count} records came"
        for batch in reader.poll(500, max_records=count - len(messages)).values():
            messages.extend(batch)
    return messages


def read(topic, count, offset=0):
    reader = consumer()
    tp = TopicPartition(topic, 0)
    reader.assign([tp])
    reader.seek(tp, offset) if offset else reader.seek_to_beginning(tp)
    messages = take(reader, count)
    reader.close()
    return messages


def round_trip(**settings):
    topic = new_topic()
    records = [(f"k{i}".encode(), f"value {i} ".encode() * 20) for i in range(100)]
    produce(topic, records, **settings)
    assert [(m.key, m.value) for m in read(topic, 100)] == records


def job_create_topics():
    topic = new_topic(3)
    assert topic in admin.list_topics()
    assert len(admin.describe_topics([topic])[0]["partitions"]) == 3
    try:
        admin.create_topics([NewTopic(topic, 3, 1)])
    except TopicAlreadyExistsError:
        return
    raise AssertionError("the topic was created twice")


def job_produce_none():
    round_trip()


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
    headers = [("a", b"1"), ("a", b"")]
    produce(topic, [(b"key", b"value", {"headers": headers}), (None, b""), (b"gone", None)])
    first, empty, null = read(topic, 3)
    assert list(map(tuple, first.headers)) == headers, first.headers
    assert (empty.key, empty.value) == (None, b"")
    assert (null.key, null.value) == (b"gone", None)


def job_large_values():
    topic = new_topic()
    records = [(None, bytes([i]) * 1_000_000) for i in range(5)]
    produce(topic, records)
    assert [(m.key, m.value) for m in read(topic, 5)] == records


def job_timestamps():
    topic = new_topic()
    produce(topic, [(None, str(i).encode(), {"timestamp_ms": 1_600_000_000_000 + i * 1000}) for i in range(10)])
    assert [m.timestamp for m in read(topic, 10)] == [1_600_000_000_000 + i * 1000 for i in range(10)]
    reader = consumer()
    tp = TopicPartition(topic, 0)
    found = reader.offsets_for_times({tp: 1_600_000_004_500})
    reader.close()
    assert (found[tp].offset, found[tp].timestamp) == (5, 1_600_000_005_000), found
    assert read(topic, 5, offset=5)[0].value == b"5"


def job_idempotent():
    topic = new_topic()
    records = [(None, str(i).encode()) for i in range(1000)]
    assert produce(topic, records, enable_idempotence=True, batch_size=1000) == list(range(1000))
    assert [m.value for m in read(topic, 1000)] == [value for _, value in records]


def job_acks_0():
    topic = new_topic()
    producer = KafkaProducer(bootstrap_servers=BOOTSTRAP, acks=0, enable_idempotence=False)
    for i in range(10):
        producer.send(topic, value=str(i).encode(), partition=0)
    producer.flush()
    producer.close()
    assert len(read(topic, 10)) == 10


def job_acks_1():
    round_trip(acks=1, enable_idempotence=False)


def job_acks_all():
    round_trip(acks="all")


def job_seek():
    topic = new_topic()
    produce(topic, [(None, str(i).encode()) for i in range(20)])
    reader = consumer()
    tp = TopicPartition(topic, 0)
    reader.assign([tp])
    reader.seek_to_beginning(tp)
    take(reader, 20)
    reader.seek(tp, 7)
    assert take(reader, 1)[0].offset == 7
    reader.close()


def member(group, topic, **settings):
    reader = consumer(group, session_timeout_ms=6000, heartbeat_interval_ms=300, **settings)
    reader.subscribe([topic])
    return reader


class Polled:
    """A member that a thread of its own polls: a poll waits for the group, so one thread cannot serve two members."""

    def __init__(self, group, topic, **settings):
        self.assigned = set()
        self._stop = threading.Event()
        self._reader = member(group, topic, **settings)
        self._thread = threading.Thread(target=self._poll)
        self._thread.start()

    def _poll(self):
        while not self._stop.is_set():
            self._reader.poll(100)
            self.assigned = {tp.partition for tp in self._reader.assignment()}
        self._reader.close()

    def close(self):
        self._stop.set()
        self._thread.join()


def share(members, partitions):
    """Waits until all partitions are assigned, none of them twice; returns how many each has."""
    def assigned():
        all_of_them = [member.assigned for member in members]
        each = [len(assigned) for assigned in all_of_them]
        return sorted(itertools.chain(*all_of_them)) == list(range(partitions)) and min(each) > 0 and each
    return wait_for(f"{partitions} partitions shared by {len(members)} members", assigned)


def job_groups():
    topic, group = new_topic(4), unique("group")
    with contextlib.closing(Polled(group, topic)) as first:
        assert share([first], 4) == [4]
        with contextlib.closing(Polled(group, topic)) as second:
            assert share([first, second], 4) == [2, 2]
        assert share([first], 4) == [4]


def job_static_members():
    topic, group = new_topic(2), unique("group")
    with contextlib.closing(Polled(group, topic, group_instance_id="one")) as first:
        with contextlib.closing(Polled(group, topic, group_instance_id="two")) as second:
            share([first, second], 2)
            before = second.assigned
        with contextlib.closing(Polled(group, topic, group_instance_id="two")) as second:
            share([first, second], 2)
            assert second.assigned == before


def job_groups_848():
    raise NotApplicable("kafka-python has no consumer protocol")


def job_cooperative():
    topic, group = new_topic(4), unique("group")
    settings = {"partition_assignment_strategy": [CooperativeStickyAssignor]}
    with contextlib.closing(Polled(group, topic, **settings)) as first:
        share([first], 4)
        with contextlib.closing(Polled(group, topic, **settings)) as second:
            assert share([first, second], 4) == [2, 2]


def job_commit_resume():
    topic, group = new_topic(), unique("group")
    produce(topic, [(None, str(i).encode()) for i in range(20)])
    first = member(group, topic)
    take(first, 12)
    first.commit()
    first.close()
    second = member(group, topic)
    assert take(second, 1)[0].offset == 12
    assert second.committed(TopicPartition(topic, 0)) == 12
    second.close()


def job_describe_groups():
    topic, group = new_topic(), unique("group")
    produce(topic, [(None, b"x")] * 10)
    reader = member(group, topic)
    take(reader, 10)
    tp = TopicPartition(topic, 0)
    reader.commit({tp: OffsetAndMetadata(4, "noted", -1)})
    assert group in str(admin.list_groups())
    described = str(admin.describe_groups([group]))
    assert "Stable" in described and group in described, described
    assert topic in str(admin.list_group_offsets({group: None}))
    assert reader.end_offsets([tp])[tp] - reader.committed(tp) == 6
    reader.close()


def job_delete_records():
    topic = new_topic()
    produce(topic, [(None, str(i).encode()) for i in range(10)])
    admin.delete_records({TopicPartition(topic, 0): 6})
    assert read(topic, 1)[0].offset == 6


def job_delete_groups():
    topic, group = new_topic(), unique("group")
    produce(topic, [(None, b"x")])
    reader = member(group, topic)
    take(reader, 1)
    reader.commit()
    reader.close()
    admin.delete_groups([group])
    assert group not in str(admin.list_groups())


def transactional(name):
    producer = KafkaProducer(bootstrap_servers=BOOTSTRAP, transactional_id=name)
    producer.init_transactions()
    return producer


def job_transactions():
    source, target, group, name = new_topic(), new_topic(), unique("group"), unique("transaction")
    tp = TopicPartition(source, 0)
    produce(source, [(None, str(i).encode()) for i in range(10)])
    member_of_group = member(group, source)
    take(member_of_group, 10)
    producer = transactional(name)

    def send(value):
        producer.begin_transaction()
        for _ in range(10):
            producer.send(target, value=value, partition=0)
        producer.flush()
        offsets = {tp: OffsetAndMetadata(member_of_group.position(tp), "", -1)}
        producer.send_offsets_to_transaction(offsets, member_of_group.group_metadata())

    send(b"aborted")
    producer.abort_transaction()
    assert member_of_group.committed(tp) is None
    send(b"committed")
    producer.commit_transaction()
    assert member_of_group.committed(tp) == 10
    member_of_group.close()
    # What was aborted is there, in front, and left out.
    for level, value in (("read_uncommitted", b"aborted"), ("read_committed", b"committed")):
        reader = consumer(isolation_level=level)
        reader.assign([TopicPartition(target, 0)])
        reader.seek_to_beginning(TopicPartition(target, 0))
        assert [m.value for m in take(reader, 10)] == [value] * 10
        reader.close()
    newer = transactional(name)
    try:
        producer.begin_transaction()
        producer.send(target, value=b"fenced", partition=0).get(30)
        producer.commit_transaction()
    except (ProducerFencedError, InvalidProducerEpochError):
        pass
    else:
        raise AssertionError("the older producer is not fenced")
    newer.close()


def job_configs():
    topic = new_topic(retention_ms="1234567")
    described = str(admin.describe_configs([ConfigResource(ConfigResourceType.TOPIC, topic)]))
    assert "1234567" in described, described
    admin.alter_configs([ConfigResource(ConfigResourceType.TOPIC, topic, configs={"segment.bytes": "2097152"})])
    described = str(admin.describe_configs([ConfigResource(ConfigResourceType.TOPIC, topic)]))
    assert "2097152" in described, described


def job_delete_topics():
    topic = new_topic()
    admin.delete_topics([topic])
    wait_for("the topic is gone", lambda: topic not in admin.list_topics())


run_all(globals())
