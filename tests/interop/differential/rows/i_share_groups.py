"""Share groups (KIP-932): members, records that are acquired and acknowledged, and the offsets that groups read from."""

import uuid

from records import batch
from rows import every_version

#: A topic that is nowhere.
UNKNOWN = uuid.UUID(int=0xFF)
ACCEPT, RELEASE, REJECT, RENEW, GAP = 1, 2, 3, 4, 0


def joining(group, member, topics, **more):
    return {"groupId": group, "memberId": member, "memberEpoch": 0, "subscribedTopicNames": topics and list(topics), **more}


def member_of(ask, c, group, topics, partitions, member="one"):
    """Joins, and waits until it has so many partitions."""
    has = lambda a: a["assignment"] and sum(len(t["partitions"]) for t in a["assignment"]["topicPartitions"]) == partitions
    return ask.until(c, has, "ShareGroupHeartbeat", 1, **joining(group, member, topics))


def set_group(c, group, **configs):
    configs = [{"name": key.replace("_", "."), "configOperation": 0, "value": str(value)} for key, value in configs.items()]
    c.unasked("IncrementalAlterConfigs", 1, resources=[{"resourceType": 32, "resourceName": group, "configs": configs}], validateOnly=False)


def counted(assignment):
    """How many partitions of each topic it is: which ones is a matter of hash codes, by which Kafka spreads them."""
    count = lambda t: {**t, "partitions": len(t["partitions"])}
    return assignment and {"topicPartitions": [count(t) for t in assignment["topicPartitions"]]}


def how_many(answer):
    return answer.map(lambda side: {**side, "assignment": counted(side["assignment"])})


def how_many_each(answer):
    of_member = lambda m: {**m, "assignment": counted(m["assignment"])}
    of_group = lambda g: {**g, "members": [of_member(m) for m in g["members"]]}
    return answer.map(lambda side: {**side, "groups": [of_group(g) for g in side["groups"]]})


@every_version("ShareGroupHeartbeat")
def joins(ask, c, v):
    topic, group = ask.topic(2), ask.name("share")
    send = lambda name, **values: c(name, "ShareGroupHeartbeat", v, **values)
    send("the first member", **joining(group, "one", [topic]))
    first = member_of(ask, c, group, [topic], 2)
    ask.row("ShareGroupHeartbeat", v, "it has both partitions", first)
    stays = lambda **more: {"groupId": group, "memberId": "one", "memberEpoch": first.memberEpoch, **more}
    send("nothing new", **stays())
    send("everything again", **stays(subscribedTopicNames=[topic]))
    send("joins once more", **joining(group, "one", [topic]))
    send("a rack", **stays(rackId="here"))
    send("an empty rack", **stays(rackId=""))
    send("a greater epoch", **stays(memberEpoch=first.memberEpoch + 1))
    send("an epoch that is none", **stays(memberEpoch=-2))
    send("an unknown member", **stays(memberId="who"))
    send("a long name", **joining(group, "x" * 40, [topic]))
    send("it leaves again", groupId=group, memberId="x" * 40, memberEpoch=-1)
    send("without an id", **joining(group, "", [topic]))
    send("a blank id", **joining(group, " ", [topic]))
    send("the empty group", **joining("", "one", [topic]))
    send("an unknown group", groupId="no-such-group", memberId="one", memberEpoch=1)
    send("an unknown group is left", groupId="no-such-group", memberId="one", memberEpoch=-1)
    send("an unknown member leaves", groupId=group, memberId="who", memberEpoch=-1)
    send("no subscription", **joining(ask.name("share"), "one", None))
    send("no topic", **joining(ask.name("share"), "one", []))
    send("a topic that does not exist", **joining(ask.name("share"), "one", ["no-such-topic"]))
    send("a topic that cannot be", **joining(ask.name("share"), "one", ["no such topic"]))
    for member in ("two", "three"):
        shown = c.unasked("ShareGroupHeartbeat", v, **joining(group, member, [topic]))
        ask.row("ShareGroupHeartbeat", v, f"member {member}", how_many(shown))
    send("one too many", **joining(group, "four", [topic]))
    shown = c.unasked("ShareGroupHeartbeat", v, **joining(group, "three", [topic]))
    ask.row("ShareGroupHeartbeat", v, "one that is there joins again all the same", how_many(shown))
    send("it leaves", groupId=group, memberId="three", memberEpoch=-1)
    send("it leaves again", groupId=group, memberId="three", memberEpoch=-1)


@every_version("ShareGroupHeartbeat")
def subscriptions(ask, c, v):
    """More members, other topics, more partitions."""
    topic, other, group = ask.topic(3), ask.topic(1), ask.name("share")
    ask.topic_id(topic), ask.topic_id(other)

    def send(name, **values):
        answer = c.unasked("ShareGroupHeartbeat", v, **values)
        ask.row("ShareGroupHeartbeat", v, name, how_many(answer))
        return answer

    first = member_of(ask, c, group, [topic], 3)
    second = send("a second member", **joining(group, "two", [topic]))
    first = send("the first has less", groupId=group, memberId="one", memberEpoch=first.memberEpoch)
    send("the epoch before, as if the answer was lost", groupId=group, memberId="one", memberEpoch=first.memberEpoch - 1)
    send("an epoch before that", groupId=group, memberId="one", memberEpoch=first.memberEpoch - 2)
    send("the first leaves", groupId=group, memberId="one", memberEpoch=-1)
    second = send("the second has all", groupId=group, memberId="two", memberEpoch=second.memberEpoch)
    shown = member_of(ask, c, group, [topic, other], 4, member="two")
    ask.row("ShareGroupHeartbeat", v, "another topic", how_many(shown))
    send("one topic less", groupId=group, memberId="two", memberEpoch=shown.memberEpoch, subscribedTopicNames=[other])
    c.unasked("CreatePartitions", 0, topics=[{"name": other, "count": 3, "assignments": None}], timeoutMs=10000, validateOnly=False)
    ask.led(c, other, 3)
    ask.row("ShareGroupHeartbeat", v, "a topic has more partitions", how_many(member_of(ask, c, group, [other], 3, member="two")))
    c.unasked("DeleteTopics", 1, topicNames=[topic], timeoutMs=10000)


@every_version("ShareGroupDescribe")
def describes(ask, c, v):
    topic, group, classic = ask.topic(2), ask.name("share"), ask.name("group")
    send = lambda name, *groups, **more: c(name, "ShareGroupDescribe", v, groupIds=list(groups), **more)
    at = [{"partitionIndex": 0, "committedOffset": 1, "committedMetadata": ""}]
    c.unasked("OffsetCommit", 2, groupId=classic, topics=[{"name": topic, "partitions": at}])
    member_of(ask, c, group, [topic], 2)
    c.unasked("ShareGroupHeartbeat", 1, **joining(group, "one", [topic], rackId="here"))
    send("one member", group)
    send("several, some of which are not there", group, "no-such-group", classic, "")
    send("none")
    send("one twice", group, group)
    send("with authorized operations", group, includeAuthorizedOperations=True)
    c.unasked("ShareGroupHeartbeat", 1, **joining(group, "two", [topic]))
    ask.row("ShareGroupDescribe", v, "two members", how_many_each(c.unasked("ShareGroupDescribe", v, groupIds=[group])))
    for member in ("one", "two"):
        c.unasked("ShareGroupHeartbeat", 1, groupId=group, memberId=member, memberEpoch=-1)
    send("without members", group)
    c.unasked("DeleteGroups", 2, groupsNames=[group])
    send("deleted", group)


@every_version("ShareGroupHeartbeat")
def seen_by_others(ask, c, v):
    topic, group = ask.topic(2), ask.name("share")
    member = member_of(ask, c, group, [topic], 2)
    for version in (0, 5, 6):
        c("DescribeGroups", "DescribeGroups", version, groups=[group])
    for types, states in (([], []), (["share"], []), (["Share"], ["stable"]), (["classic"], []), (["share"], ["Empty"])):
        found = c.unasked("ListGroups", 5, statesFilter=states, typesFilter=types)
        own = found.map(lambda answer: [g for g in answer["groups"] if g["groupId"] == group])
        ask.row("ListGroups", 5, f"types {types}, states {states}", own)
    c("ConsumerGroupDescribe", "ConsumerGroupDescribe", 1, groupIds=[group])
    c("DeleteGroups with a member", "DeleteGroups", 2, groupsNames=[group])
    at = [{"partitionIndex": 0, "committedOffset": 3, "committedLeaderEpoch": -1, "committedMetadata": ""}]
    for version, epoch, who in ((9, member.memberEpoch, "one"), (8, -1, ""), (2, -1, "")):
        c("OffsetCommit", "OffsetCommit", version, groupId=group, memberId=who, generationIdOrMemberEpoch=epoch,
          topics=[{"name": topic, "partitions": at}])
    c("OffsetFetch", "OffsetFetch", 9, groups=[{"groupId": group, "memberId": "one", "memberEpoch": member.memberEpoch,
                                                "topics": [{"name": topic, "partitionIndexes": [0]}]}])
    c("OffsetFetch of all", "OffsetFetch", 7, groupId=group, topics=None)
    c("OffsetDelete", "OffsetDelete", 0, groupId=group, topics=[{"name": topic, "partitions": [{"partitionIndex": 0}]}])
    c("ConsumerGroupHeartbeat", "ConsumerGroupHeartbeat", 0, groupId=group, memberId="", memberEpoch=0,
      rebalanceTimeoutMs=1000, subscribedTopicNames=[topic], topicPartitions=[])
    c("JoinGroup", "JoinGroup", 3, groupId=group, memberId="", sessionTimeoutMs=30000, rebalanceTimeoutMs=30000,
      protocolType="consumer", protocols=[{"name": "range", "metadata": b""}])
    c("SyncGroup", "SyncGroup", 3, groupId=group, generationId=1, memberId="one", assignments=[])
    c("Heartbeat", "Heartbeat", 3, groupId=group, generationId=1, memberId="one")
    c("LeaveGroup", "LeaveGroup", 3, groupId=group, members=[{"memberId": "one"}])
    for other, api, values in (
            (ask.name("group"), "ConsumerGroupHeartbeat", dict(memberId="one", memberEpoch=0, rebalanceTimeoutMs=1000,
                                                               subscribedTopicNames=[topic], topicPartitions=[])),
            (ask.name("group"), "OffsetCommit", dict(generationIdOrMemberEpoch=-1, topics=[{"name": topic, "partitions": at}]))):
        c.unasked(api, 0 if api[0] == "C" else 8, groupId=other, **values)
        c(f"a share member in a group of {api}", "ShareGroupHeartbeat", 1, **joining(other, "one", [topic]))
        c(f"a share member that is there, in a group of {api}", "ShareGroupHeartbeat", 1, groupId=other, memberId="one", memberEpoch=1)
        c(f"a share member leaves a group of {api}", "ShareGroupHeartbeat", 1, groupId=other, memberId="one", memberEpoch=-1)
    c.unasked("ShareGroupHeartbeat", 1, groupId=group, memberId="one", memberEpoch=-1)
    c("DeleteGroups without members", "DeleteGroups", 2, groupsNames=[group, group])
    c("DeleteGroups once more", "DeleteGroups", 2, groupsNames=[group])


class Session:
    """A member's session of fetches, whose epoch it counts."""

    def __init__(self, ask, c, v, topic, group, member="one"):
        self.ask, self.c, self.v, self.group, self.member, self.epoch = ask, c, v, group, member, 0
        self.id = ask.topic_id(topic)

    def topics(self, partitions, batches):
        return [{"topicId": self.id, "partitions": [
            {"partitionIndex": p, "acknowledgementBatches": [
                {"firstOffset": first, "lastOffset": last, "acknowledgeTypes": types if isinstance(types, list) else [types]}
                for first, last, types in batches]} for p in partitions]}]

    def next(self):
        epoch, self.epoch = self.epoch, self.epoch + 1
        return epoch

    def values(self, more):
        more.setdefault("shareSessionEpoch", self.epoch)
        return {"groupId": self.group, "memberId": self.member, **more}

    def unasked(self, partitions):
        """Has partitions read in a session of which nothing is left but what the broker knows of them."""
        self.c.unasked("ShareFetch", self.v, **self.values({
            "shareSessionEpoch": 0, "maxWaitMs": 200, "minBytes": 1, "maxBytes": 1, "maxRecords": 1, "batchSize": 1,
            "topics": self.topics(partitions, [])}))

    def fetch(self, name, *batches, partitions=(), wait=100, **more):
        if "shareSessionEpoch" not in more:
            more["shareSessionEpoch"] = self.next()
        topics = self.topics(partitions or ((0,) if batches else ()), batches) if partitions or batches else []
        asked = {"maxWaitMs": wait, "minBytes": 1, "maxBytes": 1 << 20, "maxRecords": 500, "batchSize": 500, "topics": topics, **more}
        return self.c(name, "ShareFetch", self.v, **self.values(asked))

    def acknowledge(self, name, *batches, partitions=(0,), **more):
        if "shareSessionEpoch" not in more:
            more["shareSessionEpoch"] = self.next()
        return self.c(name, "ShareAcknowledge", self.v, **self.values({"topics": self.topics(partitions, batches), **more}))


def session(ask, c, v, partitions=1, batches=(), records=None, **configs):
    """A topic with records, read from the beginning by a group of one member."""
    topic, group = ask.topic(partitions), ask.name("share")
    set_group(c, group, share_auto_offset_reset="earliest", **configs)
    member_of(ask, c, group, [topic], partitions)
    s = Session(ask, c, v, topic, group)
    if partitions > 1:
        # So that all are ready when the first fetch that is looked at finds records in one of them.
        s.unasked(partitions=range(partitions))
    if batches:
        ask.produce(topic, *batches)
    return topic, s


def letters(text):
    return batch([letter.encode() for letter in text])


@every_version("ShareFetch")
def fetches(ask, c, v):
    topic, s = session(ask, c, v, batches=[letters("abc"), letters("d"), letters("ef")])
    s.fetch("the first", partitions=[0], wait=4000)
    s.fetch("all is acquired")
    s.fetch("accepts some", (0, 1, ACCEPT))
    s.fetch("gives one back", (2, 2, RELEASE))
    s.fetch("rejects one, and one is a gap", (3, 3, REJECT), (4, 4, GAP))
    s.fetch("each its own", (2, 2, [ACCEPT]), (5, 5, [RELEASE]))
    ask.produce(topic, letters("gh"))
    s.fetch("what is new", wait=1000)
    s.fetch("all that is left", (5, 7, [ACCEPT, ACCEPT, ACCEPT]))
    s.fetch("nothing is left")
    s.fetch("what is done already", (0, 0, ACCEPT))
    s.fetch("what is not there yet", (9, 9, ACCEPT))
    s.fetch("ends", shareSessionEpoch=-1)
    s.fetch("has ended", shareSessionEpoch=1)


@every_version("ShareFetch")
def limits(ask, c, v):
    """Records are given back before the next fetch: in Kafka, those that a fetch gives back come too late for it."""
    topic, s = session(ask, c, v, batches=[letters("abcd"), letters("efgh"), letters("ij")])
    again = lambda last: s.acknowledge(f"gives back up to {last}", (0, last, RELEASE))
    s.fetch("as many as one batch has", partitions=[0], wait=4000, maxRecords=1)
    again(3)
    s.fetch("two batches", maxRecords=5)
    again(7)
    s.fetch("in portions of two", batchSize=2)
    again(9)
    s.fetch("few bytes", maxBytes=1)
    again(1)
    s.fetch("delivered too often")
    s.fetch("and what was not")


@every_version("ShareFetch")
def odd_limits(ask, c, v):
    for name, odd in {
        "no record at all": dict(maxRecords=0), "a negative count": dict(maxRecords=-1), "no bytes": dict(maxBytes=0),
        "negative bytes": dict(maxBytes=-1), "a negative minimum": dict(minBytes=-1), "a high minimum": dict(minBytes=1 << 20),
        "portions of nothing": dict(batchSize=0), "a negative portion": dict(batchSize=-1), "no time": dict(wait=0),
        "negative time": dict(wait=-1),
    }.items():
        topic, s = session(ask, c, v)
        s.unasked(partitions=[0])
        ask.produce(topic, letters("abcd"), letters("ef"))
        s.fetch(name, partitions=[0], **odd)


@every_version("ShareFetch", first=2)
def strict_limits(ask, c, v):
    topic, s = session(ask, c, v, batches=[letters("abcd"), letters("efgh")])
    s.fetch("three of four", partitions=[0], wait=4000, maxRecords=3, shareAcquireMode=1)
    s.fetch("three more", maxRecords=3, shareAcquireMode=1)
    s.fetch("what is left", maxRecords=3, shareAcquireMode=1)
    s.acknowledge("gives some back", (0, 2, RELEASE), (3, 4, ACCEPT))
    s.fetch("some of what was given back", maxRecords=2, shareAcquireMode=1)
    s.acknowledge("gives them back", (0, 1, [RELEASE, RELEASE]))
    s.fetch("all of it", maxRecords=2)
    s.fetch("a mode that does not exist", shareAcquireMode=2)


@every_version("ShareFetch", first=2)
def renewals(ask, c, v):
    topic, s = session(ask, c, v, batches=[letters("abcd")])
    none = dict(wait=0, minBytes=0, maxBytes=0, maxRecords=0, isRenewAck=True)
    s.fetch("the first", partitions=[0], wait=4000)
    s.fetch("renews", (0, 1, RENEW), **none)
    s.fetch("renews and accepts", (0, 0, RENEW), (1, 1, ACCEPT), **none)
    s.fetch("a renewal that says it is none", (0, 0, RENEW))
    s.fetch("a renewal without one", (2, 2, ACCEPT), **none)
    s.fetch("a renewal that fetches", (0, 0, RENEW), isRenewAck=True)
    s.fetch("a renewal of what is done", (2, 2, RENEW), **none)
    s.acknowledge("renews", (0, 0, RENEW), isRenewAck=True)
    s.acknowledge("a renewal that says it is none", (0, 0, RENEW))
    s.acknowledge("renews and accepts", (0, 0, ACCEPT), (3, 3, RENEW), isRenewAck=True)


@every_version("ShareFetch")
def sessions(ask, c, v):
    topic, s = session(ask, c, v, partitions=2, batches=[letters("ab")])
    s.fetch("never opened", shareSessionEpoch=1)
    s.fetch("never opened, ended", shareSessionEpoch=-1)
    s.fetch("an epoch that is none", shareSessionEpoch=-2)
    s.fetch("no partition", shareSessionEpoch=0)
    s.fetch("acknowledges before there is a session", (0, 0, ACCEPT), shareSessionEpoch=0)
    s.epoch = 0
    s.fetch("opens", partitions=[0, 1], wait=4000)
    s.fetch("an epoch ahead", shareSessionEpoch=5)
    s.fetch("the epoch before", shareSessionEpoch=0, partitions=[0, 1])
    s.epoch = 1
    s.fetch("an unknown partition", partitions=[9])
    s.fetch("it is forgotten", forgottenTopicsData=[{"topicId": s.id, "partitions": [9]}])
    s.fetch("what was never there is forgotten", forgottenTopicsData=[{"topicId": s.id, "partitions": [17]}])
    unknown = [{"topicId": UNKNOWN, "partitions": [{"partitionIndex": 0, "acknowledgementBatches": []}]}]
    s.fetch("an unknown topic", topics=unknown)
    s.fetch("it stays", wait=50)
    s.fetch("is forgotten", forgottenTopicsData=[{"topicId": UNKNOWN, "partitions": [0]}])
    s.fetch("adds what is there already", partitions=[0])
    s.fetch("another member's", memberId="two")
    s.fetch("another group's", groupId="no-such-group")
    s.fetch("no group", groupId=None)
    s.fetch("no member", memberId=None)
    s.fetch("an empty member", memberId="")
    s.fetch("a long member", memberId="x" * 37)
    s.fetch("an empty group", groupId="", shareSessionEpoch=0, partitions=[0])
    s.fetch("ends with what is fetched", shareSessionEpoch=-1, partitions=[0])


@every_version("ShareFetch")
def several(ask, c, v):
    """Two members of one group, each on a connection of its own."""
    topic, s = session(ask, c, v, partitions=1, batches=[letters("abc"), letters("de")])
    member_of(ask, c, s.group, [topic], 1, member="two")
    other = Session(ask, ask.connect("two"), v, topic, s.group, "two")
    s.fetch("the first takes one batch", partitions=[0], wait=4000, maxRecords=1)
    other.fetch("the second takes the other", partitions=[0], wait=1000)
    other.fetch("it cannot accept what the first has", (0, 0, ACCEPT))
    other.acknowledge("not even so", (2, 2, RELEASE))
    s.acknowledge("the first gives it back", (0, 2, RELEASE))
    other.fetch("the second gets it", wait=1000)
    other.acknowledge("the second ends", (3, 4, ACCEPT), shareSessionEpoch=-1)
    s.fetch("what it held is the first's", wait=1000)


@every_version("ShareFetch")
def unread(ask, c, v):
    """Where a group begins, and which records it does not see."""
    topic, group = ask.topic(), ask.name("share")
    member_of(ask, c, group, [topic], 1)
    ask.produce(topic, letters("ab"))
    s = Session(ask, c, v, topic, group)
    s.fetch("begins at the end", partitions=[0], wait=1000)
    ask.produce(topic, letters("cd"))
    s.fetch("and sees what comes then", wait=2000)
    other = Session(ask, c, v, topic, ask.name("share"))
    other.fetch("a group that nobody has joined", partitions=[0], wait=300)
    other.fetch("a group that nobody has joined, again", wait=300)


@every_version("ShareAcknowledge")
def acknowledges(ask, c, v):
    topic, s = session(ask, c, v, batches=[letters("abcdef"), letters("ghij")])
    s.acknowledge("before there is a session", (0, 0, ACCEPT), shareSessionEpoch=0)
    s.acknowledge("without a session", (0, 0, ACCEPT), shareSessionEpoch=1)
    s.fetch("the first", partitions=[0], wait=4000)
    s.acknowledge("accepts one", (0, 0, ACCEPT))
    s.acknowledge("twice", (0, 0, ACCEPT))
    s.acknowledge("several ways", (1, 4, [ACCEPT, RELEASE, REJECT, GAP]))
    s.acknowledge("more types than records", (5, 5, [ACCEPT, ACCEPT]))
    s.acknowledge("fewer types than records", (5, 8, [ACCEPT, ACCEPT]))
    s.acknowledge("no type", (5, 5, []))
    s.acknowledge("an unknown type", (5, 5, 7))
    s.acknowledge("a negative type", (5, 5, -1))
    s.acknowledge("renewal", (5, 5, RENEW))
    s.acknowledge("backwards", (8, 5, ACCEPT))
    s.acknowledge("negative offsets", (-2, -1, ACCEPT))
    s.acknowledge("overlapping", (5, 7, ACCEPT), (7, 8, ACCEPT))
    s.acknowledge("out of order", (8, 8, ACCEPT), (5, 5, ACCEPT))
    s.acknowledge("over the end", (8, 12, ACCEPT))
    s.acknowledge("beyond the end", (20, 22, ACCEPT))
    s.acknowledge("across two batches", (5, 7, ACCEPT))
    s.acknowledge("nothing")
    s.acknowledge("an unknown partition", (0, 0, ACCEPT), partitions=[9])
    s.acknowledge("an unknown topic", topics=[{"topicId": UNKNOWN, "partitions": [
        {"partitionIndex": 0, "acknowledgementBatches": [{"firstOffset": 0, "lastOffset": 0, "acknowledgeTypes": [1]}]}]}])
    s.acknowledge("no topic at all", topics=[])
    s.acknowledge("an epoch ahead", (8, 8, ACCEPT), shareSessionEpoch=s.epoch + 5)
    s.acknowledge("an epoch that is none", (8, 8, ACCEPT), shareSessionEpoch=-2)
    s.acknowledge("no group", (8, 8, ACCEPT), groupId=None, shareSessionEpoch=s.epoch)
    s.acknowledge("no member", (8, 8, ACCEPT), memberId=None, shareSessionEpoch=s.epoch)
    s.acknowledge("an empty member", (8, 8, ACCEPT), memberId="", shareSessionEpoch=s.epoch)
    s.acknowledge("another member", (8, 8, ACCEPT), memberId="two", shareSessionEpoch=s.epoch)
    s.acknowledge("ends", (8, 8, ACCEPT), shareSessionEpoch=-1)
    s.acknowledge("has ended", (9, 9, ACCEPT), shareSessionEpoch=-1)
