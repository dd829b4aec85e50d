"""Transactions."""

from records import TRANSACTIONAL, batch
from rows import every_version, once

COMMIT, ABORT = True, False


def begun(ask, c, **more):
    """A transactional producer: (transactional id, producer id, epoch)."""
    name = ask.name("txn")
    fine = lambda answer: answer["errorCode"] == 0
    ask.until(c, fine, "FindCoordinator", 1, key=name, keyType=1)
    producer = ask.until(c, fine, "InitProducerId", 1, transactionalId=name, transactionTimeoutMs=60000, **more)
    return name, producer.producerId, producer.producerEpoch


def add(c, producer, topic, version=0, name=None, **more):
    """Joins a partition to the transaction."""
    tid, pid, epoch = producer
    values = dict(v3AndBelowTransactionalId=tid, v3AndBelowProducerId=pid, v3AndBelowProducerEpoch=epoch,
                  v3AndBelowTopics=[{"name": topic, "partitions": [0]}])
    values.update(more)
    return c(name, "AddPartitionsToTxn", version, **values) if name else c.unasked("AddPartitionsToTxn", version, **values)


def written(ask, c, producer, topic, sequence=0):
    """A record within the transaction."""
    tid, pid, epoch = producer
    make = lambda p, e: batch([b"t"], producer_id=p, producer_epoch=e, sequence=sequence, attributes=TRANSACTIONAL)
    data = type(pid)(*(make(p, e) for p, e in zip(pid.sides, epoch.sides)))
    c.unasked("Produce", 7, transactionalId=tid, acks=-1, timeoutMs=10000,
              topicData=[{"name": topic, "partitionData": [{"index": 0, "records": data}]}])


def end(ask, c, producer, outcome, version=1):
    tid, pid, epoch = producer
    return c.unasked("EndTxn", version, transactionalId=tid, producerId=pid, producerEpoch=epoch, committed=outcome)


@every_version("InitProducerId")
def init_producer_id(ask, c, v):
    producer = begun(ask, c)
    name = producer[0]
    send = lambda row, **more: c(row, "InitProducerId", v, **{"transactionalId": name, "transactionTimeoutMs": 60000, **more})
    send("S-175 the same id again")
    send("S-174 no timeout", transactionTimeoutMs=0)
    send("S-174 a negative timeout", transactionTimeoutMs=-1)
    send("S-174 a timeout that is too long", transactionTimeoutMs=900001)
    if v >= 3:
        send("S-177 another producer id", producerId=123456, producerEpoch=0)
        send("S-177 an epoch above the present one", producerId=producer[1], producerEpoch=9)
        send("S-177 the present epoch", producerId=producer[1], producerEpoch=1)
        send("S-177 the epoch before, as a retry", producerId=producer[1], producerEpoch=1)
        send("S-177 an old epoch", producerId=producer[1], producerEpoch=0)


@every_version("InitProducerId", last=1)
def open_transaction(ask, c, v):
    producer, topic = begun(ask, c), ask.topic()
    add(c, producer, topic)
    send = lambda row: c(row, "InitProducerId", v, transactionalId=producer[0], transactionTimeoutMs=60000)
    send("S-176 while a transaction is open")
    fine = lambda answer: answer["errorCode"] == 0
    answer = ask.until(c, fine, "InitProducerId", v, transactionalId=producer[0], transactionTimeoutMs=60000)
    ask.row("InitProducerId", v, "S-176 once it is aborted", answer)
    c("S-176 the older producer is fenced", "EndTxn", 0, transactionalId=producer[0], producerId=producer[1], producerEpoch=producer[2], committed=True)


@every_version("AddPartitionsToTxn", last=3)
def add_partitions(ask, c, v):
    producer, topic = begun(ask, c), ask.topic()
    send = lambda row, *a, **more: add(c, producer, topic, v, row, *a, **more)
    send("S-178 a partition")
    send("S-178 again")
    send("S-178 another producer id", v3AndBelowProducerId=123456)
    send("S-178 an epoch above", v3AndBelowProducerEpoch=9)
    send("S-178 no producer id", v3AndBelowProducerId=-1)
    send("S-178 an unknown transactional id", v3AndBelowTransactionalId="no-such-id")
    send("S-178 the empty transactional id", v3AndBelowTransactionalId="")
    send("S-178 one known, one unknown", v3AndBelowTopics=[{"name": topic, "partitions": [0, 9]}, {"name": "no-such-topic", "partitions": [0]}])
    send("S-178 none", v3AndBelowTopics=[])


@every_version("AddPartitionsToTxn", first=4)
def add_partitions_of_several(ask, c, v):
    """What brokers ask of a coordinator: to verify, or to add, for several transactions at once."""
    topic, (tid, pid, epoch) = ask.topic(), begun(ask, c)

    def one(tid=tid, verify=False, partitions=(0,), **more):
        return {"transactionalId": tid, "producerId": pid, "producerEpoch": epoch, "verifyOnly": verify,
                "topics": [{"name": topic, "partitions": list(partitions)}], **more}

    send = lambda row, *transactions: c(row, "AddPartitionsToTxn", v, transactions=list(transactions))
    send("S-057 verify what is not in it", one(verify=True))
    send("S-178 add", one())
    send("S-057 verify what is in it", one(verify=True))
    send("S-057 verify another producer id", one(verify=True, producerId=123456))
    send("S-178 several", one(), one("no-such-id"), one("no-such-id-either", verify=True))
    send("S-178 an unknown partition", one(partitions=[0, 9]))


@every_version("AddOffsetsToTxn")
def add_offsets(ask, c, v):
    tid, pid, epoch = begun(ask, c)
    send = lambda row, **more: c(row, "AddOffsetsToTxn", v, **{"transactionalId": tid, "producerId": pid, "producerEpoch": epoch, "groupId": "g", **more})
    send("S-179 a group")
    send("S-179 again")
    send("S-179 another producer id", producerId=123456)
    send("S-179 an epoch above", producerEpoch=9)
    send("S-179 an unknown transactional id", transactionalId="no-such-id")
    send("S-179 the empty group", groupId="")


@every_version("EndTxn")
def end_txn(ask, c, v):
    topic = ask.topic()
    send = lambda row, producer, outcome, **more: c(row, "EndTxn", v, **{
        "transactionalId": producer[0], "producerId": producer[1], "producerEpoch": producer[2], "committed": outcome, **more})
    producer = begun(ask, c)
    send("S-180 commit where there is no transaction", producer, COMMIT)
    send("S-180 an unknown transactional id", producer, COMMIT, transactionalId="no-such-id")
    send("S-180 another producer id", producer, COMMIT, producerId=123456)
    send("S-180 an epoch above", producer, COMMIT, producerEpoch=9)
    add(c, producer, topic)
    written(ask, c, producer, topic)
    send("S-180 commit", producer, COMMIT)
    latest = [{"name": topic, "partitions": [{"partitionIndex": 0, "timestamp": -1}]}]
    stable = lambda end: ask.until(c, lambda a: a["topics"][0]["partitions"][0]["offset"] == end, "ListOffsets", 2,
                                   replicaId=-1, isolationLevel=1, topics=latest)
    # Kafka may write the marker after it has answered, and so after what comes next.
    stable(2)
    aborted = begun(ask, c)
    add(c, aborted, topic)
    written(ask, c, aborted, topic)
    send("S-180 abort", aborted, ABORT)
    ask.row("ListOffsets", 2, "S-183 the last stable offset after both", stable(4))
    if v < 5:
        send("S-180 commit again", producer, COMMIT)
        send("S-180 abort what is committed", producer, ABORT)
    part = {"partition": 0, "fetchOffset": 0, "partitionMaxBytes": 1 << 20}
    for level in (0, 1):
        c(f"S-070 S-071 S-183 what is read at isolation level {level}", "Fetch", 11, replicaId=-1, maxWaitMs=0, maxBytes=1 << 20,
          isolationLevel=level, topics=[{"topic": topic, "partitions": [part]}])


@once
def in_progress(ask, c):
    producer, topic = begun(ask, c), ask.topic()
    add(c, producer, topic)
    written(ask, c, producer, topic)
    latest = [{"name": topic, "partitions": [{"partitionIndex": 0, "timestamp": -1}]}]
    for level in (0, 1):
        c(f"S-089 the end at isolation level {level}", "ListOffsets", 2, replicaId=-1, isolationLevel=level, topics=latest)
        part = {"partition": 0, "fetchOffset": 0, "partitionMaxBytes": 1 << 20}
        c(f"S-067 S-183 what is read at isolation level {level}", "Fetch", 11, replicaId=-1, maxWaitMs=0, maxBytes=1 << 20,
          isolationLevel=level, topics=[{"topic": topic, "partitions": [part]}])
    other = begun(ask, c)
    make = lambda p, a: batch([b"t"], producer_id=p, producer_epoch=0, sequence=0, attributes=a)
    one = lambda data: [{"name": topic, "partitionData": [{"index": 0, "records": data}]}]
    send = lambda row, tid, data: c(row, "Produce", 7, transactionalId=tid, acks=-1, timeoutMs=10000, topicData=one(data))
    send("S-057 a partition that is not in the transaction", other[0], other[1].map(lambda p: make(p, TRANSACTIONAL)))
    plain = producer[1].map(lambda p: batch([b"t"], producer_id=p, producer_epoch=0, sequence=1))
    send("S-056 no transaction, where one is open", None, plain)
    end(ask, c, producer, ABORT)


@every_version("TxnOffsetCommit")
def txn_offset_commit(ask, c, v):
    topic, group = ask.topic(), ask.name("group")
    tid, pid, epoch = begun(ask, c)
    c.unasked("AddOffsetsToTxn", 0, transactionalId=tid, producerId=pid, producerEpoch=epoch, groupId=group)

    def send(row, name=topic, partition=0, **more):
        part = {"partitionIndex": partition, "committedOffset": 3, "committedMetadata": "m"}
        return c(row, "TxnOffsetCommit", v, **{"transactionalId": tid, "groupId": group, "producerId": pid, "producerEpoch": epoch,
                 "topics": [{"name": name, "partitions": [part]}], **more})

    send("S-186 an offset")
    send("S-186 an unknown topic", name="no-such-topic")
    send("S-186 an unknown partition", partition=9)
    if v >= 3:
        send("S-186 an unknown member", memberId="who", generationIdOrMemberEpoch=1)
        send("S-186 a generation without a member", generationIdOrMemberEpoch=5)
    asked = [{"name": topic, "partitionIndexes": [0]}]
    c("S-185 before the end", "OffsetFetch", 5, groupId=group, topics=asked)
    if 7 in ask.versions("OffsetFetch"):
        c("S-166 before the end, stable ones", "OffsetFetch", 7, groupId=group, topics=asked, requireStable=True)
    end(ask, c, (tid, pid, epoch), COMMIT)
    seen = lambda a: a["topics"][0]["partitions"][0]["committedOffset"] == 3
    ask.row("OffsetFetch", 5, "S-185 after the commit", ask.until(c, seen, "OffsetFetch", 5, groupId=group, topics=asked))


@every_version("DescribeTransactions")
def describe_transactions(ask, c, v):
    producer, topic = begun(ask, c), ask.topic()
    send = lambda row, *ids: c(row, "DescribeTransactions", v, transactionalIds=list(ids))
    send("S-190 an empty one", producer[0])
    add(c, producer, topic)
    send("S-190 an open one", producer[0])
    send("S-190 an unknown one, and a known one", "no-such-id", producer[0])
    send("S-190 the empty id", "")
    send("S-190 none")
    end(ask, c, producer, ABORT)


@every_version("ListTransactions")
def list_transactions(ask, c, v):
    producer = begun(ask, c)

    def send(row, **more):
        answer = c.unasked("ListTransactions", v, **more)
        mine = lambda a: a if isinstance(a, str) else {**a, "transactionStates": [t for t in a["transactionStates"] if t["transactionalId"] == producer[0]]}
        ask.row("ListTransactions", v, row, answer.map(mine))

    send("S-190 all")
    send("S-190 by state", stateFilters=["Empty"])
    send("S-190 by another state", stateFilters=["Ongoing"])
    send("S-190 by an unknown state", stateFilters=["No such state"])
    send("S-190 by producer id", producerIdFilters=[producer[1]])
    if v >= 2:
        send("S-190 by a pattern", transactionalIdPattern="txn-.*")
        send("S-190 by a pattern that is none", transactionalIdPattern="(")


@every_version("DescribeProducers")
def describe_producers(ask, c, v):
    producer, topic = begun(ask, c), ask.topic()
    send = lambda row, name, *parts: c(row, "DescribeProducers", v, topics=[{"name": name, "partitionIndexes": list(parts)}])
    send("S-191 nobody", topic, 0)
    add(c, producer, topic)
    written(ask, c, producer, topic)
    send("S-191 one with an open transaction", topic, 0)
    send("S-191 an unknown partition", topic, 9)
    send("S-191 an unknown topic", "no-such-topic", 0)
    send("S-191 no partitions", topic)
    end(ask, c, producer, ABORT)


@every_version("WriteTxnMarkers")
def write_txn_markers(ask, c, v):
    topic = ask.topic()
    pid = ask.producer_id()
    data = pid.map(lambda p: batch([b"t"], producer_id=p, producer_epoch=0, sequence=0))
    c.unasked("Produce", 7, acks=-1, timeoutMs=10000, topicData=[{"name": topic, "partitionData": [{"index": 0, "records": data}]}])
    marker = lambda **more: {"producerId": pid, "producerEpoch": 0, "transactionResult": COMMIT, "coordinatorEpoch": 0,
                             "topics": [{"name": topic, "partitionIndexes": [0]}], **more}
    send = lambda row, *markers: c(row, "WriteTxnMarkers", v, markers=list(markers))
    send("S-184 a marker", marker(producerEpoch=1))
    send("S-184 an older coordinator", marker(producerEpoch=2, coordinatorEpoch=-1))
    send("S-184 an unknown partition", marker(producerEpoch=3, topics=[{"name": topic, "partitionIndexes": [9]}]))
    send("S-184 no markers")
