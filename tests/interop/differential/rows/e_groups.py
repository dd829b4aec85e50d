"""Classic groups: their members, their offsets, and what lists, describes and deletes them."""

import struct
import uuid

from rows import every_version, once

RANGE, ROUNDROBIN = {"name": "range", "metadata": b"r"}, {"name": "roundrobin", "metadata": b"rr"}


def joining(group, member="", protocols=(RANGE,), **more):
    return {"groupId": group, "memberId": member, "sessionTimeoutMs": 30000, "rebalanceTimeoutMs": 30000,
            "protocolType": "consumer", "protocols": list(protocols), **more}


def joined(ask, c, v=3, group=None, **more):
    """A group with one member, which is not in it for good before it syncs."""
    group = group or ask.name("group")
    return group, c.unasked("JoinGroup", v, **joining(group, **more))


def stable(ask, c, v=3, **more):
    """A group with one member that has its assignment."""
    group, answer = joined(ask, c, v, **more)
    c.unasked("SyncGroup", 3, groupId=group, generationId=answer.generationId, memberId=answer.memberId,
              groupInstanceId=more.get("groupInstanceId"), assignments=[{"memberId": answer.memberId, "assignment": b"all"}])
    return group, answer


@every_version("FindCoordinator")
def find_coordinator(ask, c, v):
    def send(name, *keys, kind=0):
        by = {"coordinatorKeys": list(keys)} if v >= 4 else {"key": keys[0]}
        return c(name, "FindCoordinator", v, keyType=kind, **by)

    send("S-111 a group", "group")
    send("S-111 the empty group", "")
    if v > 0:
        for kind in (3, -1, 9):
            send(f"S-111 key type {kind}", "group", kind=kind)
    if v >= 4:
        send("S-112 several groups", "a", "b", "c")
        send("S-112 none")
        send("S-112 a group twice", "a", "a")


@every_version("JoinGroup")
def join_group(ask, c, v):
    send = lambda name, group, *args, **more: c(name, "JoinGroup", v, **joining(group, *args, **more))
    group = ask.name("group")
    first = send("S-119 the first member", group)
    if v >= 4:
        send("S-118 S-119 with the id that it was given", group, first.memberId)
    else:
        member = first.memberId
    send("S-115 the empty group", "")
    send("S-118 an unknown member", group, "who")
    send("S-118 an unknown member of an unknown group", ask.name("group"), "who")
    send("S-117 a session timeout that is too short", group, sessionTimeoutMs=99)
    send("S-117 a session timeout that is too long", group, sessionTimeoutMs=60001)
    send("S-121 no protocols", ask.name("group"), protocols=[])
    send("S-121 no protocol type", ask.name("group"), protocolType="")
    send("S-121 another protocol type", group, protocolType="connect")
    send("S-121 no protocol in common", group, protocols=[ROUNDROBIN])
    if v >= 5:
        group = ask.name("group")
        member = send("S-120 a static member", group, groupInstanceId="one")
        send("S-120 an empty instance id", ask.name("group"), groupInstanceId="")
        send("S-120 an instance id that is no name", ask.name("group"), groupInstanceId="a b")
        send("S-141 an unknown instance id with a member id", group, "who", groupInstanceId="two")
        send("S-141 the instance id of another member", group, "who", groupInstanceId="one")
    if v >= 8:
        send("S-129 with a reason", ask.name("group"), reason="because", groupInstanceId="r")


@every_version("JoinGroup", first=2)
def rebalances(ask, c, v):
    """Two members, then three, then one too many."""
    group = ask.name("group")
    send = lambda name, con, member="", **more: con(name, "JoinGroup", v, **joining(group, member, **more))
    member_of = lambda con, **more: (con.unasked("JoinGroup", 4, **joining(group, **more)) if v >= 4 else None)
    both = [RANGE, ROUNDROBIN]
    first_id = member_of(c)
    first = send("S-123 S-126 the first member leads", c, first_id.memberId if first_id else "", protocols=both)
    sync = lambda name, con, who, generation, assignments=(), **more: con.start(
        "SyncGroup", 3, groupId=group, generationId=generation, memberId=who, assignments=list(assignments), **more)
    c.finish("S-131 its sync", sync("", c, first.memberId, first.generationId, [{"memberId": first.memberId, "assignment": b"1"}]))
    send("S-127 the leader joins again", c, first.memberId, protocols=both)
    c.finish("S-131 its sync again", sync("", c, first.memberId, 2, [{"memberId": first.memberId, "assignment": b"2"}]))
    other = ask.connect("other")
    other_id = member_of(other, protocols=[ROUNDROBIN])
    pending = other.start("JoinGroup", v, **joining(group, other_id.memberId if other_id else "", [ROUNDROBIN, RANGE]))
    ask.until(ask.connect(), lambda a: a["groups"][0]["groupState"] == "PreparingRebalance", "DescribeGroups", 0, groups=[group])
    c("S-134 a heartbeat while members join", "Heartbeat", 0, groupId=group, generationId=2, memberId=first.memberId)
    c("S-130 a sync while members join", "SyncGroup", 0, groupId=group, generationId=2, memberId=first.memberId)
    c("S-159 a commit while members join", "OffsetCommit", 2, groupId=group, generationIdOrMemberEpoch=2, memberId=first.memberId, topics=[])
    leader = send("S-124 S-125 the leader joins the rebalance", c, first.memberId, protocols=both)
    follower = other.finish("S-125 S-126 the new member", pending)
    c("S-134 a heartbeat before the sync", "Heartbeat", 0, groupId=group, generationId=3, memberId=first.memberId)
    c("S-159 a commit before the sync", "OffsetCommit", 2, groupId=group, generationIdOrMemberEpoch=3, memberId=first.memberId, topics=[])
    waits = other.start("SyncGroup", 3, groupId=group, generationId=3, memberId=follower.memberId)
    c.finish("S-131 the leader's sync", sync("", c, first.memberId, 3, [{"memberId": first.memberId, "assignment": b"3"}]))
    other.finish("S-131 the follower's sync, without an assignment", waits)
    other("S-127 the follower joins again with the same protocols", "JoinGroup", v, **joining(group, follower.memberId, [ROUNDROBIN, RANGE]))
    other("S-131 the follower's sync again", "SyncGroup", 3, groupId=group, generationId=3, memberId=follower.memberId)
    c("S-142 the group", "DescribeGroups", 1, groups=[group])
    c("S-136 the leader leaves", "LeaveGroup", 1, groupId=group, memberId=first.memberId)
    other("S-134 the follower is told", "Heartbeat", 0, groupId=group, generationId=3, memberId=follower.memberId)
    other("S-124 the follower leads now", "JoinGroup", v, **joining(group, follower.memberId, [ROUNDROBIN]))


@every_version("JoinGroup", first=5)
def static_members(ask, c, v):
    group, one = stable(ask, c, 5, groupInstanceId="one")
    send = lambda name, con, member="", **more: con(name, "JoinGroup", v, **joining(group, member, groupInstanceId="one", **more))
    two = send("S-138 S-139 the same instance comes again", ask.connect())
    heartbeat = dict(groupId=group, generationId=1, groupInstanceId="one")
    c("S-138 the old member is fenced", "Heartbeat", 3, memberId=one.memberId, **heartbeat)
    c("S-141 its sync too", "SyncGroup", 3, memberId=one.memberId, **heartbeat)
    c("S-139 the new member's heartbeat", "Heartbeat", 3, memberId=two.memberId, **heartbeat)
    c("S-141 an unknown instance", "Heartbeat", 3, memberId=two.memberId, **{**heartbeat, "groupInstanceId": "two"})
    c("S-142 the group", "DescribeGroups", 4, groups=[group])
    send("S-139 it comes with other protocols", ask.connect(), protocols=[{"name": "range", "metadata": b"other"}])
    c("S-136 it is removed by its instance id", "LeaveGroup", 3, groupId=group, members=[{"memberId": "", "groupInstanceId": "one"}])
    c("S-137 the group is empty", "DescribeGroups", 4, groups=[group])


@every_version("JoinGroup")
def full_group(ask, c, v):
    group, first = joined(ask, c)
    for at in range(2):
        ask.connect().start("JoinGroup", 3, **joining(group))
        ask.until(ask.connect(), lambda a: len(a["groups"][0]["members"]) == at + 2, "DescribeGroups", 0, groups=[group])
    c.unasked("JoinGroup", 3, **joining(group, first.memberId))
    c("S-122 one member too many", "JoinGroup", v, **joining(group))


@every_version("SyncGroup")
def sync_group(ask, c, v):
    group, member = joined(ask, c)

    def send(name, group=group, generation=1, who=member.memberId, assignments=(), **more):
        return c(name, "SyncGroup", v, groupId=group, generationId=generation, memberId=who, assignments=list(assignments),
                 **{"protocolType": "consumer", "protocolName": "range", **more})

    send("S-115 the empty group", "")
    send("S-130 an unknown group", ask.name("group"))
    send("S-130 an unknown member", who="who")
    send("S-130 another generation", generation=5)
    send("S-130 another protocol type", protocolType="connect")
    send("S-130 another protocol", protocolName="roundrobin")
    send("S-131 the leader's", assignments=[{"memberId": member.memberId, "assignment": b"mine"}])
    send("S-131 again")
    send("S-131 again, with another assignment", assignments=[{"memberId": member.memberId, "assignment": b"new"}])
    if v >= 5:
        send("S-130 no protocol type and no protocol", protocolType=None, protocolName=None)
    if v >= 3:
        send("S-141 an instance id that is none", groupInstanceId="none")


@every_version("Heartbeat")
def heartbeat(ask, c, v):
    group, member = stable(ask, c)
    send = lambda name, group=group, generation=1, who=member.memberId, **more: c(
        name, "Heartbeat", v, groupId=group, generationId=generation, memberId=who, **more)
    send("S-134 in time")
    send("S-115 the empty group", "")
    send("S-134 an unknown group", ask.name("group"))
    send("S-134 an unknown member", who="who")
    send("S-134 no member", who="")
    send("S-134 another generation", generation=2)
    send("S-134 generation -1", generation=-1)
    if v >= 3:
        send("S-141 an instance id that is none", groupInstanceId="none")


@every_version("LeaveGroup")
def leave_group(ask, c, v):
    group, member = stable(ask, c)

    def send(name, group=group, *members):
        by = {"members": [m if isinstance(m, dict) else {"memberId": m} for m in members]} if v >= 3 else {"memberId": members[0]}
        return c(name, "LeaveGroup", v, groupId=group, **by)

    send("S-115 the empty group", "", "who")
    send("S-136 an unknown group", ask.name("group"), "who")
    send("S-136 an unknown member", group, "who")
    if v >= 3:
        send("S-136 nobody", group)
        send("S-136 an instance id that is none", group, {"memberId": "", "groupInstanceId": "none"})
        send("S-136 one of two", group, member.memberId, "who")
    else:
        send("S-136 a member", group, member.memberId)
    send("S-136 again", group, member.memberId)
    c("S-137 the group is empty", "DescribeGroups", 0, groups=[group])
    c("S-137 its last member asks", "Heartbeat", 0, groupId=group, generationId=1, memberId=member.memberId)


@every_version("DescribeGroups")
def describe_groups(ask, c, v):
    group, _ = stable(ask, c)
    unsynced, _ = joined(ask, c)
    with_offsets = committed(ask, c)
    c("S-142 S-145 a stable group", "DescribeGroups", v, groups=[group])
    c("S-142 a group that waits for its leader", "DescribeGroups", v, groups=[unsynced])
    c("S-142 an unknown group", "DescribeGroups", v, groups=["no-such-group"])
    c("S-142 a group of nothing but offsets", "DescribeGroups", v, groups=[with_offsets])
    c("S-142 several", "DescribeGroups", v, groups=[group, "no-such-group"])
    c("the empty group", "DescribeGroups", v, groups=[""])
    c("no groups", "DescribeGroups", v, groups=[])
    c("S-110 authorized operations", "DescribeGroups", v, groups=[group], includeAuthorizedOperations=True)


@every_version("ListGroups")
def list_groups(ask, c, v):
    group, _ = stable(ask, c)
    with_offsets = committed(ask, c)

    def send(name, **more):
        answer = c.unasked("ListGroups", v, **more)
        only = lambda a: a if isinstance(a, str) else {**a, "groups": [g for g in a["groups"] if g["groupId"] in (group, with_offsets)]}
        ask.row("ListGroups", v, name, answer.map(only))

    send("S-143 all")
    if v >= 4:
        for states in (["Stable"], ["stable"], ["Empty", "Stable"], ["Dead"], ["no such state"]):
            send(f"S-143 states {states}", statesFilter=states)
    if v >= 5:
        for types in (["classic"], ["Consumer"], ["no such type"]):
            send(f"S-143 types {types}", typesFilter=types)


# Offsets.


def committed(ask, c, topic=None, group=None):
    """A group with an offset and no members."""
    group, topic = group or ask.name("offsets"), topic or ask.topic()
    c.unasked("OffsetCommit", 2, groupId=group, generationIdOrMemberEpoch=-1, memberId="",
              topics=[{"name": topic, "partitions": [{"partitionIndex": 0, "committedOffset": 5, "committedMetadata": "m"}]}])
    return group


def topic_of(ask, v, name, first_id=10):
    if v < first_id:
        return {"name": name}
    return {"name": name, "topicId": ask.topic_id(name) if name != "no-such-topic" else uuid.UUID(int=5)}


@every_version("OffsetCommit")
def offset_commit(ask, c, v):
    topic = ask.topic(partitions=2)
    group, member = stable(ask, c)

    def send(name, group=ask.name("group"), generation=-1, who="", topic=topic, partition=0, metadata="m", **more):
        part = {"partitionIndex": partition, "committedOffset": 7, "committedMetadata": metadata, "committedLeaderEpoch": 0, **({"commitTimestamp": -1} if v == 1 else {})}
        return c(name, "OffsetCommit", v, groupId=group, **{"generationIdOrMemberEpoch": generation, "memberId": who} if v else {},
                 topics=[{**topic_of(ask, v, topic), "partitions": [part]}], **more)

    send("S-158 a group without members")
    send("S-158 a group without members, again")
    send("S-158 a group with members", group)
    send("S-158 a member", group, 1, member.memberId)
    send("S-159 another generation", group, 4, member.memberId)
    send("S-158 an unknown member", group, 1, "who")
    send("S-159 a generation of an unknown group", ask.name("group"), 1)
    send("S-158 a member id without a generation", ask.name("group"), -1, "who")
    send("the empty group", "")
    send("S-161 an unknown topic", topic="no-such-topic")
    send("S-161 an unknown partition", partition=9)
    send("S-161 a negative partition", partition=-1)
    send("S-161 metadata that is too long", metadata="x" * 65)
    send("S-161 metadata as long as may be", metadata="x" * 64)
    send("S-161 no metadata", metadata=None)
    if v >= 7:
        send("S-141 an instance id that is none", group, 1, member.memberId, groupInstanceId="none")
    c("no topics", "OffsetCommit", v, groupId=ask.name("group"), topics=[], **{"generationIdOrMemberEpoch": -1} if v else {})


@every_version("OffsetFetch")
def offset_fetch(ask, c, v):
    topic = ask.topic(partitions=2)
    group = committed(ask, c, topic)

    def send(name, *topics, group=group, **more):
        asked = None if topics == (None,) else [{**topic_of(ask, v, t), "partitionIndexes": list(p)} for t, p in topics]
        by = {"groups": [{"groupId": group, "topics": asked}]} if v >= 8 else {"groupId": group, "topics": asked}
        return c(name, "OffsetFetch", v, **by, **more)

    send("S-164 a committed one and one that is not", (topic, [0, 1]))
    send("S-164 an unknown partition", (topic, [9]))
    send("S-164 an unknown topic", ("no-such-topic", [0]))
    send("S-164 an unknown group", (topic, [0]), group="no-such-group")
    send("S-164 the empty group", (topic, [0]), group="")
    send("no topics")
    if v >= 2:
        send("S-165 all", None)
        send("S-165 all of an unknown group", None, group="no-such-group")
    if v >= 7:
        send("S-166 stable ones", (topic, [0]), requireStable=True)
    if v >= 8:
        both = [{"groupId": g, "topics": None} for g in (group, "no-such-group")]
        c("S-165 two groups", "OffsetFetch", v, groups=both)
        c("S-165 no groups", "OffsetFetch", v, groups=[])
    if v >= 9:
        by = {"groupId": group, "memberId": "who", "memberEpoch": 3, "topics": None}
        c("S-150 a member epoch where there are no members", "OffsetFetch", v, groups=[by])


@every_version("OffsetDelete")
def offset_delete(ask, c, v):
    topic, other = ask.topic(), ask.topic()
    group = committed(ask, c, topic)
    # A subscription as consumers write it: version 0, one topic, no user data.
    subscription = struct.pack(">hih", 0, 1, len(topic)) + topic.encode() + struct.pack(">i", -1)
    live, _ = stable(ask, c, protocols=[{"name": "range", "metadata": subscription}])
    foreign, _ = stable(ask, c, protocolType="connect")
    send = lambda name, group, topic, partition=0: c(
        name, "OffsetDelete", v, groupId=group, topics=[{"name": topic, "partitions": [{"partitionIndex": partition}]}])
    send("S-168 an unknown group", "no-such-group", topic)
    send("S-168 the empty group", "", topic)
    send("S-168 an unknown partition", group, topic, 9)
    send("S-168 an unknown topic", group, "no-such-topic")
    send("S-168 a topic that a member is subscribed to", live, topic)
    send("S-168 a topic that no member is subscribed to", live, other)
    send("S-168 a group of another protocol", foreign, topic)
    send("S-168 an offset", group, topic)
    send("S-168 an offset that is not there", group, topic)
    c("S-168 it is gone", "OffsetFetch", 1, groupId=group, topics=[{"name": topic, "partitionIndexes": [0]}])


@every_version("DeleteGroups")
def delete_groups(ask, c, v):
    topic = ask.topic()
    group, live = committed(ask, c, topic), stable(ask, c)[0]
    c("S-169 one that is there, one with members, one that is not", "DeleteGroups", v, groupsNames=[group, live, "no-such-group"])
    c("S-169 again", "DeleteGroups", v, groupsNames=[group])
    c("S-169 the empty group", "DeleteGroups", v, groupsNames=[""])
    c("S-169 none", "DeleteGroups", v, groupsNames=[])
    c("S-169 its offsets are gone", "OffsetFetch", 1, groupId=group, topics=[{"name": topic, "partitionIndexes": [0]}])


@once
def deleted_topics(ask, c):
    topic = ask.topic()
    group = committed(ask, c, topic)
    c.unasked("DeleteTopics", 3, topicNames=[topic], timeoutMs=10000)
    gone = lambda a: a["topics"][0]["partitions"][0]["committedOffset"] == -1
    answer = ask.until(c, gone, "OffsetFetch", 1, groupId=group, topics=[{"name": topic, "partitionIndexes": [0]}])
    ask.row("OffsetFetch", 1, "S-171 offsets go with their topic", answer)


@once
def sessions_expire(ask, c):
    group, member = stable(ask, c, sessionTimeoutMs=100)
    ask.until(c, lambda a: a["groups"][0]["groupState"] == "Empty", "DescribeGroups", 0, groups=[group])
    c("S-135 a member that was silent for too long", "Heartbeat", 0, groupId=group, generationId=1, memberId=member.memberId)
    c("S-135 its group", "DescribeGroups", 0, groups=[group])


@every_version("InitProducerId")
def init_producer_id(ask, c, v):
    send = lambda name, **more: c(name, "InitProducerId", v, **{"transactionalId": None, "transactionTimeoutMs": 60000, **more})
    send("S-173 without a transactional id")
    send("S-173 an empty transactional id", transactionalId="")
    send("without a transactional id, no timeout", transactionTimeoutMs=0)
    if v >= 3:
        send("S-177 a producer id without an epoch", producerId=5)
        send("S-177 an epoch without a producer id", producerEpoch=1)
        send("S-177 both, without a transactional id", producerId=5, producerEpoch=1)
