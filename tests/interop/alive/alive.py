"""What is alive when a broker ends: members of groups of each kind, and records that a share group is in the middle of;
and how it goes on with the broker that opens the directory next."""

import struct
import time

import records
from answers import list_offsets, partitions

LIMIT_S = 300
ACCEPT, RELEASE, REJECT = 1, 2, 3
#: Nobody's session ends while somebody looks.
SETTINGS = {name: 1_500_000 for name in (
    "group.max.session.timeout.ms", "group.consumer.session.timeout.ms", "group.consumer.max.session.timeout.ms",
    "group.share.session.timeout.ms", "group.share.max.session.timeout.ms", "group.share.record.lock.duration.ms",
    "group.share.max.record.lock.duration.ms")}
#: The last two of the first generation of transactions, which adds its partitions one by one.
TRANSACTIONAL_IDS = ["id-1", "id-2", "id-3", "id-4"]
FIRST_GENERATION = TRANSACTIONAL_IDS[2:]
JOINED, SHARED = "joined", "shared"


def until(ready, ask):
    """Asks until the answer will do."""
    deadline = time.monotonic() + LIMIT_S
    while not ready(answer := ask()):
        if time.monotonic() > deadline:
            raise TimeoutError(f"{answer}")
        time.sleep(0.1)
    return answer


fine = lambda answer: answer["errorCode"] == 0


def coordinate(client, key, kind):
    """Waits until the coordinator has loaded: a topic is there before its partitions are led."""
    until(fine, lambda: client("FindCoordinator", 1, key=key, keyType=kind))
    if kind == 0:
        until(fine, lambda: client("OffsetFetch", 5, groupId=key, topics=[]))
        until(fine, lambda: client("ListGroups", 0))
    else:
        until(lambda a: a["transactionStates"][0]["errorCode"] in (0, 105), lambda: client("DescribeTransactions", 0, transactionalIds=[key]))


def told(tree):
    """Everything in an answer, in the same order whoever gives it."""
    if isinstance(tree, dict):
        return "{" + ", ".join(f"{key}: {told(value)}" for key, value in tree.items() if key not in ("throttleTimeMs", "errorMessage")) + "}"
    if isinstance(tree, list):
        return "[" + ", ".join(sorted(map(told, tree), key=lambda element: (len(element), element))) + "]"
    return repr(tree)


def shown(client, aborted=()):
    """Every group and transaction, as all that tell of it do; of some groups all that they committed was aborted."""
    partitions(client)
    coordinate(client, "any", 0)
    for row in sorted(client("ListGroups", 5)["groups"], key=lambda row: row["groupId"]):
        group = row["groupId"]
        offsets = client("OffsetFetch", 5, groupId=group, topics=None)["topics"]
        # A group of which the log has nothing but offsets of a transaction that was aborted is there again with each start of
        # Kafka, until that looks for what can go.
        if group in aborted and not offsets:
            continue
        yield f"listed {told(row)}"
        yield f"described {told(client('DescribeGroups', 5, groups=[group])['groups'])}"
        yield f"offsets of {group} {told(offsets)}"
        if row["groupType"] == "consumer":
            yield f"described {told(client('ConsumerGroupDescribe', 1, groupIds=[group])['groups'])}"
        if row["groupType"] == "share":
            yield f"described {told(client('ShareGroupDescribe', 1, groupIds=[group])['groups'])}"
            offsets = client("DescribeShareGroupOffsets", 1, groups=[{"groupId": group, "topics": None}])["groups"]
            yield f"offsets of {group} {told(offsets)}"
    for key in TRANSACTIONAL_IDS:
        coordinate(client, key, 1)
        yield f"transaction {told(client('DescribeTransactions', 0, transactionalIds=[key])['transactionStates'])}"


def topic_id(client, topic):
    return client("Metadata", 10, topics=[{"name": topic}])["topics"][0]["topicId"]


def fill(client, part):
    """Members that do not leave. Whoever calls keeps the connection: with it goes what the share group has acquired."""
    partitions(client)
    classic(client, f"alive-classic-{part}", None)
    classic(client, f"alive-static-{part}", "instance")
    consumers(client, f"alive-consumer-{part}")
    share(client, f"alive-share-{part}")
    return [begin(client, key, f"alive-copies-{part}-{key}") for key in TRANSACTIONAL_IDS]


def classic(client, group, instance):
    coordinate(client, group, 0)
    subscription = struct.pack(">hih", 1, 1, len(JOINED)) + JOINED.encode() + struct.pack(">ii", -1, 0)
    join = lambda member: client("JoinGroup", 5, groupId=group, sessionTimeoutMs=1_400_000, rebalanceTimeoutMs=60_000,
                                 memberId=member, groupInstanceId=instance, protocolType="consumer",
                                 protocols=[{"name": "range", "metadata": subscription}])
    answer = join("")
    if answer["errorCode"]:
        # A member that is not static is to come again with the id that it is given.
        answer = join(answer["memberId"])
    assignment = struct.pack(">hih", 0, 1, len(JOINED)) + JOINED.encode() + struct.pack(">iiii", 2, 0, 1, -1)
    who = {"memberId": answer["memberId"], "generationId": answer["generationId"], "groupInstanceId": instance}
    synced = client("SyncGroup", 3, groupId=group, **who, assignments=[{"memberId": answer["memberId"], "assignment": assignment}])
    at = [{"partitionIndex": 1, "committedOffset": 17, "committedLeaderEpoch": 0, "committedMetadata": "alive"}]
    who["generationIdOrMemberEpoch"] = who.pop("generationId")
    committed = client("OffsetCommit", 7, groupId=group, **who, topics=[{"name": JOINED, "partitions": at}])
    if synced["errorCode"] or committed["topics"][0]["partitions"][0]["errorCode"]:
        raise RuntimeError(f"{group}: {answer} {synced} {committed}")


def consumers(client, group):
    """Two members, the first of which has not given back yet what the second is to get."""
    coordinate(client, group, 0)
    joining = lambda member, **more: {"groupId": group, "memberId": member, "memberEpoch": 0, "rebalanceTimeoutMs": 600_000,
                                      "subscribedTopicNames": [JOINED], "topicPartitions": [], **more}
    has = lambda count: lambda answer: fine(answer) and count == sum(
        len(t["partitions"]) for t in (answer["assignment"] or {"topicPartitions": []})["topicPartitions"])
    first = until(has(2), lambda: client("ConsumerGroupHeartbeat", 0, **joining("first", rackId="here")))
    at = [{"partitionIndex": 0, "committedOffset": 11, "committedLeaderEpoch": 0, "committedMetadata": "alive"}]
    client("OffsetCommit", 9, groupId=group, memberId="first", generationIdOrMemberEpoch=first["memberEpoch"],
           topics=[{"name": JOINED, "partitions": at}])
    until(fine, lambda: client("ConsumerGroupHeartbeat", 0, **joining("second", instanceId="instance")))
    until(has(1), lambda: client("ConsumerGroupHeartbeat", 0, groupId=group, memberId="first", memberEpoch=first["memberEpoch"]))


class Sharing:
    """A member of a share group with its session."""

    def __init__(self, client, group, epoch=0):
        self.client, self.group, self.session = client, group, 0
        self.id = topic_id(client, SHARED)
        # What 0 is for a new one is the epoch that it had for one that goes on.
        self.joined = until(lambda a: fine(a) and (epoch or a["assignment"]), lambda: client(
            "ShareGroupHeartbeat", 1, groupId=group, memberId="member", memberEpoch=epoch, subscribedTopicNames=[SHARED]))

    def fetch(self):
        """(offset, how often it was delivered) of what it acquires now."""
        answer = self.client("ShareFetch", 1, groupId=self.group, memberId="member", shareSessionEpoch=self.session, maxWaitMs=200,
                             minBytes=1, maxBytes=1 << 20, maxRecords=100, batchSize=100,
                             topics=[{"topicId": self.id, "partitions": [{"partitionIndex": 0}]}] if self.session == 0 else [])
        if answer["errorCode"]:
            raise RuntimeError(f"{answer}")
        self.session += 1
        found = [p for t in answer["responses"] for p in t["partitions"]]
        return [(offset, piece["deliveryCount"]) for p in found for piece in p["acquiredRecords"]
                for offset in range(piece["firstOffset"], piece["lastOffset"] + 1)]

    def fetch_until(self, enough):
        found = []
        until(enough, lambda: found.extend(self.fetch()) or found)
        return found

    def acknowledge(self, first, last, how):
        batches = [{"firstOffset": first, "lastOffset": last, "acknowledgeTypes": [how]}]
        answer = self.client("ShareAcknowledge", 1, groupId=self.group, memberId="member", shareSessionEpoch=self.session,
                             topics=[{"topicId": self.id, "partitions": [{"partitionIndex": 0, "acknowledgementBatches": batches}]}])
        self.session += 1
        if answer["errorCode"] or answer["responses"][0]["partitions"][0]["errorCode"]:
            raise RuntimeError(f"{answer}")

    def close(self):
        self.client("ShareFetch", 1, groupId=self.group, memberId="member", shareSessionEpoch=-1, maxWaitMs=0, topics=[])


def share(client, group):
    """Some records are accepted, some released, some rejected, and some kept."""
    coordinate(client, group, 0)
    configs = [{"name": "share.auto.offset.reset", "configOperation": 0, "value": "earliest"}]
    resources = [{"resourceType": 32, "resourceName": group, "configs": configs}]
    for answer in client("IncrementalAlterConfigs", 1, resources=resources, validateOnly=False)["responses"]:
        if answer["errorCode"]:
            raise RuntimeError(f"{answer}")
    member = Sharing(client, group)
    first = member.fetch_until(lambda found: len(found) >= 25)[0][0]
    for begin, end, how in ((0, 4, ACCEPT), (8, 11, RELEASE), (14, 15, REJECT), (17, 18, ACCEPT), (5, 5, ACCEPT)):
        member.acknowledge(first + begin, first + end, how)


def begin(client, key, group):
    """A transaction with some records and an offset, which nobody ends: its id, producer id and epoch, and the group."""
    coordinate(client, key, 1)
    coordinate(client, group, 0)
    producer = until(fine, lambda: client("InitProducerId", 4, transactionalId=key, transactionTimeoutMs=900_000))
    batch = records.batch([b"t"] * 3, producer_id=producer["producerId"], producer_epoch=producer["producerEpoch"], sequence=0,
                          attributes=records.TRANSACTIONAL)
    data = [{"name": JOINED, "partitionData": [{"index": 0, "records": batch}]}]
    who = {"producerId": producer["producerId"], "producerEpoch": producer["producerEpoch"]}
    is_first = key in FIRST_GENERATION
    if is_first:
        until(lambda a: a["resultsByTopicV3AndBelow"][0]["resultsByPartition"][0]["partitionErrorCode"] == 0,
              lambda: client("AddPartitionsToTxn", 3, v3AndBelowTransactionalId=key, v3AndBelowProducerId=who["producerId"],
                             v3AndBelowProducerEpoch=who["producerEpoch"], v3AndBelowTopics=[{"name": JOINED, "partitions": [0]}]))
        until(fine, lambda: client("AddOffsetsToTxn", 3, transactionalId=key, **who, groupId=group))
    until(lambda a: a["responses"][0]["partitionResponses"][0]["errorCode"] == 0,
          lambda: client("Produce", 11 if is_first else 12, transactionalId=key, acks=-1, timeoutMs=10_000, topicData=data))
    at = [{"partitionIndex": 1, "committedOffset": 5, "committedLeaderEpoch": 0, "committedMetadata": key}]
    until(lambda a: a["topics"][0]["partitions"][0]["errorCode"] == 0,
          lambda: client("TxnOffsetCommit", 3 if is_first else 5, transactionalId=key, groupId=group, **who, generationIdOrMemberEpoch=-1,
                         memberId="", groupInstanceId=None, topics=[{"name": JOINED, "partitions": at}]))
    return key, producer["producerId"], producer["producerEpoch"], group


def goes_on(client, part, transactions):
    """What comes of it: heartbeats, deliveries, and the ends of open transactions. Asking changes the directory."""
    partitions(client)
    yield from classic_goes_on(client, f"alive-classic-{part}")
    yield from classic_goes_on(client, f"alive-static-{part}")
    yield from consumers_go_on(client, f"alive-consumer-{part}")
    yield from share_goes_on(client, f"alive-share-{part}")
    for at, transaction in enumerate(transactions):
        yield from end_transaction(client, *transaction, commits=at % 2 == 0)


def classic_goes_on(client, group):
    coordinate(client, group, 0)
    for member in client("DescribeGroups", 5, groups=[group])["groups"][0]["members"]:
        for generation in (1, 2):
            answer = client("Heartbeat", 3, groupId=group, generationId=generation, memberId=member["memberId"],
                            groupInstanceId=member["groupInstanceId"])
            yield f"heartbeat {group} {member['memberId']} generation {generation}: {answer['errorCode']}"


def consumers_go_on(client, group):
    """The first gives back what it was asked for, and the second gets it."""
    coordinate(client, group, 0)
    members = {m["memberId"]: m for m in client("ConsumerGroupDescribe", 1, groupIds=[group])["groups"][0]["members"]}
    for member in ("first", "second"):
        kept = [{"topicId": t["topicId"], "partitions": t["partitions"]} for t in members[member]["assignment"]["topicPartitions"]]
        for epoch in (members[member]["memberEpoch"], 9):
            answer = client("ConsumerGroupHeartbeat", 0, groupId=group, memberId=member, memberEpoch=epoch, topicPartitions=kept,
                            rebalanceTimeoutMs=600_000, subscribedTopicNames=[JOINED])
            yield f"heartbeat {group} {member} in {epoch}: {told(answer)}"
    yield f"then {told(client('ConsumerGroupDescribe', 1, groupIds=[group])['groups'])}"


def share_goes_on(client, group):
    coordinate(client, group, 0)
    epoch = client("ShareGroupDescribe", 1, groupIds=[group])["groups"][0]["members"][0]["memberEpoch"]
    member = Sharing(client, group, epoch)
    yield f"heartbeat {group} {told(member.joined)}"
    end = list_offsets(client, SHARED, 0, -1)["offset"]
    for offset, count in sorted(member.fetch_until(lambda found: any(offset == end - 1 for offset, _ in found))):
        yield f"delivered {group} {offset} for the {count}. time"
    member.close()


def offsets_of(client, group):
    """What a group is told that wants no offset of which it is not decided whether it counts."""
    asked = {"groupId": group, "memberId": None, "memberEpoch": -1, "topics": [{"name": JOINED, "partitionIndexes": [1]}]}
    return told(client("OffsetFetch", 8, groups=[asked], requireStable=True)["groups"])


def end_transaction(client, key, producer_id, epoch, group, commits):
    """Ends it as its producer would."""
    coordinate(client, key, 1)
    coordinate(client, group, 0)
    yield f"before the end of {key}: {offsets_of(client, group)}"
    answer = client("EndTxn", 3 if key in FIRST_GENERATION else 5, transactionalId=key, producerId=producer_id, producerEpoch=epoch, committed=commits)
    yield f"end of {key}: {told(answer)}"
    state = until(lambda state: not state["transactionState"].startswith("Prepare"),
                  lambda: client("DescribeTransactions", 0, transactionalIds=[key])["transactionStates"][0])
    yield f"end of {key}: {told(state)}"
    until(lambda answer: "errorCode: 88" not in answer, lambda: offsets_of(client, group))
    yield f"after the end of {key}: {offsets_of(client, group)}"
    ends = [list_offsets(client, JOINED, 0, -1, isolation)["offset"] for isolation in (0, 1)]
    yield f"end of {key}: {JOINED}-0 ends at {ends[0]}, and is decided up to {ends[1]}"
