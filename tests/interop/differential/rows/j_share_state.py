"""What share groups keep: offsets as administrators see them, and the state that brokers keep for each other (KIP-932)."""

import base64
import uuid

from rows import every_version
from rows.i_share_groups import UNKNOWN, letters, member_of, session


def offsets_of(group, topics):
    return {"groups": [{"groupId": group, "topics": topics}]}


def named(topic, *partitions):
    return {"topicName": topic, "partitions": list(partitions)}


def at(topic, *offsets):
    return {"topicName": topic, "partitions": [{"partitionIndex": p, "startOffset": offset} for p, offset in offsets]}


@every_version("DescribeShareGroupOffsets")
def describes_offsets(ask, c, v):
    topic, s = session(ask, c, 1, partitions=2, batches=[letters("abc"), letters("de")])
    never = ask.topic(1)
    send = lambda name, group=s.group, topics=None: c(name, "DescribeShareGroupOffsets", v, **offsets_of(group, topics))
    send("nothing is fetched yet")
    s.fetch("the first", partitions=[0, 1], wait=4000)
    send("fetched")
    s.acknowledge("two are accepted", (0, 1, 1))
    send("two are accepted")
    s.acknowledge("one in the middle is accepted", (3, 3, 1))
    send("one in the middle is accepted")
    send("one partition", topics=[named(topic, 0)])
    if v:
        send("a partition that does not exist", topics=[named(topic, 0, 9)])
    send("a topic that is not read", topics=[named(never, 0)])
    send("topics that do not exist", topics=[named("no-such-topic", 0, 1), named(topic, 1)])
    send("no topic", topics=[])
    send("no partition", topics=[named(topic)])
    send("a group that does not exist", group="no-such-group")
    send("a topic of a group that does not exist", group="no-such-group", topics=[named(topic, 0)])
    send("the empty group", group="")
    classic = ask.name("group")
    c.unasked("OffsetCommit", 2, groupId=classic, topics=[{"name": topic, "partitions": [
        {"partitionIndex": 0, "committedOffset": 1, "committedMetadata": ""}]}])
    send("a classic group", group=classic)
    send("a topic of a classic group", group=classic, topics=[named(topic, 0)])
    c("several", "DescribeShareGroupOffsets", v, groups=[{"groupId": g, "topics": None} for g in (s.group, "no-such-group", classic)])
    c("none", "DescribeShareGroupOffsets", v, groups=[])
    c("one twice", "DescribeShareGroupOffsets", v, groups=[{"groupId": s.group, "topics": None}] * 2)


@every_version("AlterShareGroupOffsets")
def alters_offsets(ask, c, v):
    topic, s = session(ask, c, 1, partitions=2, batches=[letters("abc"), letters("de")])
    other = ask.topic(1)
    send = lambda name, *topics, group=s.group: c(name, "AlterShareGroupOffsets", v, groupId=group, topics=list(topics))
    shown = lambda name: c(name, "DescribeShareGroupOffsets", 0, **offsets_of(s.group, None))
    s.fetch("the first", partitions=[0, 1], wait=4000)
    send("while there is a member", at(topic, (0, 2)))
    c.unasked("ShareFetch", 1, groupId=s.group, memberId="one", shareSessionEpoch=-1, maxWaitMs=0, minBytes=0, maxBytes=0, topics=[])
    c.unasked("ShareGroupHeartbeat", 1, groupId=s.group, memberId="one", memberEpoch=-1)
    send("one partition", at(topic, (0, 2)))
    shown("one partition is altered")
    send("an unknown partition and one that is there", at(topic, (0, 1), (9, 1)))
    send("an unknown topic and one that is there", at("no-such-topic", (0, 1)), at(topic, (1, 0)))
    send("a topic that was not read", at(other, (0, 0)))
    shown("three are altered")
    send("beyond the end", at(topic, (0, 100)))
    send("a negative offset", at(topic, (0, -1)))
    send("a very negative offset", at(topic, (0, -7)))
    shown("whatever is said")
    send("a topic that cannot be", at("no such topic", (0, 1)))
    send("an internal topic", at("__consumer_offsets", (0, 1)))
    send("no topic")
    send("no partition", at(topic))
    send("a partition twice", at(topic, (0, 1), (0, 2)))
    send("a topic twice", at(topic, (0, 1)), at(topic, (1, 2)))
    shown("twice")
    send("the empty group", at(topic, (0, 1)), group="")
    fresh = ask.name("share")
    send("a group that does not exist yet", at(topic, (0, 1)), group=fresh)
    c("it is there then", "ShareGroupDescribe", 1, groupIds=[fresh])
    c("and stands there", "DescribeShareGroupOffsets", 0, **offsets_of(fresh, None))
    send("a new group without a topic", group=ask.name("share"))
    classic = ask.name("group")
    c.unasked("OffsetCommit", 2, groupId=classic, topics=[{"name": topic, "partitions": [
        {"partitionIndex": 0, "committedOffset": 1, "committedMetadata": ""}]}])
    send("a classic group", at(topic, (0, 1)), group=classic)


@every_version("DeleteShareGroupOffsets")
def deletes_offsets(ask, c, v):
    topic, s = session(ask, c, 1, partitions=2, batches=[letters("abc"), letters("de")])
    never = ask.topic(1)
    send = lambda name, *topics, group=s.group: c(name, "DeleteShareGroupOffsets", v, groupId=group,
                                                 topics=[{"topicName": t} for t in topics])
    shown = lambda name: c(name, "DescribeShareGroupOffsets", 0, **offsets_of(s.group, None))
    s.fetch("the first", partitions=[0, 1], wait=4000)
    send("while there is a member", topic)
    c.unasked("ShareFetch", 1, groupId=s.group, memberId="one", shareSessionEpoch=-1, maxWaitMs=0, minBytes=0, maxBytes=0, topics=[])
    c.unasked("ShareGroupHeartbeat", 1, groupId=s.group, memberId="one", memberEpoch=-1)
    send("a topic that is not read", never)
    send("a topic that does not exist", "no-such-topic")
    send("a topic that cannot be", "no such topic")
    send("no topic")
    shown("nothing is deleted")
    send("one and one that does not exist", topic, "no-such-topic")
    shown("it is deleted")
    send("again", topic)
    send("twice", topic, topic)
    send("a group that does not exist", topic, group="no-such-group")
    send("the empty group", topic, group="")
    classic = ask.name("group")
    c.unasked("OffsetCommit", 2, groupId=classic, topics=[{"name": topic, "partitions": [
        {"partitionIndex": 0, "committedOffset": 1, "committedMetadata": ""}]}])
    send("a classic group", topic, group=classic)
    c("the group is there", "ShareGroupDescribe", 1, groupIds=[s.group])


class State:
    """What the coordinator keeps of one group's partitions of one topic."""

    def __init__(self, ask, c, partitions=2):
        self.ask, self.c = ask, c
        self.topic, self.group = ask.topic(partitions), ask.name("state")
        self.id = ask.topic_id(self.topic)
        fine = lambda answer: answer["coordinators"][0]["errorCode"] == 0
        for partition in range(partitions):
            key = self.id.map(lambda side: f"{self.group}:{short(side)}:{partition}")
            ask.until(c, fine, "FindCoordinator", 6, keyType=2, coordinatorKeys=[key])
        answered = lambda answer: answer["results"][0]["partitions"][0]["errorCode"] == 0
        ask.until(c, answered, "ReadShareGroupStateSummary", 0, **self.asked(leaderEpoch=0))

    def asked(self, *partitions, topic=None, group=None, **values):
        whole = [{"partition": p, **values} for p in (partitions or (0,))]
        return {"groupId": self.group if group is None else group, "topics": [{"topicId": topic or self.id, "partitions": whole}]}

    def initialize(self, name, *partitions, version=0, epoch=0, offset=0, **more):
        self.c(name, "InitializeShareGroupState", version, **self.asked(*partitions, stateEpoch=epoch, startOffset=offset, **more))

    def write(self, name, *partitions, version=0, epoch=0, leader=0, offset=0, batches=(), **more):
        batches = [{"firstOffset": first, "lastOffset": last, "deliveryState": state, "deliveryCount": count}
                   for first, last, state, count in batches]
        self.c(name, "WriteShareGroupState", version, **self.asked(
            *partitions, stateEpoch=epoch, leaderEpoch=leader, startOffset=offset, stateBatches=batches, **more))

    def read(self, name, *partitions, version=0, leader=0, **more):
        self.c(name, "ReadShareGroupState", version, **self.asked(*partitions, leaderEpoch=leader, **more))

    def summary(self, name, *partitions, version=0, leader=0, **more):
        self.c(name, "ReadShareGroupStateSummary", version, **self.asked(*partitions, leaderEpoch=leader, **more))

    def delete(self, name, *partitions, version=0, **more):
        self.c(name, "DeleteShareGroupState", version, **self.asked(*partitions, **more))

    def badly(self, act):
        """What each of the five is asked that is no question."""
        act("an unknown topic", topic=UNKNOWN)
        act("no topic id", topic=uuid.UUID(int=0))
        act("an unknown partition", 9)
        act("a negative partition", -1)
        act("an empty group", group="")


def short(topic_id):
    """An id of a topic as Kafka writes it."""
    return base64.urlsafe_b64encode(topic_id.bytes).decode().rstrip("=")


@every_version("InitializeShareGroupState")
def initializes(ask, c, v):
    state = State(ask, c)
    begin = lambda *a, **more: state.initialize(*a, version=v, **more)
    begin("the first time", epoch=0, offset=5)
    state.read("where it stands")
    begin("the same epoch", epoch=0, offset=7)
    state.read("where it stands after the same epoch")
    begin("a later epoch", epoch=3, offset=9)
    state.summary("where it stands after a later epoch")
    begin("an earlier epoch", epoch=1, offset=1)
    begin("a negative epoch", epoch=-1, offset=1)
    begin("no offset", 1, epoch=0, offset=-1)
    state.read("no offset", 1)
    begin("a negative offset", 1, epoch=1, offset=-2)
    begin("both", 0, 1, epoch=5, offset=2)
    begin("one twice", 0, 0, epoch=6, offset=3)
    state.badly(begin)
    c("no topics", "InitializeShareGroupState", v, groupId=state.group, topics=[])
    c("no partitions", "InitializeShareGroupState", v, groupId=state.group, topics=[{"topicId": state.id, "partitions": []}])


@every_version("WriteShareGroupState")
def writes(ask, c, v):
    state = State(ask, c)
    write = lambda *a, **more: state.write(*a, version=v, **more)
    write("what was never begun", offset=1)
    state.initialize("begin", epoch=1, offset=0)
    write("the first", epoch=1, leader=1, offset=0, batches=[(0, 9, 0, 1)])
    state.read("the first", leader=1)
    write("a later leader", epoch=1, leader=2, offset=0, batches=[(3, 4, 2, 1)])
    state.read("a later leader", leader=2)
    write("an earlier leader", epoch=1, leader=1, offset=0, batches=[(5, 5, 2, 1)])
    write("a leader that is none", epoch=1, leader=-1, offset=0)
    write("an earlier epoch", epoch=0, leader=2, offset=0)
    write("a later epoch", epoch=2, leader=2, offset=0)
    write("it goes on", epoch=1, leader=2, offset=4, batches=[(6, 6, 4, 2), (7, 9, 0, 2)])
    state.read("it has gone on", leader=2)
    write("offset as before", epoch=1, leader=2, offset=-1, batches=[(9, 12, 2, 3)])
    state.read("offset as before", leader=2)
    write("it goes back", epoch=1, leader=2, offset=1)
    state.read("it has gone back", leader=2)
    write("batches that overlap", epoch=1, leader=2, offset=4, batches=[(10, 20, 0, 1), (15, 25, 2, 2)])
    state.read("batches that overlap", leader=2)
    write("a batch backwards", epoch=1, leader=2, offset=4, batches=[(40, 30, 0, 1)])
    write("a batch before the beginning", epoch=1, leader=2, offset=4, batches=[(0, 2, 0, 1)])
    write("a state that does not exist", epoch=1, leader=2, offset=4, batches=[(41, 42, 9, 1)])
    write("a negative count", epoch=1, leader=2, offset=4, batches=[(43, 44, 0, -1)])
    write("negative offsets", epoch=1, leader=2, offset=4, batches=[(-4, -3, 0, 1)])
    write("all of one", epoch=1, leader=2, offset=50, deliveryCompleteCount=3)
    state.read("past all batches", leader=2)
    state.summary("past all batches", version=1)
    write("two, one of which was never begun", 0, 1, epoch=1, leader=2, offset=51)
    state.badly(write)
    c("no topics", "WriteShareGroupState", v, groupId=state.group, topics=[])
    c("no partitions", "WriteShareGroupState", v, groupId=state.group, topics=[{"topicId": state.id, "partitions": []}])


@every_version("ReadShareGroupState")
def reads(ask, c, v):
    state = State(ask, c)
    read = lambda *a, **more: state.read(*a, version=v, **more)
    read("what was never begun")
    read("what was never begun, of a later leader", leader=4)
    state.initialize("begin", epoch=1, offset=3)
    read("begun")
    read("a later leader", leader=5)
    read("an earlier leader", leader=4)
    read("a leader that is none", leader=-1)
    state.write("an earlier leader", epoch=1, leader=4, offset=3)
    read("both", 0, 1, leader=5)
    read("one twice", 0, 0, leader=5)
    state.badly(read)
    c("no topics", "ReadShareGroupState", v, groupId=state.group, topics=[])
    c("no partitions", "ReadShareGroupState", v, groupId=state.group, topics=[{"topicId": state.id, "partitions": []}])


@every_version("ReadShareGroupStateSummary")
def summaries(ask, c, v):
    state = State(ask, c)
    summary = lambda *a, **more: state.summary(*a, version=v, **more)
    summary("what was never begun")
    state.initialize("begin", epoch=1, offset=3)
    summary("begun")
    state.write("some", version=1, epoch=1, leader=2, offset=4, batches=[(5, 6, 2, 1)], deliveryCompleteCount=2)
    summary("written")
    summary("an earlier leader", leader=1)
    summary("a later leader", leader=7)
    state.write("it has not fenced", version=1, epoch=1, leader=2, offset=4, deliveryCompleteCount=2)
    state.write("without a count", version=0, epoch=1, leader=2, offset=4)
    summary("without a count")
    summary("both", 0, 1)
    state.badly(summary)
    c("no topics", "ReadShareGroupStateSummary", v, groupId=state.group, topics=[])
    c("no partitions", "ReadShareGroupStateSummary", v, groupId=state.group, topics=[{"topicId": state.id, "partitions": []}])


@every_version("DeleteShareGroupState")
def deletes(ask, c, v):
    state = State(ask, c)
    delete = lambda *a, **more: state.delete(*a, version=v, **more)
    delete("what was never begun")
    state.initialize("begin", 0, 1, epoch=4, offset=3)
    state.write("some", epoch=4, leader=2, offset=4, batches=[(5, 6, 2, 1)])
    delete("one")
    delete("again")
    state.read("it is gone")
    state.write("it cannot be written", epoch=4, leader=2, offset=4)
    state.read("the other is there", 1)
    state.initialize("it can begin again", epoch=0, offset=1)
    state.read("begun again")
    delete("both", 0, 1)
    state.badly(delete)
    c("no topics", "DeleteShareGroupState", v, groupId=state.group, topics=[])
    c("no partitions", "DeleteShareGroupState", v, groupId=state.group, topics=[{"topicId": state.id, "partitions": []}])


@every_version("FindCoordinator", first=4)
def finds(ask, c, v):
    state = State(ask, c)
    id_ = state.id.map(short)

    def send(name, *keys):
        answer = c.unasked("FindCoordinator", v, keyType=2, coordinatorKeys=list(keys))
        text = lambda key, side: key.replace(id_.sides[side], "(the topic's id)")
        ask.row("FindCoordinator", v, name, type(answer)(*(
            {**answer.sides[side], "coordinators": [{**found, "key": text(found["key"], side)} for found in answer.sides[side]["coordinators"]]}
            for side in (0, 1))))

    key = lambda text: id_.map(lambda i: text.replace("ID", i))
    send("the coordinator of a share partition", key(f"{state.group}:ID:0"))
    send("several", key(f"{state.group}:ID:0"), key(f"{state.group}:ID:1"))
    send("an unknown topic", "group:AAAAAAAAAAAAAAAAAAAA_w:0")
    send("a partition that is none", key("group:ID:x"))
    send("a negative partition", key("group:ID:-1"))
    send("a topic that is none", "group:topic:0")
    send("no topic", "group")
    send("an empty group", key(":ID:0"))
    send("a group with a colon", key("a:b:ID:0"))
    send("nothing", "")


@every_version("ShareGroupHeartbeat")
def deleted_topics(ask, c, v):
    """A group forgets a topic that is gone."""
    topic, s = session(ask, c, 1, batches=[letters("abc")])
    kept = ask.topic(1)
    member_of(ask, c, s.group, [topic, kept], 2)
    s.fetch("the first", partitions=[0], wait=4000)
    c.unasked("DeleteTopics", 1, topicNames=[topic], timeoutMs=10000)
    gone = lambda answer: answer["topics"][0]["errorCode"] == 3
    ask.until(c, gone, "Metadata", 4, topics=[{"name": topic}], allowAutoTopicCreation=False)
    s.fetch("its topic is gone", wait=200)
    s.acknowledge("its topic is gone", (0, 0, 1))
    left_out = lambda answer: [t["topicName"] for t in answer["groups"][0]["topics"]] == [kept]
    shown = ask.until(c, left_out, "DescribeShareGroupOffsets", 0, **offsets_of(s.group, None))
    ask.row("DescribeShareGroupOffsets", 0, "the topic is left out", shown)
    c("asked for it", "DescribeShareGroupOffsets", 0, **offsets_of(s.group, [named(topic, 0), named(kept, 0)]))
