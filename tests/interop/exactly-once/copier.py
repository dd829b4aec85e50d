"""librdkafka copies records from a topic to the next, a transaction for what a poll has brought: copier.py FROM TO GROUP ID.

Runs until its input is closed. It goes on over whatever a transaction fails with: what can be aborted is aborted and
read again, and otherwise it starts anew with the same transactional id.
"""

import os
import sys
import threading
import time

from confluent_kafka import Consumer, KafkaException, Producer, TopicPartition

source, target, group, name = sys.argv[1:]
BOOTSTRAP = os.environ["BOOTSTRAP"]
# A client that starts from its bootstrap servers again when the last broker goes, which is librdkafka's default, gives up
# the transaction's coordinator with it, does not look for it again, and waits without end where it is needed.
COMMON = {"bootstrap.servers": BOOTSTRAP, "reconnect.backoff.max.ms": 200, "metadata.recovery.strategy": "none"}
ended = threading.Event()


def new_producer():
    producer = Producer(COMMON | {"transactional.id": name, "linger.ms": 2, "transaction.timeout.ms": 20_000})
    patiently(lambda: producer.init_transactions(30))
    return producer


def patiently(step):
    """Takes a step again for as long as it is said to be worth it."""
    while True:
        try:
            return step()
        except KafkaException as error:
            print(f"{name}: {error}", file=sys.stderr, flush=True)
            if not error.args[0].retriable():
                raise
            time.sleep(0.02)


def read_again(consumer):
    """Goes back to what is committed, as what was read since then was not copied."""
    committed = patiently(lambda: consumer.committed(consumer.assignment(), 30))
    for partition in committed:
        offset = partition.offset if partition.offset >= 0 else 0
        consumer.seek(TopicPartition(partition.topic, partition.partition, offset))


def copy(producer, consumer, messages):
    producer.begin_transaction()
    for message in messages:
        producer.produce(target, key=message.key(), value=message.value(), partition=message.partition())
    positions = {}
    for message in messages:
        positions[message.topic(), message.partition()] = message.offset() + 1
    offsets = [TopicPartition(*partition, offset) for partition, offset in positions.items()]
    patiently(lambda: producer.send_offsets_to_transaction(offsets, consumer.consumer_group_metadata(), 30))
    patiently(lambda: producer.commit_transaction(30))


def messages_of(consumer):
    messages = []
    while len(messages) < 100:
        message = consumer.poll(0 if messages else 0.1)
        if message is None:
            break
        if message.error() is None:
            messages.append(message)
        else:
            print(f"{name}: {message.error()}", file=sys.stderr, flush=True)
    return messages


def run():
    consumer = Consumer(COMMON | {"group.id": group, "enable.auto.commit": False, "auto.offset.reset": "earliest",
                                  "isolation.level": "read_committed", "session.timeout.ms": 4000,
                                  "heartbeat.interval.ms": 500, "fetch.wait.max.ms": 50})
    consumer.subscribe([source])
    producer = new_producer()
    while not ended.is_set():
        messages = messages_of(consumer)
        if not messages:
            continue
        try:
            copy(producer, consumer, messages)
        except KafkaException as error:
            print(f"{name}: {error}", file=sys.stderr, flush=True)
            if error.args[0].fatal() or not error.args[0].txn_requires_abort():
                producer = new_producer()
            else:
                patiently(lambda: producer.abort_transaction(30))
            read_again(consumer)
    consumer.close()


threading.Thread(target=lambda: (sys.stdin.read(), ended.set()), daemon=True).start()
run()
