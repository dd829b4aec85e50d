"""Transactions of the second generation (KIP-890): partitions and groups join by being written to, and each end takes the
producer to its next epoch."""

from records import TRANSACTIONAL, batch
from rows import every_version, once
from rows.b_produce import made, named
from rows.g_transactions import ABORT, COMMIT, add, begun

CONCURRENT_TRANSACTIONS = 51
END, OFFSETS, DESCRIBE = 5, 5, 0


def records_of(producer, sequence=0, epoch=0):
    """A record in a transaction, `epoch` above the one that the producer began with."""
    _, pid, first = producer
    make = lambda p, e: batch([b"t"], producer_id=p, producer_epoch=e + epoch, sequence=sequence, attributes=TRANSACTIONAL)
    return type(pid)(*(make(p, e) for p, e in zip(pid.sides, first.sides)))


def codes_of(answer):
    """Every error code in an answer."""
    if isinstance(answer, dict):
        return [code for key, value in answer.items() for code in ([value] if key == "errorCode" else codes_of(value))]
    return [code for value in answer for code in codes_of(value)] if isinstance(answer, list) else []


def settled(ask, c, row, api, version, **values):
    """A row for which the markers of the transaction before must have been written."""
    answer = ask.until(c, lambda a: CONCURRENT_TRANSACTIONS not in codes_of(a), api, version, **values)
    ask.row(api, version, row, answer)
    return answer


def produced(ask, c, v, row, producer, topic, partition=0, tid=None, **more):
    data = {"index": partition, "records": records_of(producer, **more)}
    return settled(ask, c, row, "Produce", v, transactionalId=tid or producer[0], acks=-1, timeoutMs=10000,
                   topicData=[{**named(topic), "partitionData": [data]}])


def ended(ask, c, row, producer, outcome, version=END, epoch=0, **more):
    tid, pid, first = producer
    return settled(ask, c, row, "EndTxn", version, **{
        "transactionalId": tid, "producerId": pid, "producerEpoch": first + epoch, "committed": outcome, **more})


def described(ask, c, row, producer):
    """How it stands, once what is being ended is ended; 2.7 cannot tell."""
    if DESCRIBE not in ask.versions("DescribeTransactions"):
        return
    is_settled = lambda answer: not any(t["transactionState"].startswith("Prepare") for t in answer["transactionStates"])
    answer = ask.until(c, is_settled, "DescribeTransactions", DESCRIBE, transactionalIds=[producer[0]])
    # Kafka keeps its partitions in no order.
    for side in answer.sides:
        for topic in (topic for transaction in side["transactionStates"] for topic in transaction["topics"]):
            topic["partitions"].sort()
    ask.row("DescribeTransactions", DESCRIBE, row, answer)


@every_version("Produce", first=12)
def implicit(ask, c, v):
    if END not in ask.versions("EndTxn"):
        return
    topic, producer = made(ask, partitions=2), begun(ask, c)
    produced(ask, c, v, "S-178 the first partition joins by a record", producer, topic)
    described(ask, c, "S-190 with one partition that joined by a record", producer)
    produced(ask, c, v, "S-178 the second partition joins by a record", producer, topic, partition=1)
    produced(ask, c, v, "S-178 another record", producer, topic, sequence=1)
    produced(ask, c, v, "S-056 the same record again", producer, topic, sequence=1)
    produced(ask, c, v, "S-055 a record is left out", producer, topic, sequence=5)
    described(ask, c, "S-190 with two partitions that joined by records", producer)
    produced(ask, c, v, "an unknown partition does not join", producer, topic, partition=9)
    produced(ask, c, v, "an epoch above", producer, topic, epoch=5)
    produced(ask, c, v, "S-057 an unknown transactional id, of one whose partition is in already", producer, topic, tid="no-such-id")
    ended(ask, c, "S-180 commit", producer, COMMIT)
    ended(ask, c, "S-180 commit again, as a retry", producer, COMMIT)
    ended(ask, c, "S-180 abort what is committed, in the old epoch", producer, ABORT)
    produced(ask, c, v, "S-056 a record in the old epoch", producer, topic, sequence=2)
    ended(ask, c, "S-180 commit nothing", producer, COMMIT, epoch=1)
    produced(ask, c, v, "S-055 the new epoch does not begin with the first sequence", producer, topic, epoch=1, sequence=3)
    produced(ask, c, v, "S-178 a record in the new epoch", producer, topic, epoch=1)
    ended(ask, c, "S-180 abort", producer, ABORT, epoch=1)
    ended(ask, c, "S-180 abort again, as a retry", producer, ABORT, epoch=1)
    ended(ask, c, "S-180 commit what is aborted, in the old epoch", producer, COMMIT, epoch=1)
    ended(ask, c, "S-180 an epoch that is two behind", producer, COMMIT)
    ended(ask, c, "S-180 an epoch above", producer, COMMIT, epoch=7)
    described(ask, c, "S-190 after both", producer)
    asked = [{"name": topic[0], "partitionIndexes": [0, 1]}]
    c("S-191 after both", "DescribeProducers", 0, topics=asked)
    for level in (0, 1):
        parts = [{"partition": p, "fetchOffset": 0, "partitionMaxBytes": 1 << 20} for p in (0, 1)]
        c(f"S-183 what is read at isolation level {level}", "Fetch", 11, replicaId=-1, maxWaitMs=0, maxBytes=1 << 20,
          isolationLevel=level, topics=[{"topic": topic[0], "partitions": parts}])


@once
def ends_of_nothing(ask, c):
    """A transaction without any record or offset."""
    if END not in ask.versions("EndTxn"):
        return
    for version in ask.versions("EndTxn"):
        producer = begun(ask, c)
        ended(ask, c, "S-180 abort where there never was a transaction", producer, ABORT, version)
        described(ask, c, f"S-190 after version {version} has aborted nothing", producer)
        ended(ask, c, "S-180 abort once more", producer, ABORT, version)
    producer = begun(ask, c)
    ended(ask, c, "S-180 abort nothing, in the next epoch, again and again", producer, ABORT)
    for epoch in (1, 2, 3):
        ended(ask, c, "S-180 abort nothing, in the next epoch, again and again", producer, ABORT, epoch=epoch)
    ended(ask, c, "S-180 the empty transactional id", producer, COMMIT, transactionalId="")


@once
def both_generations(ask, c):
    """A producer that joins partitions as before and ends as of the second generation, and the other way round."""
    if END not in ask.versions("EndTxn"):
        return
    topic = made(ask)
    v = max(ask.versions("Produce"))
    producer = begun(ask, c)
    add(c, producer, topic[0], 3)
    produced(ask, c, 11, "S-178 a partition that joined as before", producer, topic)
    ended(ask, c, "S-180 and its end in the second generation", producer, COMMIT)
    produced(ask, c, v, "S-178 a record in the next epoch", producer, topic, epoch=1)
    ended(ask, c, "S-180 and its end in the first generation", producer, COMMIT, version=4, epoch=1)
    described(ask, c, "S-190 after both", producer)
    producer = begun(ask, c)
    produced(ask, c, v, "S-178 a partition that joins by a record", producer, topic)
    send = lambda row, version: settled(ask, c, row, "InitProducerId", version, transactionalId=producer[0], transactionTimeoutMs=60000)
    answer = send("S-176 another producer while it is open", max(ask.versions("InitProducerId")))
    described(ask, c, "S-176 another producer has begun", producer)
    ended(ask, c, "S-176 the fenced one commits", producer, COMMIT)
    produced(ask, c, v, "S-176 the fenced one writes", producer, topic, sequence=1)
    new = (producer[0], answer.producerId, answer.producerEpoch)
    produced(ask, c, v, "S-176 the new one writes", new, topic)
    ended(ask, c, "S-176 the new one commits", new, COMMIT)


@every_version("Produce", first=3)
def not_in_it(ask, c, v):
    """What a version says of a partition that is not in the transaction: older ones do not know that it can be aborted."""
    if END not in ask.versions("EndTxn"):
        return
    topic, other, producer = made(ask), made(ask), begun(ask, c)
    produced(ask, c, v, "S-057 a partition that is not in the transaction, without one", producer, topic)
    if v < 12:
        add(c, producer, other[0])
        produced(ask, c, v, "S-057 a partition that is not in the transaction, beside one that is", producer, topic)
        produced(ask, c, v, "S-057 another transactional id's producer", producer, other, tid=begun(ask, c)[0])
    described(ask, c, f"S-190 after version {v} has written", producer)


@every_version("TxnOffsetCommit")
def offsets_of_no_group_in_it(ask, c, v):
    """Offsets of a group that has not joined."""
    if END not in ask.versions("EndTxn"):
        return
    topic, group = ask.topic(), ask.name("group")
    producer = begun(ask, c)
    tid, pid, epoch = producer
    part = {"partitionIndex": 0, "committedOffset": 3, "committedMetadata": "m"}
    send = lambda row, **more: settled(ask, c, row, "TxnOffsetCommit", v, **{
        "transactionalId": tid, "groupId": group, "producerId": pid, "producerEpoch": epoch, "topics": [{"name": topic, "partitions": [part]}], **more})
    send("S-186 offsets of a group that is not in the transaction")
    described(ask, c, f"S-190 after version {v} has committed offsets", producer)
    send("S-186 an epoch above", producerEpoch=epoch + 5)
    send("S-186 an unknown transactional id, of one whose group is in already" if v >= OFFSETS else "S-186 an unknown transactional id", transactionalId="no-such-id")
    if v < OFFSETS:
        return
    ended(ask, c, "S-180 commit of offsets alone", producer, COMMIT)
    asked = [{"name": topic, "partitionIndexes": [0]}]
    seen = lambda a: a["topics"][0]["partitions"][0]["committedOffset"] == 3
    ask.row("OffsetFetch", 5, "S-185 after the commit", ask.until(c, seen, "OffsetFetch", 5, groupId=group, topics=asked))
    send("S-186 offsets in the old epoch")
