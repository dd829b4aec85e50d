"""Whatever can be asked of a share group, and of groups that are none, in every state that they can be in."""

from rows import every_version
from rows.e_groups import stable
from rows.h_consumer_groups import joining as consuming
from rows.i_share_groups import how_many, how_many_each, joining, member_of
from rows.n_members_in_every_state import EPOCHS, NEAR, Member, subscription


def not_there(ask, c, topic):
    return Member(ask.name("group"), "one", 3)


def alone(ask, c, topic):
    group = ask.name("group")
    return Member(group, "one", member_of(ask, c, group, [topic], 1).memberEpoch)


def beside_another(ask, c, topic):
    one = alone(ask, c, topic)
    c.unasked("ShareGroupHeartbeat", 1, **joining(one.group, "two", [topic]))
    return one


def without_a_topic(ask, c, topic):
    group = ask.name("group")
    return Member(group, "one", c.unasked("ShareGroupHeartbeat", 1, **joining(group, "one", ["no-such-topic"])).memberEpoch)


def gone(ask, c, topic):
    one = alone(ask, c, topic)
    c.unasked("ShareGroupHeartbeat", 1, **joining(one.group, "two", [topic]))
    c.unasked("ShareGroupHeartbeat", 1, groupId=one.group, memberId="one", memberEpoch=-1)
    return one


def all_gone(ask, c, topic):
    one = alone(ask, c, topic)
    c.unasked("ShareGroupHeartbeat", 1, groupId=one.group, memberId="one", memberEpoch=-1)
    return one


def consumers(ask, c, topic):
    group = ask.name("group")
    return Member(group, "one", c.unasked("ConsumerGroupHeartbeat", 0, **consuming(group, "one", [topic])).memberEpoch)


def consumers_gone(ask, c, topic):
    one = consumers(ask, c, topic)
    c.unasked("ConsumerGroupHeartbeat", 0, groupId=one.group, memberId="one", memberEpoch=-1)
    return one


def classic(ask, c, topic):
    group, member = stable(ask, c, 5, protocols=[{"name": "range", "metadata": subscription(topic)}])
    return Member(group, member.memberId, member.generationId)


def offsets_alone(ask, c, topic):
    group = ask.name("group")
    part = {"partitionIndex": 0, "committedOffset": 3, "committedMetadata": "m"}
    c.unasked("OffsetCommit", 8, groupId=group, memberId="", generationIdOrMemberEpoch=-1, topics=[{"name": topic, "partitions": [part]}])
    return Member(group, "one", 3)


STATES = {
    "a group that is not there": not_there,
    "alone": alone,
    "beside another": beside_another,
    "without a topic that is there": without_a_topic,
    "gone": gone,
    "the last, gone": all_gone,
    "of a consumer group": consumers,
    "of a consumer group, gone": consumers_gone,
    "of a classic group": classic,
    "of a group with nothing but offsets": offsets_alone,
}


def told(ask, c, row, member):
    answer = c.unasked("ShareGroupDescribe", 1, groupIds=[member.group])
    in_order = lambda g: {**g, "members": sorted(g["members"], key=lambda m: m["memberId"])}
    ordered = answer.map(lambda side: {**side, "groups": [in_order(g) for g in side["groups"]]})
    ask.row("ShareGroupDescribe", 1, f"{row}: after", how_many_each(ordered))
    found = c.unasked("ListGroups", 5, statesFilter=[], typesFilter=[])
    own = found.map(lambda answer: [g for g in answer["groups"] if g["groupId"] == member.group])
    ask.row("ListGroups", 5, f"{row}: after", own)


@every_version("ShareGroupHeartbeat")
def heartbeats(ask, c, v):
    topic = ask.topic(1)
    ask.topic_id(topic)
    values = lambda member, epoch, **more: {"groupId": member.group, "memberId": member.name, "memberEpoch": epoch, **more}
    said = {
        "a heartbeat": lambda m, e: values(m, e),
        "a full heartbeat": lambda m, e: values(m, e, subscribedTopicNames=[topic]),
        "a heartbeat with another topic": lambda m, e: values(m, e, subscribedTopicNames=["no-such-topic"]),
        "a heartbeat by another id": lambda m, e: values(m, e, memberId="three"),
        "a heartbeat without an id": lambda m, e: values(m, e, memberId=""),
    }
    for what, fields in said.items():
        for state, begin in STATES.items():
            for name, epoch in (*EPOCHS.items(), *NEAR.items()):
                member = begin(ask, c, topic)
                row = f"S-146 share: {what}, {state}, epoch {name}"
                answer = c.unasked("ShareGroupHeartbeat", v, **fields(member, member.epoch + epoch if name in NEAR else epoch))
                ask.row("ShareGroupHeartbeat", v, row, how_many(answer))
                told(ask, c, row, member)


def of_each(ask, c, api, version, what, fields):
    topic = ask.topic(1)
    ask.topic_id(topic)
    for state, begin in STATES.items():
        member = begin(ask, c, topic)
        row = f"S-146 share: {what}, {state}"
        c(row, api, version, **fields(member, topic))
        told(ask, c, row, member)


@every_version("AlterShareGroupOffsets")
def alters(ask, c, v):
    at = lambda topic, index=0: [{"topicName": topic, "partitions": [{"partitionIndex": index, "startOffset": 0}]}]
    of_each(ask, c, "AlterShareGroupOffsets", v, "offsets are altered", lambda m, t: dict(groupId=m.group, topics=at(t)))
    of_each(ask, c, "AlterShareGroupOffsets", v, "offsets of no partition are altered", lambda m, t: dict(groupId=m.group, topics=at(t, 9)))
    of_each(ask, c, "AlterShareGroupOffsets", v, "no offsets are altered", lambda m, t: dict(groupId=m.group, topics=[]))


@every_version("DeleteShareGroupOffsets")
def deletes(ask, c, v):
    of_each(ask, c, "DeleteShareGroupOffsets", v, "offsets are deleted", lambda m, t: dict(groupId=m.group, topics=[{"topicName": t}]))
    of_each(ask, c, "DeleteShareGroupOffsets", v, "offsets of no topic are deleted", lambda m, t: dict(groupId=m.group, topics=[{"topicName": "no-such-topic"}]))
    of_each(ask, c, "DeleteShareGroupOffsets", v, "no offsets are deleted", lambda m, t: dict(groupId=m.group, topics=[]))


@every_version("DescribeShareGroupOffsets")
def describes(ask, c, v):
    named = lambda t: [{"topicName": t, "partitions": [0]}]
    of_each(ask, c, "DescribeShareGroupOffsets", v, "all offsets are described", lambda m, t: dict(groups=[{"groupId": m.group, "topics": None}]))


@every_version("DeleteGroups", first=2, last=2)
def groups_deleted(ask, c, v):
    if not ask.versions("ShareGroupHeartbeat"):
        return
    of_each(ask, c, "DeleteGroups", v, "the group is deleted", lambda m, t: dict(groupsNames=[m.group]))


@every_version("OffsetCommit", first=9, last=9)
def of_other_groups(ask, c, v):
    """What is meant for groups of the other types."""
    part = {"partitionIndex": 0, "committedOffset": 3, "committedMetadata": "m"}
    for what, epoch in (("of nobody", -1), ("of a member", 1)):
        who = lambda m: "" if epoch < 0 else m.name
        of_each(ask, c, "OffsetCommit", v, f"a commit {what}", lambda m, t: dict(
            groupId=m.group, memberId=who(m), generationIdOrMemberEpoch=epoch, topics=[{"name": t, "partitions": [part]}]))
    asked = lambda t: [{"name": t, "partitionIndexes": [0]}]
    of_each(ask, c, "OffsetFetch", 9, "a fetch of offsets", lambda m, t: dict(groups=[{"groupId": m.group, "memberEpoch": -1, "topics": asked(t)}]))
    of_each(ask, c, "OffsetDelete", 0, "offsets deleted as of another group", lambda m, t: dict(
        groupId=m.group, topics=[{"name": t, "partitions": [{"partitionIndex": 0}]}]))
    of_each(ask, c, "DescribeGroups", 6, "described as a classic group", lambda m, t: dict(groups=[m.group]))
    of_each(ask, c, "ConsumerGroupDescribe", 1, "described as a consumer group", lambda m, t: dict(groupIds=[m.group]))
    of_each(ask, c, "Heartbeat", 4, "a classic heartbeat", lambda m, t: dict(groupId=m.group, memberId=m.name, generationId=m.epoch))
    of_each(ask, c, "LeaveGroup", 5, "leaves as a classic member", lambda m, t: dict(groupId=m.group, members=[{"memberId": m.name}]))
    of_each(ask, c, "ConsumerGroupHeartbeat", 1, "a consumer joins", lambda m, t: consuming(m.group, "three", [t]))
    of_each(ask, c, "ConsumerGroupHeartbeat", 1, "a consumer stays", lambda m, t: dict(groupId=m.group, memberId="one", memberEpoch=m.epoch))
