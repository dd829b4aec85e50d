"""What takes minutes with Kafka, or cannot be done. Run by examples/pytest/run."""

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
from confluent_kafka import Consumer, KafkaError, KafkaException, Producer
from ottla_kafka import Kafka, OttlaError


def producer(kafka, **settings):
    return Producer({"bootstrap.servers": kafka.bootstrap_servers, "linger.ms": 0, **settings})


def send(kafka, *values, **settings):
    errors = []
    client = producer(kafka, **settings)
    for value in values:
        client.produce("orders", value, on_delivery=lambda error, _: errors.append(error))
    assert client.flush(30) == 0
    return errors


def consumer(kafka, **settings):
    client = Consumer(
        {
            "bootstrap.servers": kafka.bootstrap_servers,
            "group.id": "billing",
            "auto.offset.reset": "earliest",
            "enable.auto.commit": False,
            **settings,
        }
    )
    client.subscribe(["orders"])
    return client


def receive(client, count):
    messages = []
    while len(messages) < count:
        message = client.poll(30)
        assert message is not None, "nothing came"
        assert message.error() is None, message.error()
        messages.append(message.value().decode())
    return messages


def test_a_binary_that_is_not_there_is_told_with_the_remedy(monkeypatch):
    monkeypatch.setenv("OTTLA", "/not/there")
    with pytest.raises(OttlaError, match=r"cannot start /not/there \(No such file.*\): set OTTLA to the binary"):
        Kafka()


def test_a_week_of_retention_passes_at_once(kafka):
    kafka.create_topic("orders", retention_ms=7 * 24 * 3600 * 1000, segment_ms=60_000)
    assert send(kafka, "old") == [None]
    kafka.advance(8 * 24 * 3600)
    assert kafka.records("orders") == []


def test_three_wrong_leaders_and_a_lost_answer_make_no_duplicate(kafka):
    kafka.create_topic("orders")
    wrong = kafka.fault(api="Produce", topic="orders", times=3, answer="NOT_LEADER_OR_FOLLOWER")
    lost = kafka.fault(api="Produce", topic="orders", skip=3, times=1, disconnectAfter=True)
    dropped = kafka.fault(api="Produce", topic="orders", skip=4, times=1, dropAnswer=True)
    errors = send(kafka, "once", **{"enable.idempotence": True, "retry.backoff.ms": 10, "socket.timeout.ms": 2_000})
    assert errors == [None]
    assert [kafka.fault_hits(fault) for fault in (wrong, lost, dropped)] == [3, 1, 1]
    assert [record["value"] for record in kafka.records("orders")] == ["once"]


def test_a_consumer_times_out_by_the_brokers_clock_and_comes_back(kafka):
    kafka.create_topic("orders")
    send(kafka, "one")
    client = consumer(kafka, **{"session.timeout.ms": 45_000, "heartbeat.interval.ms": 1_000})
    assert receive(client, 1) == ["one"]
    kafka.wait_until("groupStable", group="billing", members=1)
    generation = kafka.groups()["billing"]["generationId"]
    kafka.advance(60)
    # It finds out by itself, and joins again.
    send(kafka, "two")
    assert "two" in receive(client, 2)
    kafka.wait_until("groupStable", group="billing", members=1)
    assert kafka.groups()["billing"]["generationId"] > generation
    client.close()


def test_the_lag_is_zero_when_all_is_committed(kafka):
    kafka.create_topic("orders", partitions=2)
    send(kafka, *[f"order-{number}" for number in range(20)])
    client = consumer(kafka)
    receive(client, 20)
    with pytest.raises(OttlaError, match="it has committed nothing"):
        kafka.wait_until("lagZero", limit_seconds=0, group="billing")
    client.commit(asynchronous=False)
    kafka.wait_until("lagZero", group="billing")
    client.close()


def test_a_refused_commit_is_told_to_the_program(kafka):
    kafka.create_topic("orders")
    send(kafka, "one")
    client = consumer(kafka)
    receive(client, 1)
    kafka.fault(api="OffsetCommit", group="billing", times=1, answer="GROUP_AUTHORIZATION_FAILED")
    with pytest.raises(Exception) as refused:
        client.commit(asynchronous=False)
    assert refused.value.args[0].code() == KafkaError.GROUP_AUTHORIZATION_FAILED
    client.close()


def test_each_test_has_an_empty_broker(kafka):
    assert kafka.call("GET", "/v1/topics") == []
    assert kafka.groups() == {}
    assert kafka.journal() == []


def test_two_tests_at_once_with_one_topic_name_do_not_see_each_other(kafka):
    # Each goes on when the other is as far: they are under way at once.
    both_have_sent, both_have_read = Barrier(2, timeout=60), Barrier(2, timeout=60)

    def test(name):
        namespace = kafka.namespace(name)
        assert send(namespace, f"first of {name}", f"second of {name}") == [None, None]
        both_have_sent.wait()
        client = consumer(namespace)
        values = receive(client, 2)
        client.commit(asynchronous=False)
        namespace.wait_until("lagZero", group="billing")
        both_have_read.wait()
        topics = client.list_topics(timeout=30).topics
        client.close()
        return values, [topic for topic in topics if not topic.startswith("__")]

    with ThreadPoolExecutor() as tests:
        a, b = tests.map(test, ["a", "b"])
    assert a == (["first of a", "second of a"], ["orders"])
    assert b == (["first of b", "second of b"], ["orders"])
    assert len(kafka.records("a.orders")) == 2
    assert kafka.groups()["b.billing"]["offsets"][0]["topic"] == "b.orders"
    kafka.namespace("a").end()
    assert [topic["name"] for topic in kafka.call("GET", "/v1/topics") if topic["name"].endswith("orders")] == ["b.orders"]
    kafka.namespace("b").end()


def test_a_test_without_any_client(kafka_namespace):
    broker, topic = kafka_namespace.broker, kafka_namespace.full_name("orders")
    assert [at["offset"] for at in broker.produce(topic, "one", {"value": "two", "headers": []}, key="k")] == [0, 1]
    assert kafka_namespace.values("orders") == ["one", "two"]
    client = consumer(kafka_namespace)
    assert receive(client, 2) == ["one", "two"]
    client.close()


def test_what_all_tests_need_is_prepared_once(kafka):
    kafka.create_topic("orders", partitions=1)
    send(kafka, "prepared")
    prepared = kafka.snapshot()
    fork = kafka.fork()
    send(fork, "of the fork")
    send(kafka, "of a test")
    assert [record["value"] for record in fork.records("orders")] == ["prepared", "of the fork"]
    kafka.restore(prepared)
    assert [record["value"] for record in kafka.records("orders")] == ["prepared"]
    fork.stop()


def test_a_broker_that_hangs_answers_when_it_goes_on(kafka):
    client = producer(kafka)
    kafka.pause()
    with pytest.raises(KafkaException):
        client.list_topics(timeout=0.2)
    kafka.resume()
    client.list_topics(timeout=30)


def test_a_sync_takes_a_day_of_the_brokers_time(kafka):
    kafka.create_topic("orders", flush_messages=1)
    kafka.delay_disk("sync", 24 * 3600, path="orders-0/", times=1)
    refused = send(kafka, "slow", **{"message.timeout.ms": 1_000})
    assert refused[0].code() == KafkaError._MSG_TIMED_OUT
    kafka.heal_disk()
    assert send(kafka, "fast") == [None]


def test_groups_may_have_names_that_mean_something_in_a_path(kafka):
    kafka.create_topic("orders")
    send(kafka, "one")
    client = consumer(kafka, **{"group.id": "who reads/what? #1"})
    receive(client, 1)
    assert any("new member" in text for text in kafka.group_history("who reads/what? #1"))
    client.close()


def test_a_group_tells_why_it_rebalanced(kafka):
    kafka.create_topic("orders")
    send(kafka, "one")
    client = consumer(kafka)
    receive(client, 1)
    client.close()
    history = kafka.group_history("billing")
    assert any("new member" in text for text in history), history
    assert any("leaves group billing" in text for text in history), history


def test_a_transaction_is_fenced_after_a_pause(kafka):
    kafka.create_topic("orders")
    client = producer(kafka, **{"transactional.id": "till-4", "transaction.timeout.ms": 60_000})
    client.init_transactions(30)
    client.begin_transaction()
    client.produce("orders", "late")
    assert client.flush(30) == 0
    kafka.advance(300)
    with pytest.raises(KafkaException) as fenced:
        client.commit_transaction(30)
    assert fenced.value.args[0].fatal()
    history = kafka.transaction_history("till-4")
    assert any("more than its timeout of 60000 ms" in text for text in history), history


def test_a_failed_fsync_loses_nothing_that_was_acknowledged(kafka):
    kafka.create_topic("orders", flush_messages=1)
    assert send(kafka, "acknowledged") == [None]
    kafka.fail_disk("sync")
    refused = send(kafka, "refused", **{"retries": 0})
    assert refused[0].code() == KafkaError.KAFKA_STORAGE_ERROR
    kafka.heal_disk()
    kafka.restart()
    assert kafka.records("orders")[0]["value"] == "acknowledged"


def test_a_power_loss_loses_nothing_that_was_acknowledged_as_flushed():
    kafka = Kafka("--volatile-disk")
    kafka.create_topic("orders", flush_messages=1)
    kafka.create_topic("views")
    assert send(kafka, "flushed") == [None]
    kafka.produce("views", "not flushed")
    kafka.lose_power()
    assert (kafka.values("orders"), kafka.values("views")) == (["flushed"], [])
    kafka.stop()


@pytest.fixture
def brokers():
    kafka = Kafka("--nodes", "3")
    yield kafka
    kafka.stop()


def test_a_producer_survives_moves_of_the_leader_and_a_broker_that_is_down(brokers):
    brokers.create_topic("orders")
    client = producer(brokers, **{"enable.idempotence": True, "retry.backoff.ms": 10})
    values = [f"order-{number}" for number in range(4)]
    for value in values:
        errors = []
        client.produce("orders", value, on_delivery=lambda error, _: errors.append(error))
        assert client.flush(30) == 0 and errors == [None], errors
        if value == values[0]:
            brokers.move("leader", topic="orders")
        if value == values[1]:
            brokers.node_down(brokers.leader("orders"))
        if value == values[2]:
            brokers.fault(api="Produce", times=1, moveLeader=True)
    assert [record["value"] for record in brokers.records("orders")] == values


def test_a_group_survives_the_move_of_its_coordinator(brokers):
    brokers.create_topic("orders")
    send(brokers, "one")
    client = consumer(brokers, **{"heartbeat.interval.ms": 300})
    assert receive(client, 1) == ["one"]
    brokers.wait_until("groupStable", group="billing", members=1)
    generation = brokers.groups()["billing"]["generationId"]
    heartbeats = len(brokers.journal("Heartbeat", group="billing"))
    moved_to = brokers.move("coordinator", group="billing")
    # One may have been on its way, one is refused, and the next finds the new coordinator. With a commit that finds the
    # old one first, librdkafka may drop each connection to the new one before it stands.
    brokers.wait_until("requests", api="Heartbeat", group="billing", count=heartbeats + 3, limit_seconds=30)
    send(brokers, "two")
    assert receive(client, 1) == ["two"]
    client.commit(asynchronous=False)
    group = brokers.groups()["billing"]
    assert (group["coordinator"], group["generationId"]) == (moved_to, generation)
    client.close()


def test_a_client_of_today_speaks_to_a_broker_as_old_as_2_7():
    kafka = Kafka("--as-kafka", "2.7")
    kafka.create_topic("orders")
    assert send(kafka, "old") == [None]
    client = consumer(kafka)
    assert receive(client, 1) == ["old"]
    client.close()
    assert {request["version"] for request in kafka.journal("Produce")} <= set(range(9))
    kafka.stop()
