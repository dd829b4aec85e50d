"""Whatever a member of a consumer group can say in every state that it can be in, in every epoch."""

import struct

from rows import every_version
from rows.e_groups import stable
from rows.h_consumer_groups import joining, owned, staying


def subscription(topic):
    return struct.pack(">hih", 1, 1, len(topic)) + topic.encode() + struct.pack(">ii", -1, 0)


class Member:
    """Who asks: of a group, by an id, in an epoch, by an instance id or none."""

    def __init__(self, group, name, epoch, instance=None):
        self.group, self.name, self.epoch, self.instance = group, name, epoch, instance

    def beat(self, c, v=0, **more):
        values = {"groupId": self.group, "memberId": self.name, "memberEpoch": self.epoch, "instanceId": self.instance, **more}
        answer = c.unasked("ConsumerGroupHeartbeat", v, **values)
        self.epoch = answer.memberEpoch
        return answer

    def leave(self, c, epoch):
        """Leaves with this for an epoch, and believes to be where it was."""
        c.unasked("ConsumerGroupHeartbeat", 0, groupId=self.group, memberId=self.name, memberEpoch=epoch,
                  instanceId=self.instance)


def begins(ask, c, topic, name="one", instance=None, group=None):
    group = group or ask.name("group")
    answer = c.unasked("ConsumerGroupHeartbeat", 0, **joining(group, name, [topic], instanceId=instance))
    return Member(group, name, answer.memberEpoch, instance)


def not_there(ask, c, topic):
    return Member(ask.name("group"), "one", 3)


def asked_to_give_back(ask, c, topic):
    """Has two partitions, and has heard that it is to have one."""
    one = begins(ask, c, topic)
    begins(ask, c, topic, "two", group=one.group)
    one.beat(c)
    return one


def waits(ask, c, topic):
    """Is to have a partition that another has not given back."""
    one = begins(ask, c, topic)
    two = begins(ask, c, topic, "two", group=one.group)
    one.beat(c)
    two.beat(c)
    return two


def behind(ask, c, topic):
    """Another has come since it was heard of."""
    one = begins(ask, c, topic)
    begins(ask, c, topic, "two", group=one.group)
    return one


def static(ask, c, topic):
    return begins(ask, c, topic, instance="i")


def gone_for_a_while(ask, c, topic):
    one = begins(ask, c, topic, instance="i")
    one.leave(c, -2)
    return one


def gone(ask, c, topic):
    """Another is there still."""
    one = begins(ask, c, topic)
    begins(ask, c, topic, "two", group=one.group)
    one.leave(c, -1)
    return one


def all_gone(ask, c, topic):
    one = begins(ask, c, topic)
    one.leave(c, -1)
    return one


def classic(ask, c, topic):
    """A member of the classic protocol, alone in its group."""
    group, member = stable(ask, c, 5, protocols=[{"name": "range", "metadata": subscription(topic)}])
    return Member(group, member.memberId, member.generationId)


def classic_beside(ask, c, topic):
    """A member of the classic protocol, in a group that has become one of the consumer protocol."""
    member = classic(ask, c, topic)
    begins(ask, c, topic, "two", group=member.group)
    return member


STATES = {
    "a group that is not there": not_there,
    "alone": begins,
    "asked to give back": asked_to_give_back,
    "waiting": waits,
    "behind": behind,
    "static": static,
    "static, gone for a while": gone_for_a_while,
    "gone": gone,
    "the last, gone": all_gone,
    "classic": classic,
    "classic beside another": classic_beside,
}
EPOCHS = {"the lowest there is not": -3, "for a while": -2, "for good": -1, "none": 0, "the first": 1}
NEAR = {"the one before": -1, "its own": 0, "the next": 1}


def epochs_of(member):
    for what, epoch in EPOCHS.items():
        yield f"epoch {what}", epoch
    for what, by in NEAR.items():
        yield f"epoch {what}", member.epoch + by


def epoch_names():
    return [f"epoch {what}" for what in (*EPOCHS, *NEAR)]


def told(ask, c, row, member):
    """What is known of the group: Kafka tells subscriptions and members in any order."""
    in_order = lambda m: {**m, "subscribedTopicNames": sorted(m["subscribedTopicNames"])}
    of_group = lambda g: {**g, "members": sorted(map(in_order, g["members"]), key=lambda m: m["memberId"] if m["memberId"] in ("one", "two") else "")}
    answer = c.unasked("ConsumerGroupDescribe", 1, groupIds=[member.group])
    ask.row("ConsumerGroupDescribe", 1, f"{row}: after", answer.map(lambda side: {**side, "groups": [of_group(g) for g in side["groups"]]}))


def in_every_state(ask, c, api, version, what, fields):
    """`fields` gives those of a request of a member, in an epoch."""
    topic = ask.topic(2)
    ask.topic_id(topic)
    for state, begin in STATES.items():
        for name in epoch_names():
            member = begin(ask, c, topic)
            epoch = dict(epochs_of(member))[name]
            row = f"S-149 {what}, {state}, {name}"
            c(row, api, version, **fields(member, epoch, topic))
            told(ask, c, row, member)


@every_version("ConsumerGroupHeartbeat")
def heartbeats(ask, c, v):
    values = lambda member, epoch, **more: {"groupId": member.group, "memberId": member.name, "memberEpoch": epoch,
                                            "instanceId": member.instance, **more}
    said = {
        "a heartbeat": lambda m, e, t: values(m, e),
        "a heartbeat with nothing owned": lambda m, e, t: values(m, e, topicPartitions=[]),
        "a heartbeat with one owned": lambda m, e, t: values(m, e, topicPartitions=owned(ask, t, 0)),
        "a full heartbeat": lambda m, e, t: values(m, e, topicPartitions=[], rebalanceTimeoutMs=30000, subscribedTopicNames=[t]),
        "a heartbeat with an instance id": lambda m, e, t: values(m, e, instanceId="i"),
        "a heartbeat with another instance id": lambda m, e, t: values(m, e, instanceId="j"),
        "a full heartbeat by another id": lambda m, e, t: values(m, e, memberId="three", topicPartitions=[], rebalanceTimeoutMs=30000,
                                                                 subscribedTopicNames=[t]),
    }
    for what, fields in said.items():
        in_every_state(ask, c, "ConsumerGroupHeartbeat", v, what, fields)


@every_version("OffsetCommit", first=8, last=9)
def commits(ask, c, v):
    part = {"partitionIndex": 0, "committedOffset": 3, "committedMetadata": "m"}
    values = lambda member, epoch, topic, **more: {
        "groupId": member.group, "memberId": member.name, "generationIdOrMemberEpoch": epoch, "groupInstanceId": member.instance,
        "topics": [{"name": topic, "partitions": [part]}], **more}
    if not ask.versions("ConsumerGroupHeartbeat"):
        return
    in_every_state(ask, c, "OffsetCommit", v, "a commit", values)
    in_every_state(ask, c, "OffsetCommit", v, "a commit of nobody", lambda m, e, t: values(m, e, t, memberId=""))
    in_every_state(ask, c, "OffsetCommit", v, "a commit with an instance id", lambda m, e, t: values(m, e, t, groupInstanceId="i"))


@every_version("OffsetFetch", first=9, last=9)
def fetches(ask, c, v):
    values = lambda member, epoch, topic, **more: {"groups": [{
        "groupId": member.group, "memberId": member.name, "memberEpoch": epoch,
        "topics": [{"name": topic, "partitionIndexes": [0]}], **more}]}
    in_every_state(ask, c, "OffsetFetch", v, "a fetch of offsets", values)
    in_every_state(ask, c, "OffsetFetch", v, "a fetch of offsets by nobody", lambda m, e, t: values(m, e, t, memberId=None))


@every_version("Heartbeat", first=4)
def classic_heartbeats(ask, c, v):
    if not ask.versions("ConsumerGroupHeartbeat"):
        return
    values = lambda member, epoch, topic, **more: {"groupId": member.group, "memberId": member.name, "generationId": epoch,
                                                   "groupInstanceId": member.instance, **more}
    in_every_state(ask, c, "Heartbeat", v, "a classic heartbeat", values)


@every_version("SyncGroup", first=5)
def syncs(ask, c, v):
    if not ask.versions("ConsumerGroupHeartbeat"):
        return
    values = lambda member, epoch, topic, **more: {
        "groupId": member.group, "memberId": member.name, "generationId": epoch, "groupInstanceId": member.instance,
        "protocolType": "consumer", "protocolName": "range", "assignments": [], **more}
    in_every_state(ask, c, "SyncGroup", v, "a sync", values)


@every_version("LeaveGroup", first=5)
def leaves(ask, c, v):
    if not ask.versions("ConsumerGroupHeartbeat"):
        return
    topic = ask.topic(2)
    ask.topic_id(topic)
    for state, begin in STATES.items():
        for what, who in (("by its id", lambda m: {"memberId": m.name}), ("by an instance id", lambda m: {"memberId": "", "groupInstanceId": "i"}),
                          ("by both", lambda m: {"memberId": m.name, "groupInstanceId": "i"}),
                          ("by another's", lambda m: {"memberId": m.name, "groupInstanceId": "j"})):
            member = begin(ask, c, topic)
            row = f"S-156 leaves {what}, {state}"
            c(row, "LeaveGroup", v, groupId=member.group, members=[who(member)])
            told(ask, c, row, member)
