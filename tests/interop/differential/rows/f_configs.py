"""DescribeConfigs, AlterConfigs, IncrementalAlterConfigs."""

from rows import every_version, once

TOPIC, BROKER, LOGGER = 2, 4, 8
SET, DELETE, APPEND, SUBTRACT = range(4)
#: Settings that say the same in every release.
SAME = ["retention.ms", "retention.bytes", "cleanup.policy", "segment.bytes", "max.message.bytes", "compression.type",
        "min.cleanable.dirty.ratio", "flush.ms", "unclean.leader.election.enable", "segment.ms"]


@every_version("DescribeConfigs")
def describe_configs(ask, c, v):
    topic = ask.topic(retention_ms=12345, cleanup_policy="compact,delete")

    def send(name, *resources, **more):
        asked = [{"resourceType": t, "resourceName": n, "configurationKeys": keys} for t, n, keys in resources]
        return c(name, "DescribeConfigs", v, resources=asked, **more)

    send("S-206 S-210 a topic", (TOPIC, topic, SAME))
    send("S-207 a topic, with synonyms", (TOPIC, topic, SAME), includeSynonyms=True)
    send("S-210 a topic, with documentation", (TOPIC, topic, SAME[:2]), includeDocumentation=True)
    send("S-208 unknown names", (TOPIC, topic, ["retention.ms", "no.such.setting"]))
    send("S-209 an unknown topic", (TOPIC, "no-such-topic", SAME))
    send("S-209 a topic name that cannot be", (TOPIC, "a b", SAME))
    send("S-209 the empty topic name", (TOPIC, "", SAME))
    keys = ["num.partitions", "log.retention.ms", "broker.id", "message.max.bytes", "compression.type"]
    send("S-206 the broker", (BROKER, "1", keys))
    send("S-206 the broker, with synonyms", (BROKER, "1", keys), includeSynonyms=True)
    send("S-208 what is secret", (BROKER, "1", ["ssl.keystore.password", "ssl.key.password"]))
    send("S-209 another broker", (BROKER, "7", keys))
    send("S-209 a broker that is no number", (BROKER, "one", keys))
    send("S-209 all brokers", (BROKER, "", keys))
    send("an unknown type", (77, "x", None))
    send("a topic twice", (TOPIC, topic, SAME[:1]), (TOPIC, topic, SAME[:1]))
    send("several", (TOPIC, topic, SAME[:1]), (BROKER, "1", ["num.partitions"]), (TOPIC, "no-such-topic", None))
    send("nothing")
    for name, keys in (("null", None), ("an empty list", [])):
        answer = c.unasked("DescribeConfigs", v, resources=[{"resourceType": TOPIC, "resourceName": topic, "configurationKeys": keys}])
        has = lambda a: {"errorCode": a["results"][0]["errorCode"], "all": sum(e["name"] in SAME for e in a["results"][0]["configs"])}
        ask.row("DescribeConfigs", v, f"S-208 {name} for all settings", answer.map(has))


def settles(ask, row, topic, name, value):
    """A change is seen."""
    asked = [{"resourceType": TOPIC, "resourceName": topic, "configurationKeys": [name]}]
    answer = ask.until(ask.connect(), lambda a: a["results"][0]["configs"][0]["value"] == value, "DescribeConfigs", 1, resources=asked)
    ask.row("DescribeConfigs", 1, row, answer)


@every_version("IncrementalAlterConfigs")
def incremental_alter_configs(ask, c, v):
    topic = ask.topic(cleanup_policy="compact")

    def send(row, *ops, name=topic, kind=TOPIC, **more):
        ops = [{"name": n, "configOperation": o, "value": x} for n, o, x in ops]
        return c(row, "IncrementalAlterConfigs", v, resources=[{"resourceType": kind, "resourceName": name, "configs": ops}], **more)

    send("S-211 set", ("retention.ms", SET, "1000"), ("flush.ms", SET, "5"))
    settles(ask, "S-214 it is set", topic, "retention.ms", "1000")
    send("S-211 append", ("cleanup.policy", APPEND, "delete"))
    settles(ask, "S-211 it is appended", topic, "cleanup.policy", "compact,delete")
    if ask.version.startswith("4"):  # 2.7 has it twice then.
        send("S-211 append what is there", ("cleanup.policy", APPEND, "delete"))
    send("S-211 subtract", ("cleanup.policy", SUBTRACT, "compact"))
    settles(ask, "S-211 it is subtracted", topic, "cleanup.policy", "delete")
    send("S-211 subtract what is not there", ("cleanup.policy", SUBTRACT, "compact"))
    send("S-211 append to what is no list", ("retention.ms", APPEND, "5"))
    send("S-211 subtract from what is no list", ("retention.ms", SUBTRACT, "5"))
    send("S-211 delete", ("retention.ms", DELETE, None))
    settles(ask, "S-211 it is deleted", topic, "retention.ms", "-1")
    send("S-211 delete what is not set", ("retention.ms", DELETE, None))
    send("S-211 delete, with a value", ("flush.ms", DELETE, "7"))
    send("S-211 set to null", ("retention.ms", SET, None))
    send("S-211 append null", ("cleanup.policy", APPEND, None))
    send("S-211 a name twice", ("retention.ms", SET, "1"), ("retention.ms", SET, "2"))
    send("S-211 an operation that does not exist", ("retention.ms", 9, "1"))
    send("S-211 an unknown setting", ("no.such.setting", SET, "1"))
    send("S-211 delete an unknown setting", ("no.such.setting", DELETE, None))
    send("S-211 a bad value", ("retention.ms", SET, "soon"))
    send("S-211 a bad element", ("cleanup.policy", APPEND, "shred"))
    send("S-211 one good, one bad", ("flush.ms", SET, "9"), ("retention.ms", SET, "soon"))
    send("S-212 validate only", ("retention.ms", SET, "7"), validateOnly=True)
    send("S-212 validate only a bad value", ("retention.ms", SET, "soon"), validateOnly=True)
    send("S-209 an unknown topic", ("retention.ms", SET, "7"), name="no-such-topic")
    send("no operations")
    send("S-213 a read-only setting of the broker", ("broker.id", SET, "5"), name="1", kind=BROKER)
    send("S-213 a setting of one broker for all", ("listeners", SET, "PLAINTEXT://:1"), name="", kind=BROKER)
    send("S-209 another broker", ("log.retention.ms", SET, "5"), name="7", kind=BROKER)
    send("S-209 a broker that is no number", ("log.retention.ms", SET, "5"), name="one", kind=BROKER)
    send("an unknown type", ("retention.ms", SET, "7"), kind=77)
    twice = {"resourceType": TOPIC, "resourceName": topic, "configs": [{"name": "flush.ms", "configOperation": SET, "value": "6"}]}
    c("S-211 a topic twice", "IncrementalAlterConfigs", v, resources=[twice, twice])
    c("nothing", "IncrementalAlterConfigs", v, resources=[])


@every_version("AlterConfigs")
def alter_configs(ask, c, v):
    topic = ask.topic(retention_ms=1000, flush_ms=5)

    def send(row, *values, name=topic, kind=TOPIC, **more):
        values = [{"name": n, "value": x} for n, x in values]
        return c(row, "AlterConfigs", v, resources=[{"resourceType": kind, "resourceName": name, "configs": values}], **more)

    send("S-212 validate only", ("retention.ms", "7"), validateOnly=True)
    send("S-212 all are replaced", ("retention.ms", "2000"))
    settles(ask, "S-212 what is given", topic, "retention.ms", "2000")
    settles(ask, "S-212 what is not given", topic, "flush.ms", str(2**63 - 1))
    send("S-212 a bad value", ("retention.ms", "soon"))
    send("S-212 an unknown setting", ("no.such.setting", "1"))
    send("S-212 null", ("retention.ms", None))
    send("S-212 a name twice", ("retention.ms", "1"), ("retention.ms", "2"))
    send("S-209 an unknown topic", ("retention.ms", "7"), name="no-such-topic")
    send("S-213 a read-only setting of the broker", ("broker.id", "5"), name="1", kind=BROKER)
    send("S-209 another broker", ("log.retention.ms", "5"), name="7", kind=BROKER)
    send("an unknown type", ("retention.ms", "7"), kind=77)
    c("nothing", "AlterConfigs", v, resources=[])


@every_version("ListConfigResources")
def lists(ask, c, v):
    topic, group, plain = ask.topic(), ask.name("group"), ask.name("group")

    def send(name, *types):
        answer = c.unasked("ListConfigResources", v, **({"resourceTypes": list(types)} if v else {}))
        # Other rows have made topics and set groups.
        ours = lambda r: r.get("resourceType") not in (2, 32) or r["resourceName"] in (topic, group, plain)
        ask.row("ListConfigResources", v, name, answer.map(lambda side: {
            **side, "configResources": [r for r in side["configResources"] if ours(r)]}))

    def set_group(name, operation):
        change = [{"name": "consumer.session.timeout.ms", "configOperation": operation, "value": "50000"}]
        c.unasked("IncrementalAlterConfigs", 1, validateOnly=False,
                  resources=[{"resourceType": 32, "resourceName": name, "configs": change}])

    set_group(group, 0)
    set_group(plain, 0)
    set_group(plain, 1)
    send("of all types")
    if v:
        for type_ in (2, 4, 8, 16, 32):
            send(f"of type {type_}", type_)
        send("several types", 4, 32)
        send("a type twice", 4, 4)
        for type_ in (0, 1, 3, -1):
            send(f"of type {type_}, which has none", type_)
        send("one that has none and one that has", 4, 3)
