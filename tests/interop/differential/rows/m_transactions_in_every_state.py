"""Whatever can be asked about a transaction, in every state that it can be in, of whoever may ask."""

from records import TRANSACTIONAL, batch
from rows import every_version, once
from rows.b_produce import made
from rows.g_transactions import ABORT, COMMIT, add, begun, end
from rows.k_transactions_v2 import DESCRIBE, END, described, settled
from rows.l_transactions_and_members import begun_again

LAST_EPOCH = 32766


def complete(ask, c, producer):
    """Waits until what is being ended is ended."""
    is_settled = lambda answer: not any(t["transactionState"].startswith("Prepare") for t in answer["transactionStates"])
    ask.until(c, is_settled, "DescribeTransactions", DESCRIBE, transactionalIds=[producer[0]])
    return producer


def record(ask, c, v, producer, topic, epoch=0):
    tid, pid, first = producer
    make = lambda p, e: batch([b"t"], producer_id=p, producer_epoch=e + epoch, sequence=0, attributes=TRANSACTIONAL)
    data = type(pid)(*(make(p, e) for p, e in zip(pid.sides, first.sides)))
    return dict(transactionalId=tid, acks=-1, timeoutMs=10000, topicData=[
        {**({"name": topic[0]} if v < 13 else {"topicId": topic[1]}), "partitionData": [{"index": 0, "records": data}]}])


def first_generation(ask, c, topic, outcome):
    producer = begun_again(ask, c)
    add(c, producer, topic[0], 3)
    if outcome is not None:
        end(ask, c, producer, outcome, 4)
    return complete(ask, c, producer)


def second_generation(ask, c, topic, outcome):
    tid, pid, epoch = producer = begun_again(ask, c)
    c.unasked("Produce", 12, **record(ask, c, 12, producer, topic))
    if outcome is None:
        return producer
    end(ask, c, producer, outcome, END)
    return complete(ask, c, (tid, pid, epoch + 1))


def fenced(ask, c, topic):
    """Another producer has begun while it was open, and not been told who it is."""
    tid, pid, epoch = producer = first_generation(ask, c, topic, None)
    c.unasked("InitProducerId", 1, transactionalId=tid, transactionTimeoutMs=60000)
    return complete(ask, c, producer)


STATES = {
    "new": lambda ask, c, topic: begun(ask, c),
    "empty": lambda ask, c, topic: begun_again(ask, c),
    "open in the first generation": lambda ask, c, topic: first_generation(ask, c, topic, None),
    "committed in the first generation": lambda ask, c, topic: first_generation(ask, c, topic, COMMIT),
    "aborted in the first generation": lambda ask, c, topic: first_generation(ask, c, topic, ABORT),
    "open in the second generation": lambda ask, c, topic: second_generation(ask, c, topic, None),
    "committed in the second generation": lambda ask, c, topic: second_generation(ask, c, topic, COMMIT),
    "aborted in the second generation": lambda ask, c, topic: second_generation(ask, c, topic, ABORT),
    "fenced": fenced,
}


def in_every_state(ask, c, asks):
    """`asks` gives the fields of a request of a producer."""
    if END not in ask.versions("EndTxn"):
        return
    topic = made(ask)
    for state, begin in STATES.items():
        api, version, what, fields = asks
        producer = begin(ask, c, topic)
        tid, pid, epoch = producer
        row = f"S-178 S-180 {what}, {state}"
        for who, other in (("another producer id", (tid, 123456, epoch)), ("an older epoch", (tid, pid, epoch - 1)),
                           ("an epoch above", (tid, pid, epoch + 1)), ("the last epoch", (tid, pid, epoch.map(lambda _: LAST_EPOCH))),
                           ("an unknown id", ("no-such-id", pid, epoch)), ("who it is", producer), ("who it is, again", producer)):
            settled(ask, c, f"{row}: {who}", api, version, **fields(*other, topic))
            described(ask, c, f"{row}: after {who}", producer)


@every_version("InitProducerId")
def initialised(ask, c, v):
    plain = lambda tid, pid, epoch, topic: dict(transactionalId=tid, transactionTimeoutMs=60000)
    named = lambda tid, pid, epoch, topic: dict(plain(tid, pid, epoch, topic), producerId=pid, producerEpoch=epoch)
    if v >= 3:
        in_every_state(ask, c, ("InitProducerId", v, "a producer that names itself begins", named))
    if v in (1, 5):
        in_every_state(ask, c, ("InitProducerId", v, "a producer begins", plain))


@every_version("AddPartitionsToTxn", first=3, last=3)
def joined(ask, c, v):
    fields = lambda tid, pid, epoch, topic: dict(
        v3AndBelowTransactionalId=tid, v3AndBelowProducerId=pid, v3AndBelowProducerEpoch=epoch,
        v3AndBelowTopics=[{"name": topic[0], "partitions": [0]}])
    in_every_state(ask, c, ("AddPartitionsToTxn", v, "a partition joins", fields))


@every_version("AddOffsetsToTxn", first=3)
def groups_joined(ask, c, v):
    fields = lambda tid, pid, epoch, topic: dict(transactionalId=tid, producerId=pid, producerEpoch=epoch, groupId="g")
    in_every_state(ask, c, ("AddOffsetsToTxn", v, "a group joins", fields))


@every_version("TxnOffsetCommit", first=3)
def offsets(ask, c, v):
    group = ask.name("group")
    part = {"partitionIndex": 0, "committedOffset": 3, "committedMetadata": "m"}
    fields = lambda tid, pid, epoch, topic: dict(transactionalId=tid, groupId=group, producerId=pid, producerEpoch=epoch,
                                                 topics=[{"name": topic[0], "partitions": [part]}])
    in_every_state(ask, c, ("TxnOffsetCommit", v, "offsets are committed", fields))


@every_version("EndTxn", first=4)
def ended(ask, c, v):
    for what, outcome in (("commit", COMMIT), ("abort", ABORT)):
        fields = lambda tid, pid, epoch, topic: dict(transactionalId=tid, producerId=pid, producerEpoch=epoch, committed=outcome)
        in_every_state(ask, c, ("EndTxn", v, what, fields))


@every_version("ListTransactions", first=1)
def listed(ask, c, v):
    topic = made(ask)
    for state, begin in STATES.items():
        producer = begin(ask, c, topic)

        def send(row, **more):
            answer = c.unasked("ListTransactions", v, **more)
            mine = lambda a: a if isinstance(a, str) else {**a, "transactionStates": [t for t in a["transactionStates"] if t["transactionalId"] == producer[0]]}
            ask.row("ListTransactions", v, f"S-190 {row}, {state}", answer.map(mine))

        send("all")
        send("open for however long", durationFilter=-1)
        send("open for an hour", durationFilter=3600000)
        send("open", stateFilters=["Ongoing"])
        send("ended", stateFilters=["CompleteCommit", "CompleteAbort"])
        send("an unknown state, and open", stateFilters=["No such state", "Ongoing"])
        send("an unknown state", stateFilters=["No such state"])
        send("in small letters", stateFilters=["ongoing", "completecommit"])
        send("another producer", producerIdFilters=[123456])
        send("it, and another producer", producerIdFilters=[123456, producer[1]], stateFilters=["Ongoing", "Empty"])
        if v >= 2:
            send("the empty pattern", transactionalIdPattern="")
            send("no pattern", transactionalIdPattern=None)
            send("a pattern that matches a part", transactionalIdPattern="txn")
            send("a pattern that matches all of it", transactionalIdPattern="t.n-[0-9]+")


@every_version("WriteTxnMarkers", first=2)
def last_epochs(ask, c, v):
    """Markers where the epochs end, and as retries."""
    for generation in (0, 2):
        topic, pid = ask.topic(), ask.producer_id()
        for epoch in (LAST_EPOCH, LAST_EPOCH + 1):
            marker = {"producerId": pid, "producerEpoch": epoch, "transactionResult": ABORT, "coordinatorEpoch": 0,
                      "topics": [{"name": topic, "partitionIndexes": [0]}], "transactionVersion": generation}
            for again in ("", ", again", ", and again"):
                row = f"S-184 epoch {epoch} in generation {generation}{again}"
                c(row, "WriteTxnMarkers", v, markers=[marker])
                c(f"{row}: its producer", "DescribeProducers", 0, topics=[{"name": topic, "partitionIndexes": [0]}])
        data = pid.map(lambda p: batch([b"t"], producer_id=p, producer_epoch=LAST_EPOCH + 1, sequence=0))
        c(f"S-056 a record behind it, generation {generation}", "Produce", 7, acks=-1, timeoutMs=10000,
          topicData=[{"name": topic, "partitionData": [{"index": 0, "records": data}]}])


@once
def markers_and_ends(ask, c):
    """An administrator has ended it in a partition before its coordinator does."""
    if END not in ask.versions("EndTxn"):
        return
    v = max(ask.versions("WriteTxnMarkers"))
    for generation, begin, end_version in ((0, first_generation, 4), (2, second_generation, END)):
        for outcome in (COMMIT, ABORT):
            topic = made(ask)
            producer = begin(ask, c, topic, None)
            if generation == 0:
                c.unasked("Produce", 11, **record(ask, c, 11, producer, topic))
            marker = {"producerId": producer[1], "producerEpoch": producer[2], "transactionResult": ABORT, "coordinatorEpoch": 0,
                      "topics": [{"name": topic[0], "partitionIndexes": [0]}], "transactionVersion": 0}
            row = f"S-184 an administrator's abort, then the end, generation {generation}, {outcome}"
            c(row, "WriteTxnMarkers", v, markers=[marker])
            settled(ask, c, row, "EndTxn", end_version, transactionalId=producer[0], producerId=producer[1],
                    producerEpoch=producer[2], committed=outcome)
            described(ask, c, row, producer)
            c(row, "DescribeProducers", 0, topics=[{"name": topic[0], "partitionIndexes": [0]}])


@once
def timed_out(ask, c):
    """What becomes of who takes too long. Kafka looks every ten seconds, so that all of them wait at once."""
    if END not in ask.versions("EndTxn"):
        return
    fine, topic = lambda answer: answer["errorCode"] == 0, made(ask)

    def late(generation):
        name = ask.name("txn")
        ask.until(c, fine, "FindCoordinator", 1, key=name, keyType=1)
        first = ask.until(c, fine, "InitProducerId", 1, transactionalId=name, transactionTimeoutMs=1)
        producer = name, first.producerId, first.producerEpoch
        if generation == 1:
            add(c, producer, topic[0], 3)
        c.unasked("Produce", 10 + generation, **record(ask, c, 10 + generation, producer, topic))
        return producer

    tid_of = lambda tid, pid, epoch, **more: dict(transactionalId=tid, producerId=pid, producerEpoch=epoch, **more)
    joins = lambda tid, pid, epoch: dict(v3AndBelowTransactionalId=tid, v3AndBelowProducerId=pid, v3AndBelowProducerEpoch=epoch,
                                         v3AndBelowTopics=[{"name": topic[0], "partitions": [0]}])
    asked = [
        ("commit in the first generation", "EndTxn", 4, lambda *p: tid_of(*p, committed=COMMIT)),
        ("abort in the first generation", "EndTxn", 4, lambda *p: tid_of(*p, committed=ABORT)),
        ("commit in the second generation", "EndTxn", END, lambda *p: tid_of(*p, committed=COMMIT)),
        ("abort in the second generation", "EndTxn", END, lambda *p: tid_of(*p, committed=ABORT)),
        ("a partition joins", "AddPartitionsToTxn", 3, joins),
        ("a record", "Produce", 11, lambda *p: record(ask, c, 11, p, topic)),
        ("a record that joins", "Produce", 12, lambda *p: record(ask, c, 12, p, topic)),
        ("it names itself and begins", "InitProducerId", 4, lambda *p: tid_of(*p, transactionTimeoutMs=60000)),
    ]
    waiting = [(f"S-182 {what}, generation {generation}, once it has timed out", api, version, fields, late(generation))
               for generation in (1, 2) for what, api, version, fields in asked]
    is_aborted = lambda answer: answer["transactionStates"][0]["transactionState"] == "CompleteAbort"
    for row, api, version, fields, producer in waiting:
        ask.until(c, is_aborted, "DescribeTransactions", DESCRIBE, transactionalIds=[producer[0]])
        described(ask, c, f"{row}: before", producer)
        for again in ("", ", again"):
            settled(ask, c, row + again, api, version, **fields(*producer))
            described(ask, c, f"{row}{again}: after", producer)


def exhausted(ask, c):
    """A producer with the last epoch that is handed out."""
    name = begun(ask, c)[0]
    values = dict(transactionalId=name, transactionTimeoutMs=60000)
    left, window = LAST_EPOCH, 200
    while left:
        pending = [c.start("InitProducerId", 1, **values) for _ in range(min(left, window))]
        last = [c.answer(one) for one in pending][-1]
        left -= len(pending)
    if [side["producerEpoch"] for side in last.sides] != [LAST_EPOCH] * 2:
        raise RuntimeError(f"not exhausted: {last.sides}")
    return name, last.producerId, last.producerEpoch


@once
def epochs_run_out(ask, c):
    if END not in ask.versions("EndTxn"):
        return
    topic = made(ask)
    tid_of = lambda tid, pid, epoch, **more: dict(transactionalId=tid, producerId=pid, producerEpoch=epoch, **more)

    def send(row, api, version, producer, **more):
        answer = settled(ask, c, f"S-177 S-180 {row}", api, version, **tid_of(*producer, **more))
        described(ask, c, f"S-177 S-180 {row}: after", producer)
        return producer if api == "EndTxn" and version < END else (producer[0], answer.producerId, answer.producerEpoch)

    begin = lambda row, producer: send(row, "InitProducerId", 4, producer, transactionTimeoutMs=60000)
    finish = lambda row, producer, outcome, version=END: send(row, "EndTxn", version, producer, committed=outcome)
    last = exhausted(ask, c)
    following = begin("in the last epoch it names itself", last)
    begin("and again, as a retry", last)
    begin("in the first epoch of the next id", following)
    begin("and the last of the id before", last)
    last = exhausted(ask, c)
    c.unasked("Produce", 12, **record(ask, c, 12, last, topic))
    described(ask, c, "S-190 open in the last epoch", last)
    following = finish("commit in the last epoch", last, COMMIT)
    finish("and again, as a retry", last, COMMIT)
    finish("and abort", last, ABORT)
    c("S-191 after the last epoch", "DescribeProducers", 0, topics=[{"name": topic[0], "partitionIndexes": [0]}])
    settled(ask, c, "S-178 a record of the next id", "Produce", 12, **record(ask, c, 12, following, topic))
    settled(ask, c, "S-178 a record of the last epoch", "Produce", 12, **record(ask, c, 12, last, topic))
    finish("commit of the next id", following, COMMIT)
    last = exhausted(ask, c)
    add(c, last, topic[0], 3)
    finish("commit in the last epoch, in the first generation", last, COMMIT, 4)
    finish("and again", last, COMMIT, 4)
    begin("and it names itself", last)
    last = exhausted(ask, c)
    add(c, last, topic[0], 3)
    values = dict(transactionalId=last[0], transactionTimeoutMs=60000)
    answer = settled(ask, c, "S-176 another begins while it is open in the last epoch", "InitProducerId", 4, **values)
    described(ask, c, "S-176 after another has begun", last)
    finish("S-176 the fenced one ends", last, ABORT)
    begin("S-176 the fenced one names itself", last)
    finish("S-176 the other aborts nothing", (last[0], answer.producerId, answer.producerEpoch), ABORT)
