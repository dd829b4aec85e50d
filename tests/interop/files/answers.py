"""What a broker serves of its files, as lines that two brokers, or one before and after, are held against each other."""

import socket
import struct
import time
import zlib

TRANSACTIONAL_IDS = ["id-0", "id-1", "id-2"]
LIMIT_S = 60
#: Behind an aborted transaction of which compaction left nothing that would have to be skipped.
NOTHING_LEFT = "(nothing left)"


class Client:
    """A connection that speaks as Apache's schemas say."""

    def __init__(self, port, schemas):
        self.schemas = schemas
        self.stream = socket.create_connection(("127.0.0.1", port), timeout=30)
        self.stream.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.keys = {row["apiKey"]: row["maxVersion"] for row in self("ApiVersions", 0)["apiKeys"]}

    def __call__(self, api, version, **values):
        frame = self.schemas.request(api, version, 1, "files", values)
        self.stream.sendall(struct.pack(">i", len(frame)) + frame)
        return self.schemas.response(api, version, self.exactly(struct.unpack(">i", self.exactly(4))[0])[4:])

    def exactly(self, size):
        data = bytearray()
        while len(data) < size:
            part = self.stream.recv(size - len(data))
            if not part:
                raise ConnectionError("closed")
            data += part
        return bytes(data)

    def speaks(self, api, version=0):
        return self.keys.get(self.schemas.keys[api], -1) >= version


def partitions(client):
    """Every partition, once all of them are led, with the topics' ids."""
    deadline = time.monotonic() + LIMIT_S
    while True:
        version = 10 if client.speaks("Metadata", 10) else 7
        topics = client("Metadata", version, topics=None)["topics"]
        found = [(t["name"], p) for t in sorted(topics, key=lambda t: t["name"]) for p in range(len(t["partitions"]))]
        # The broker learns what it leads after it tells so.
        if (found and all(e["errorCode"] == 0 for t in topics for e in [t, *t["partitions"]])
                and all(list_offsets(client, *partition, -1)["errorCode"] == 0 for partition in found)):
            return {t["name"]: t["topicId"].hex if "topicId" in t else "" for t in topics}, found
        if time.monotonic() > deadline:
            raise TimeoutError(f"not all partitions are led: {topics}")
        time.sleep(0.1)


def list_offsets(client, topic, partition, timestamp, isolation=0):
    answer = client("ListOffsets", 5, replicaId=-1, isolationLevel=isolation,
                    topics=[{"name": topic, "partitions": [{"partitionIndex": partition, "timestamp": timestamp}]}])
    return answer["topics"][0]["partitions"][0]


def fetch(client, topic, partition, offset, isolation, max_bytes):
    partitions = [{"partition": partition, "fetchOffset": offset, "partitionMaxBytes": max_bytes}]
    answer = client("Fetch", 11, replicaId=-1, maxWaitMs=0, minBytes=0, maxBytes=max_bytes, isolationLevel=isolation,
                    topics=[{"topic": topic, "partitions": partitions}])
    if answer["errorCode"]:
        raise RuntimeError(f"fetch of {topic}-{partition} at {offset}: {answer}")
    return answer["responses"][0]["partitions"][0]


def batches(records):
    """Whole entries: base offset, last offset, largest timestamp, bytes."""
    at = 0
    while len(records) - at >= 17:
        base, size = struct.unpack_from(">qi", records, at)
        entry = records[at:at + 12 + size]
        if len(entry) < 12 + size:
            return
        magic = entry[16]
        last = base + struct.unpack_from(">i", entry, 23)[0] if magic == 2 else base
        timestamp = struct.unpack_from(">q", entry, 35 if magic == 2 else 18)[0] if magic else -1
        yield base, last, timestamp, entry
        at += 12 + size


def has_records(entries, producer, first):
    """Whether one of the entries is of the transaction of the producer that begins there."""
    for base, _, _, entry in entries:
        if entry[16] < 2 or base < first or struct.unpack_from(">q", entry, 43)[0] != producer:
            continue
        # A marker is the end of it.
        return not struct.unpack_from(">h", entry, 21)[0] & 0x20
    return False


def of_partition(client, topic, partition):
    name = f"{topic}-{partition}"
    start, end = (list_offsets(client, topic, partition, at)["offset"] for at in (-2, -1))
    stable = list_offsets(client, topic, partition, -1, isolation=1)["offset"]
    yield f"offsets {name} start={start} end={end} stable={stable}"
    timestamps, entries = set(), []
    at = start
    while at < end:
        answer = fetch(client, topic, partition, at, 0, 700)
        for base, last, timestamp, entry in batches(answer["records"]):
            entries.append((base, last, timestamp, entry))
            yield f"batch {name} {base}..{last} magic={entry[16]} size={len(entry)} crc={zlib.crc32(entry):08x}"
            # Negative ones are other questions.
            timestamps |= {t for t in (timestamp, timestamp + 1, timestamp - 150) if t >= 0 and timestamp >= 0}
            at = last + 1
    at = start
    while at < stable:
        # One batch at least, and with it the aborted transactions that it may be of.
        answer = fetch(client, topic, partition, at, 1, 700)
        for aborted in answer["abortedTransactions"] or []:
            producer, first = aborted["producerId"], aborted["firstOffset"]
            left = "" if has_records(entries, producer, first) else f" {NOTHING_LEFT}"
            yield f"aborted {name} from {at}: producer {producer} at {first}{left}"
        at = max((last for _, last, _, _ in batches(answer["records"])), default=end) + 1
    for timestamp in sorted(timestamps):
        found = list_offsets(client, topic, partition, timestamp)
        yield f"time {name} {timestamp} is {found['offset']} of {found['timestamp']} in epoch {found['leaderEpoch']}"
    for epoch in range(8):
        answer = client("OffsetForLeaderEpoch", 3, replicaId=-1, topics=[
            {"topic": topic, "partitions": [{"partition": partition, "currentLeaderEpoch": -1, "leaderEpoch": epoch}]}])
        found = answer["topics"][0]["partitions"][0]
        yield f"epoch {name} {epoch} is {found['leaderEpoch']} up to {found['endOffset']}"


def of_producers(client, topic, partition):
    answer = client("DescribeProducers", 0, topics=[{"name": topic, "partitionIndexes": [partition]}])
    for p in sorted(answer["topics"][0]["partitions"][0]["activeProducers"], key=lambda p: p["producerId"]):
        fields = " ".join(f"{key}={value}" for key, value in p.items() if not key.startswith("("))
        yield f"producer {topic}-{partition} {fields}"


def of_groups(client):
    coordinate(client, "group", 0)
    for group in sorted(row["groupId"] for row in client("ListGroups", 0)["groups"]):
        answer = client("OffsetFetch", 5, groupId=group, topics=None)
        for topic in sorted(answer["topics"], key=lambda t: t["name"]):
            for p in sorted(topic["partitions"], key=lambda p: p["partitionIndex"]):
                yield (f"commit {group} {topic['name']}-{p['partitionIndex']} {p['committedOffset']} "
                       f"epoch {p['committedLeaderEpoch']} '{p['metadata']}' error {p['errorCode']}")


def coordinate(client, key, kind):
    """Waits until the coordinator has loaded."""
    deadline = time.monotonic() + LIMIT_S
    while True:
        found = client("FindCoordinator", 1, key=key, keyType=kind)["errorCode"]
        loading = client("ListGroups", 0)["errorCode"] if kind == 0 else found
        if found == 0 and loading == 0:
            return
        if time.monotonic() > deadline:
            raise TimeoutError(f"no coordinator of {key}: {found}, {loading}")
        time.sleep(0.1)


def of_transactions(client):
    for key in TRANSACTIONAL_IDS:
        coordinate(client, key, 1)
        state = client("DescribeTransactions", 0, transactionalIds=[key])["transactionStates"][0]
        topics = sorted((t["topic"], sorted(t["partitions"])) for t in state["topics"])
        yield (f"transaction {key} {state['transactionState']} producer={state['producerId']} epoch={state['producerEpoch']} "
               f"start={state['transactionStartTimeMs']} {topics}")


def of_topic(client, topic, topic_id):
    yield f"topic {topic} {topic_id}"
    answer = client("DescribeConfigs", 1, resources=[{"resourceType": 2, "resourceName": topic, "configurationKeys": None}])
    for config in sorted(answer["results"][0]["configs"], key=lambda c: c["name"]):
        # Of the topic's own, as it was set.
        if config["configSource"] == 1 and config["name"] != "internal.segment.bytes":
            yield f"config {topic} {config['name']}={config['value']}"


def ask(port, schemas, only=None):
    """Everything, of the topics that `only` admits."""
    client = Client(port, schemas)
    ids, found = partitions(client)
    for topic, partition in found:
        if topic.startswith("__") or only and not only(topic):
            continue
        if partition == 0:
            yield from of_topic(client, topic, ids[topic])
        yield from of_partition(client, topic, partition)
        if client.speaks("DescribeProducers"):
            yield from of_producers(client, topic, partition)
    if not only:
        yield from of_groups(client)
        if client.speaks("DescribeTransactions"):
            yield from of_transactions(client)
