"""Transactions that meet something that is alive: a transaction of before, a member of a group, markers past the
coordinator."""

from rows import every_version
from rows.e_groups import stable
from rows.g_transactions import ABORT, COMMIT, add, begun, end, written
from rows.h_consumer_groups import joining, staying
from rows.k_transactions_v2 import described, settled


def begun_again(ask, c):
    """A transactional producer in its second epoch, so that there is one before it."""
    name = begun(ask, c)[0]
    fine = lambda answer: answer["errorCode"] == 0
    second = ask.until(c, fine, "InitProducerId", 1, transactionalId=name, transactionTimeoutMs=60000)
    return name, second.producerId, second.producerEpoch


@every_version("InitProducerId", first=3)
def while_one_is_open(ask, c, v):
    """Who tells its producer id and epoch (KIP-360) while its transaction, or that of its successor, is open."""
    if not ask.versions("DescribeTransactions"):
        return  # 2.7 fences the producer whose transaction it has just aborted.
    topic = ask.topic()

    def opened():
        producer = begun_again(ask, c)
        add(c, producer, topic)
        return producer

    def send(row, producer, producer_id=None, epoch=0):
        values = dict(transactionalId=producer[0], transactionTimeoutMs=60000, producerId=producer_id or producer[1],
                      producerEpoch=producer[2] + epoch)
        c(row, "InitProducerId", v, **values)
        return values

    for what, epoch in (("an older epoch", -1), ("an epoch above", 1)):
        producer = opened()
        send(f"S-177 {what}, while a transaction is open", producer, epoch=epoch)
        described(ask, c, f"S-177 after {what}", producer)
        end(ask, c, producer, ABORT)
    producer = opened()
    send("S-177 another producer id, while a transaction is open", producer, 123456)
    described(ask, c, "S-177 after another producer id", producer)
    send("S-177 another producer id and an older epoch, while a transaction is open", producer, 123456, -1)
    end(ask, c, producer, ABORT)
    producer = opened()
    values = send("S-176 S-177 the present epoch, while a transaction is open", producer)
    again = settled(ask, c, "S-177 the present epoch again, once that is aborted", "InitProducerId", v, **values)
    described(ask, c, "S-177 after the present epoch", producer)
    c("S-177 the end in the epoch before", "EndTxn", 1, transactionalId=producer[0], producerId=producer[1],
      producerEpoch=producer[2], committed=COMMIT)
    c("S-177 and once more, as a retry", "InitProducerId", v, **values)
    described(ask, c, "S-177 after the retry", producer)
    c("S-177 with what was answered", "InitProducerId", v, **{**values, "producerEpoch": again.producerEpoch})


def committing(ask, c, v, group, topic):
    """A row that commits an offset of a group in a transaction."""
    tid, pid, epoch = begun(ask, c)
    c.unasked("AddOffsetsToTxn", 0, transactionalId=tid, producerId=pid, producerEpoch=epoch, groupId=group)
    part = {"partitionIndex": 0, "committedOffset": 3, "committedMetadata": "m"}
    send = lambda row, **who: settled(ask, c, row, "TxnOffsetCommit", v, **{
        "transactionalId": tid, "groupId": group, "producerId": pid, "producerEpoch": epoch,
        "topics": [{"name": topic, "partitions": [part]}], **who})

    def done(row):
        end(ask, c, (tid, pid, epoch), COMMIT)
        seen = lambda a: a["topics"][0]["partitions"][0]["committedOffset"] == 3
        asked = [{"name": topic, "partitionIndexes": [0]}]
        ask.row("OffsetFetch", 5, row, ask.until(c, seen, "OffsetFetch", 5, groupId=group, topics=asked))

    return send, done


@every_version("TxnOffsetCommit", last=5)
def of_a_classic_member(ask, c, v):
    topic = ask.topic()
    group, member = stable(ask, c, 5, groupInstanceId="i")
    send, done = committing(ask, c, v, group, topic)
    right = {"memberId": member.memberId, "generationIdOrMemberEpoch": member.generationId, "groupInstanceId": "i"}
    if v >= 3:
        send("S-186 an old generation of a member that is there", **{**right, "generationIdOrMemberEpoch": member.generationId - 1})
        send("S-186 a generation to come of a member that is there", **{**right, "generationIdOrMemberEpoch": member.generationId + 1})
        send("S-186 no generation of a member that is there", **{**right, "generationIdOrMemberEpoch": -1})
        send("S-186 an instance id that another member has", **{**right, "memberId": "who"})
        send("S-186 an instance id that nobody has", **{**right, "groupInstanceId": "j"})
        send("S-186 an unknown member, where one is", memberId="who", generationIdOrMemberEpoch=member.generationId)
        send("S-186 a member without its instance id", **{**right, "groupInstanceId": None})
        send("S-186 an instance id without a member", **{**right, "memberId": ""})
    send("S-186 who is no member, where one is")
    send("S-186 a member that is there", **right if v >= 3 else {})
    done("S-185 the member's offset")


@every_version("TxnOffsetCommit", last=5)
def of_a_consumer_member(ask, c, v):
    if not ask.versions("ConsumerGroupHeartbeat"):
        return
    topic, group = ask.topic(), ask.name("group")
    c.unasked("ConsumerGroupHeartbeat", 0, **joining(group, "one", [topic], instanceId="i"))
    # The subscription changes, and so does the epoch.
    member = c.unasked("ConsumerGroupHeartbeat", 0, **joining(group, "one", [topic, "no-such-topic"], instanceId="i"))
    send, done = committing(ask, c, v, group, topic)
    right = {"memberId": "one", "generationIdOrMemberEpoch": member.memberEpoch, "groupInstanceId": "i"}
    if v >= 3:
        send("S-186 an old epoch of a member that is there", **{**right, "generationIdOrMemberEpoch": member.memberEpoch - 1})
        send("S-186 an epoch to come of a member that is there", **{**right, "generationIdOrMemberEpoch": member.memberEpoch + 1})
        send("S-186 no epoch of a member that is there", **{**right, "generationIdOrMemberEpoch": -1})
        send("S-186 an unknown member, where one is", **{**right, "memberId": "who"})
        send("S-186 another instance id", **{**right, "groupInstanceId": "j"})
    send("S-186 who is no member, where one is")
    send("S-186 a member that is there", **right if v >= 3 else {})
    done("S-185 the member's offset")
    c.unasked("ConsumerGroupHeartbeat", 0, **staying(group, member, memberEpoch=-1, instanceId="i"))


@every_version("WriteTxnMarkers", first=2)
def markers(ask, c, v):
    """Markers of each generation: of the second the epoch must be above that of the records (KIP-1228)."""
    def send(row, producer, topic, epoch, generation):
        latest = [{"name": topic, "partitions": [{"partitionIndex": 0, "timestamp": -1}]}]
        marker = {"producerId": producer[1], "producerEpoch": producer[2] + epoch, "transactionResult": COMMIT, "coordinatorEpoch": 0,
                  "topics": [{"name": topic, "partitionIndexes": [0]}], "transactionVersion": generation}
        c(row, "WriteTxnMarkers", v, markers=[marker])
        c(f"{row}: its producer", "DescribeProducers", 0, topics=[{"name": topic, "partitionIndexes": [0]}])
        c(f"{row}: what is stable", "ListOffsets", 2, replicaId=-1, isolationLevel=1, topics=latest)

    for generation in (-2, -1, 0, 1, 2, 3):
        for what, epoch in (("a lower", -1), ("an equal", 0), ("a higher", 1)):
            producer, topic = begun_again(ask, c), ask.topic()
            add(c, producer, topic)
            written(ask, c, producer, topic)
            row = f"S-184 S-188 {what} epoch in generation {generation}"
            send(row, producer, topic, epoch, generation)
            # The coordinator is left alone with it: it could not end what another has ended in a higher epoch.
            send(f"{row}, again", producer, topic, epoch, generation)
