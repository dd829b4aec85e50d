"""Groups whose broker assigns partitions (KIP-848): heartbeats, what they lead to, and what others see of it."""

import struct

from rows import every_version


def joining(group, member, topics, **more):
    return {"groupId": group, "memberId": member, "memberEpoch": 0, "rebalanceTimeoutMs": 30000,
            "subscribedTopicNames": list(topics), "topicPartitions": [], **more}


def staying(group, answer, member=None, **more):
    """What a member says that has nothing to say."""
    return {"groupId": group, "memberId": member or answer.memberId, "memberEpoch": answer.memberEpoch, **more}


def owned(ask, topic, *partitions):
    return [{"topicId": ask.topic_id(topic), "partitions": list(partitions)}]


def has_topics(answer):
    return answer["errorCode"] or (answer["assignment"] or {}).get("topicPartitions")


@every_version("ConsumerGroupHeartbeat")
def joins(ask, c, v):
    topic, group = ask.topic(2), ask.name("group")
    # A coordinator of Kafka hears of a topic later than those who ask its broker for it.
    ask.until(c, has_topics, "ConsumerGroupHeartbeat", v, **joining(ask.name("group"), "one", [topic]))
    send = lambda name, **values: c(name, "ConsumerGroupHeartbeat", v, **values)
    first = send("S-146 S-148 S-154 the first member", **joining(group, "one", [topic]))
    send("S-151 nothing new", **staying(group, first))
    send("S-151 everything again", **staying(group, first, rebalanceTimeoutMs=30000, subscribedTopicNames=[topic],
                                             topicPartitions=owned(ask, topic, 0, 1)))
    send("S-148 joins once more", **joining(group, "one", [topic]))
    send("S-155 a topic that does not exist", **joining(ask.name("group"), "one", ["no-such-topic"]))
    send("S-154 no topic", **joining(ask.name("group"), "one", []))
    send("S-150 the assignor range", **joining(ask.name("group"), "one", [topic], serverAssignor="range"))
    send("S-150 no such assignor", **joining(ask.name("group"), "one", [topic], serverAssignor="sticky"))
    send("S-147 without an id", **joining(ask.name("group"), "", [topic]))
    send("the empty group", **joining("", "one", [topic]))
    send("S-148 without a rebalance timeout", **joining(group, "two", [topic], rebalanceTimeoutMs=-1))
    send("S-148 without partitions", **joining(group, "two", [topic], topicPartitions=None))
    send("S-148 with partitions", **joining(group, "two", [topic], topicPartitions=owned(ask, topic, 0)))
    send("S-148 without a subscription", **joining(group, "two", [topic], subscribedTopicNames=None))
    send("an empty instance id", **joining(group, "two", [topic], instanceId=""))
    send("an empty rack", **joining(group, "two", [topic], rackId=""))
    send("a rack", **joining(ask.name("group"), "one", [topic], rackId="here"))
    if v >= 1:
        send("S-150 a pattern that is none", **joining(ask.name("group"), "one", [], subscribedTopicNames=None, subscribedTopicRegex="("))
        send("S-154 an empty pattern", **joining(ask.name("group"), "one", [], subscribedTopicNames=None, subscribedTopicRegex=""))
    for member in ("two", "three"):
        send(f"S-154 member {member}", **joining(group, member, [topic]))
    send("one too many", **joining(group, "four", [topic]))


#: What Kafka's RE2J understands of classes of characters, each of which matches one of the topics at least; and what not.
PATTERNS = [r"\pL+", r"\p{L}+", r"\p{Lu}+", r"\p{^Lu}+", r"\PL+", r"\p{Latin}+", r"\p{^Greek}+", r"\P{Greek}+", r"\pN+", r"[\pL_]+",
            r"[^\pL]+", r"(?i)abc", r"[[:alpha:]]+", r"[[:^alpha:]]+", r"\x41\x{42}C", r"\101BC", r"\Qa_b\E", r"\d+|\w_b", "a[^b]b"]
NO_PATTERNS = [r"\p{Klingon}", r"\pX", r"\p{Lu", r"\Z", "[b-a]", "a(b"]


@every_version("ConsumerGroupHeartbeat")
def patterns(ask, c, v):
    if v < 1:
        return
    for name in ("abc", "ABC", "123", "a_b"):
        topic = ask.topic(1, f"re{v}.{name}")
        ask.topic_id(topic)
    by_pattern = lambda pattern: joining(ask.name("group"), "one", [], subscribedTopicNames=None, subscribedTopicRegex=rf"re{v}\.(?:{pattern})")
    for pattern in NO_PATTERNS:
        c(f"S-155 no pattern {pattern}", "ConsumerGroupHeartbeat", v, **by_pattern(pattern))
    for pattern in PATTERNS:
        values = by_pattern(pattern)
        c("S-155 the first answer to a pattern", "ConsumerGroupHeartbeat", v, **values)
        found = ask.until(c, has_topics, "ConsumerGroupHeartbeat", v, **values)
        seen = found.map(lambda answer: {key: answer[key] for key in ("errorCode", "assignment")})
        ask.row("ConsumerGroupHeartbeat", v, f"S-155 what {pattern} matches", seen)


@every_version("ConsumerGroupHeartbeat")
def epochs(ask, c, v):
    topic, group = ask.topic(2), ask.name("group")
    send = lambda name, **values: c(name, "ConsumerGroupHeartbeat", v, **values)
    first = send("S-146 the first member", **joining(group, "one", [topic]))
    send("S-149 a greater epoch", groupId=group, memberId="one", memberEpoch=first.memberEpoch + 1)
    send("S-149 a smaller epoch", groupId=group, memberId="one", memberEpoch=1)
    send("S-149 an unknown member", groupId=group, memberId="who", memberEpoch=1)
    send("S-150 an unknown group", groupId="no-such-group", memberId="one", memberEpoch=1)
    send("S-146 an epoch that is none", groupId=group, memberId="one", memberEpoch=-3)
    send("S-146 for a while, of who is not static", groupId=group, memberId="one", memberEpoch=-2)
    send("S-146 an unknown member leaves", groupId=group, memberId="who", memberEpoch=-1)
    send("S-150 an unknown group is left", groupId="no-such-group", memberId="one", memberEpoch=-1)
    second = send("S-152 another member gets what is free", **joining(group, "two", [topic]))
    asked = send("S-152 the first is asked to give one back", **staying(group, first))
    kept = asked.assignment.topicPartitions
    send("S-152 it still has both", **staying(group, asked, topicPartitions=owned(ask, topic, 0, 1)))
    send("S-152 the second waits", **staying(group, second))
    done = send("S-152 it has given it back", **staying(group, asked, topicPartitions=[
        {"topicId": t.topicId, "partitions": t.partitions} for t in kept]))
    send("S-149 the answer with the new epoch was lost", **staying(group, asked, topicPartitions=[
        {"topicId": t.topicId, "partitions": t.partitions} for t in kept]))
    second = send("S-152 the second gets it", **staying(group, second))
    send("S-146 the second leaves", groupId=group, memberId="two", memberEpoch=-1)
    send("S-149 and is no member any more", **staying(group, second, member="two"))
    send("S-154 the first has all again", **staying(group, done))


@every_version("ConsumerGroupHeartbeat")
def ranges(ask, c, v):
    """Members that share topics of different sizes: the same places in each of them, and the first has more."""
    topics, group = [ask.topic(3), ask.topic(4)], ask.name("group")
    for topic in topics:
        ask.topic_id(topic)

    def describe(row):
        """Kafka tells the names of a subscription in any order."""
        in_order = lambda m: {**m, "subscribedTopicNames": sorted(m["subscribedTopicNames"])}
        of_group = lambda g: {**g, "members": [in_order(m) for m in g["members"]]}
        answer = c.unasked("ConsumerGroupDescribe", 1, groupIds=[group])
        ask.row("ConsumerGroupDescribe", 1, row, answer.map(lambda side: {**side, "groups": [of_group(g) for g in side["groups"]]}))

    join = lambda row, member, topics=topics, **more: c(row, "ConsumerGroupHeartbeat", v, **joining(
        group, member, topics, serverAssignor="range", **more))

    def goes_on(member, epoch):
        """Hears what it is to have, and has it."""
        heard = c(f"S-150 member {member} hears of it", "ConsumerGroupHeartbeat", v, groupId=group, memberId=member, memberEpoch=epoch)
        kept = heard.assignment.map(lambda all: all and [{k: t[k] for k in ("topicId", "partitions")} for t in all["topicPartitions"]])
        return c(f"S-150 member {member} has it", "ConsumerGroupHeartbeat", v, groupId=group, memberId=member,
                 memberEpoch=heard.memberEpoch, topicPartitions=kept)

    one = join("S-150 range with one member", "one")
    two = join("S-150 range with two members", "two")
    describe("S-150 range with two members, on their way")
    one = goes_on("one", one.memberEpoch)
    two = goes_on("two", two.memberEpoch)
    describe("S-150 range with two members")
    three = join("S-150 range with a member that has but one of the topics", "three", topics[1:])
    describe("S-150 range with three members, on their way")
    goes_on("one", one.memberEpoch)
    goes_on("two", two.memberEpoch)
    goes_on("three", three.memberEpoch)
    describe("S-150 range with three members")
    c("S-150 one of them leaves", "ConsumerGroupHeartbeat", v, groupId=group, memberId="one", memberEpoch=-1)
    describe("S-150 range once one has left")


@every_version("ConsumerGroupHeartbeat")
def static_members(ask, c, v):
    topic, group = ask.topic(2), ask.name("group")
    send = lambda name, **values: c(name, "ConsumerGroupHeartbeat", v, **values)
    first = send("S-146 a static member", **joining(group, "one", [topic], instanceId="i"))
    send("S-150 its instance id is not free", **joining(group, "two", [topic], instanceId="i"))
    send("S-150 another member with its instance id", **staying(group, first, member="two", instanceId="i"))
    send("S-150 an unknown instance id", **staying(group, first, instanceId="j"))
    send("S-146 it leaves for a while", groupId=group, memberId="one", memberEpoch=-2, instanceId="i")
    send("S-146 and is back with another id", **joining(group, "two", [topic], instanceId="i"))
    send("S-150 its old id is fenced", **staying(group, first, member="one", instanceId="i"))
    send("S-146 it leaves for good", groupId=group, memberId="two", memberEpoch=-1, instanceId="i")
    send("S-146 again", groupId=group, memberId="two", memberEpoch=-1, instanceId="i")


@every_version("ConsumerGroupHeartbeat")
def topics_grow(ask, c, v):
    topic, group = ask.topic(1), ask.name("group")
    first = c.unasked("ConsumerGroupHeartbeat", v, **joining(group, "one", [topic]))
    c.unasked("CreatePartitions", 0, topics=[{"name": topic, "count": 3, "assignments": None}], timeoutMs=10000, validateOnly=False)
    grown = lambda answer: answer["assignment"] is not None
    answer = ask.until(c, grown, "ConsumerGroupHeartbeat", v, **staying(group, first))
    ask.row("ConsumerGroupHeartbeat", v, "S-154 a topic has more partitions", answer)


@every_version("ConsumerGroupDescribe")
def describes(ask, c, v):
    topic, group = ask.topic(2), ask.name("group")
    send = lambda name, *groups, **more: c(name, "ConsumerGroupDescribe", v, groupIds=list(groups), **more)
    classic = ask.name("group")
    c.unasked("OffsetCommit", 2, groupId=classic, topics=[{"name": topic, "partitions": [{"partitionIndex": 0, "committedOffset": 1, "committedMetadata": ""}]}])
    c.unasked("ConsumerGroupHeartbeat", 0, **joining(group, "one", [topic], instanceId="i", rackId="here"))
    send("one member", group)
    send("several, some of which are not there", group, "no-such-group", classic, "")
    send("none")
    send("with authorized operations", group, includeAuthorizedOperations=True)
    c.unasked("ConsumerGroupHeartbeat", 0, **joining(group, "two", [topic]))
    send("S-152 on its way", group)
    for member in ("one", "two"):
        c.unasked("ConsumerGroupHeartbeat", 0, groupId=group, memberId=member, memberEpoch=-1, **({"instanceId": "i"} if member == "one" else {}))
    send("without members", group)


@every_version("ConsumerGroupHeartbeat")
def seen_by_others(ask, c, v):
    topic, group = ask.topic(2), ask.name("group")
    member = c.unasked("ConsumerGroupHeartbeat", v, **joining(group, "one", [topic]))
    for version in (0, 5, 6):
        c("S-150 DescribeGroups", "DescribeGroups", version, groups=[group])
    for types in ([], ["consumer"], ["classic"]):
        found = c.unasked("ListGroups", 5, statesFilter=[], typesFilter=types)
        own = found.map(lambda answer: [g for g in answer["groups"] if g["groupId"] == group])
        ask.row("ListGroups", 5, f"S-143 types {types}", own)
    c("S-169 DeleteGroups", "DeleteGroups", 2, groupsNames=[group])
    at = [{"partitionIndex": 0, "committedOffset": 3, "committedLeaderEpoch": -1, "committedMetadata": ""}]
    commit = lambda name, version, epoch, who="one": c(
        name, "OffsetCommit", version, groupId=group, memberId=who, generationIdOrMemberEpoch=epoch, topics=[{"name": topic, "partitions": at}])
    commit("S-160 a commit", 9, member.memberEpoch)
    commit("S-160 a commit of an old version", 8, member.memberEpoch)
    commit("S-160 a greater epoch", 9, member.memberEpoch + 1)
    commit("S-160 an epoch before it had the partition", 9, member.memberEpoch - 1)
    commit("S-160 an unknown member", 9, member.memberEpoch, "who")
    commit("S-158 no member", 9, -1, "")
    fetch = lambda name, who, epoch: c(name, "OffsetFetch", 9, groups=[
        {"groupId": group, "memberId": who, "memberEpoch": epoch, "topics": [{"name": topic, "partitionIndexes": [0]}]}])
    fetch("S-150 a fetch", "one", member.memberEpoch)
    fetch("S-150 a fetch of who is no member", None, -1)
    fetch("S-150 a fetch in another epoch", "one", member.memberEpoch - 1)
    fetch("S-150 a fetch of an unknown member", "who", 1)
    c("S-168 OffsetDelete", "OffsetDelete", 0, groupId=group, topics=[{"name": topic, "partitions": [{"partitionIndex": 0}]}])
    for api, more in (("Heartbeat", {}), ("SyncGroup", {"assignments": []})):
        c(f"S-156 {api} of one that has not joined so", api, 0, groupId=group, generationId=member.memberEpoch, memberId="one", **more)
    c("S-156 LeaveGroup", "LeaveGroup", 3, groupId=group, members=[{"memberId": "one"}, {"memberId": "who"}])
    c("S-169 DeleteGroups without members", "DeleteGroups", 2, groupsNames=[group])


@every_version("ConsumerGroupHeartbeat")
def both_protocols(ask, c, v):
    """A classic member in a consumer group."""
    topic, group = ask.topic(2), ask.name("group")
    subscription = struct.pack(">hih", 1, 1, len(topic)) + topic.encode() + struct.pack(">ii", -1, 0)
    first = c.unasked("ConsumerGroupHeartbeat", v, **joining(group, "one", [topic]))
    join = lambda name, member="", protocol="range", kind="consumer", metadata=subscription: c(
        name, "JoinGroup", 3, groupId=group, memberId=member, sessionTimeoutMs=30000, rebalanceTimeoutMs=30000,
        protocolType=kind, protocols=[{"name": protocol, "metadata": metadata}])
    join("S-156 another protocol type", kind="connect")
    join("S-156 a subscription that is none", metadata=b"r")
    joined = join("S-156 a classic member")
    sync = lambda name, generation: c(name, "SyncGroup", 3, groupId=group, generationId=generation, memberId=joined.memberId, assignments=[])
    beat = lambda name, generation: c(name, "Heartbeat", 3, groupId=group, generationId=generation, memberId=joined.memberId)
    sync("S-156 another generation", joined.generationId + 1)
    sync("S-156 it has nothing yet", joined.generationId)
    beat("S-156 nothing new", joined.generationId)
    asked = c.unasked("ConsumerGroupHeartbeat", v, **staying(group, first))
    c.unasked("ConsumerGroupHeartbeat", v, **staying(group, asked, topicPartitions=[
        {"topicId": t.topicId, "partitions": t.partitions} for t in asked.assignment.topicPartitions]))
    beat("S-156 it is to join again", joined.generationId)
    again = join("S-156 and does", joined.memberId)
    sync("S-156 it has one partition", again.generationId)
    c("S-156 both are described", "ConsumerGroupDescribe", 1, groupIds=[group])
    c("S-156 the consumer leaves", "ConsumerGroupHeartbeat", v, groupId=group, memberId="one", memberEpoch=-1)
    found = c.unasked("ListGroups", 5, statesFilter=[], typesFilter=[])
    own = found.map(lambda answer: [g for g in answer["groups"] if g["groupId"] == group])
    ask.row("ListGroups", 5, "S-156 the group is classic again", own)
