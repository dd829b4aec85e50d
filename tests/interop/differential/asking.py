"""Asks ottla and Kafka the same, and holds their answers against each other."""

import socket
import struct
import time

import compare

#: No answer takes that long, and what has none costs that much.
PATIENCE_S = 5


class Both:
    """A value of ottla's and the one of Kafka's in the same place. A row can hand it on: each broker gets its own."""

    def __init__(self, ours, theirs):
        object.__setattr__(self, "sides", (ours, theirs))

    def map(self, function):
        return Both(*(function(side) for side in self.sides))

    def __getattr__(self, name):
        return self.map(lambda side: side[name])

    def __getitem__(self, index):
        return self.map(lambda side: side[index])

    def __add__(self, count):
        return self.map(lambda side: side + count)

    def __sub__(self, count):
        return self.map(lambda side: side - count)


def side_of(value, side):
    """What one broker gets."""
    if isinstance(value, Both):
        return side_of(value.sides[side], side)
    if isinstance(value, dict):
        return {key: side_of(inner, side) for key, inner in value.items()}
    if isinstance(value, (list, tuple)):
        return [side_of(inner, side) for inner in value]
    return value


class Connection:
    """A connection to each of the two."""

    def __init__(self, asker, client_id):
        self.asker, self.client_id, self.correlation_id = asker, client_id, 0
        self.open()

    def open(self):
        self.sockets = [socket.create_connection(("127.0.0.1", port), timeout=PATIENCE_S) for port in self.asker.ports]
        for stream in self.sockets:
            stream.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def close(self):
        for stream in self.sockets:
            stream.close()

    def start(self, api, version, **values):
        """Sends a request; `finish` takes its answer."""
        self.correlation_id += 1
        for side in (0, 1):
            self.start_at(side, api, version, values)
        return api, version, self.correlation_id

    def start_at(self, side, api, version, values):
        frame = self.asker.schemas.request(api, version, self.correlation_id, self.client_id, side_of(values, side))
        self.send(side, struct.pack(">i", len(frame)) + frame)

    def send(self, side, data):
        try:
            self.sockets[side].sendall(data)
        except OSError:
            pass  # The answer will be that the connection is closed.

    def receive(self, side):
        """The next frame without its size, or why there is none."""
        try:
            size = self.exactly(side, 4)
            return self.exactly(side, struct.unpack(">i", size)[0])
        except (ConnectionError, EOFError):
            return "(connection closed)"
        except TimeoutError:
            return "(no answer)"

    def exactly(self, side, size):
        data = bytearray()
        while len(data) < size:
            part = self.sockets[side].recv(size - len(data))
            if not part:
                raise EOFError
            data += part
        return bytes(data)

    def answer(self, pending):
        return Both(*(self.answer_at(side, *pending) for side in (0, 1)))

    def answer_at(self, side, api, version, correlation_id):
        frame = self.receive(side)
        if isinstance(frame, str):
            return frame
        (id_,) = struct.unpack_from(">i", frame)
        try:
            answer = self.asker.schemas.response(api, version, frame[4:])
        except (ValueError, struct.error) as error:
            answer = {"(does not decode)": f"{error}: {frame.hex()}"}
        if id_ != correlation_id:
            answer["(correlation id)"] = id_ - correlation_id
        return answer

    def finish(self, name, pending):
        """Takes an answer and compares it."""
        answer = self.answer(pending)
        self.asker.row(pending[0], pending[1], name, answer)
        return answer

    def __call__(self, name, api, version, **values):
        """One row: asks, takes the answer, compares it."""
        answer = self.finish(name, self.start(api, version, **values))
        if any(isinstance(side, str) for side in answer.sides):
            # The next row has nothing to do with what became of this one.
            self.close()
            self.open()
        return answer

    def unasked(self, api, version, **values):
        """Asks what the next row needs, without comparing."""
        return self.answer(self.start(api, version, **values))

    def raw(self, name, data, answer=None):
        """Sends bytes as they are. `answer` is the (api, version) that the answer is read as; without it only whether
        one comes is compared."""
        for side in (0, 1):
            self.send(side, side_of(data, side))
        frames = Both(*(self.receive(side) for side in (0, 1)))
        read = lambda f: f if isinstance(f, str) else self.asker.schemas.response(*answer, f[4:]) if answer else "(an answer)"
        frames = frames.map(read)
        self.asker.row(*(answer or ("Frame", 0)), name, frames)
        return frames


class Asker:
    """The two brokers, and what has been seen of them."""

    def __init__(self, version, ports, schemas, judge):
        self.version, self.ports, self.schemas, self.judge = version, ports, schemas, judge
        self.connections = []
        self.made = 0
        self.rows = 0
        self.asked = {}
        first = self.connect()
        answer = first.unasked("ApiVersions", 0)
        self.advertised = answer.apiKeys.map(lambda keys: {k["apiKey"]: (k["minVersion"], k["maxVersion"]) for k in keys})
        first.close()

    def connect(self, client_id="differential"):
        connection = Connection(self, client_id)
        self.connections.append(connection)
        return connection

    def close_connections(self):
        for connection in self.connections:
            connection.close()
        self.connections.clear()

    def name(self, what="t"):
        """A name that no other row has."""
        self.made += 1
        return f"{what}-{self.made}"

    def versions(self, api):
        """Those that both brokers speak and that the schemas know."""
        key = self.schemas.keys[api]
        ranges = [side.get(key) for side in self.advertised.sides]
        if None in ranges:
            return range(0)
        first = max(r[0] for r in ranges)
        if api == "Produce" and self.version.startswith("4"):
            first = 3  # Advertised for librdkafka's sake, and refused.
        return range(first, min(r[1] for r in ranges) + 1)

    def row(self, api, version, name, answer):
        self.rows += 1
        self.asked.setdefault(api, set()).add(version)
        trees = [compare.plain(api, side) for side in answer.sides]
        if api == "ApiVersions" and all(isinstance(tree, dict) for tree in trees):
            trees[0]["apiKeys"], trees[1]["apiKeys"] = compare.common_apis(self.schemas.names, *trees)
        self.judge.judge(self.version, api, version, name, *trees)

    # What rows stand on; waited for, since Kafka's brokers learn late what its controller knows.

    def until(self, connection, ready, api, version, limit_s=90, **values):
        """Asks each of the two until it is ready, and no more often: asking may change something."""
        deadline = time.monotonic() + limit_s
        sides = [None, None]
        for side in (0, 1):
            while True:
                connection.correlation_id += 1
                connection.start_at(side, api, version, values)
                sides[side] = connection.answer_at(side, api, version, connection.correlation_id)
                if not isinstance(sides[side], str) and ready(sides[side]):
                    break
                if time.monotonic() > deadline:
                    raise TimeoutError(f"{api} {values}: {sides[side]}")
                time.sleep(0.02)
        return Both(*sides)

    def topic(self, partitions=1, name=None, **configs):
        """Creates a topic on both and waits until its partitions are led. Settings are named with _ for the dots."""
        name = name or self.name()
        c = self.connect("creator")
        configs = [{"name": key.replace("_", "."), "value": str(value)} for key, value in configs.items()]
        topic = {"name": name, "numPartitions": partitions, "replicationFactor": 1, "configs": configs}
        created = c.unasked("CreateTopics", 2, topics=[topic], timeoutMs=30000)
        codes = [side["topics"][0]["errorCode"] for side in created.sides]
        if codes != [0, 0]:
            raise RuntimeError(f"{name} is not created: {created.sides}")
        self.led(c, name, partitions)
        return name

    def led(self, connection, name, partitions=1):
        asked = [{"partitionIndex": p, "timestamp": -1} for p in range(partitions)]
        fine = lambda answer: all(p["errorCode"] == 0 for t in answer["topics"] for p in t["partitions"])
        self.until(connection, fine, "ListOffsets", 1, replicaId=-1, topics=[{"name": name, "partitions": asked}])
        fine = lambda answer: all(e["errorCode"] == 0 for t in answer["topics"] for e in [t, *t["partitions"]])
        self.until(connection, fine, "Metadata", 1, topics=[{"name": name}])

    def topic_id(self, name):
        """Its id, or none where the broker has no ids."""
        if 10 not in self.versions("Metadata"):
            return None
        c = self.connect()
        answer = self.until(c, lambda a: a["topics"][0]["errorCode"] == 0, "Metadata", 10, topics=[{"name": name}])
        topic_id = answer.topics[0].topicId
        for side in topic_id.sides:
            compare.TOPICS[side] = name
        return topic_id

    def produce(self, name, *batches, partition=0, acks=-1, version=7):
        c = self.connect("producer")
        for batch in batches:
            data = [{"index": partition, "records": batch}]
            answer = c.unasked("Produce", version, acks=acks, timeoutMs=10000, topicData=[{"name": name, "partitionData": data}])
            codes = [side["responses"][0]["partitionResponses"][0]["errorCode"] for side in answer.sides]
            if codes != [0, 0]:
                raise RuntimeError(f"not produced to {name}: {codes}")

    def producer_id(self):
        """A new one of each broker's."""
        fine = lambda answer: answer["errorCode"] == 0
        return self.until(self.connect(), fine, "InitProducerId", 1, transactionalId=None, transactionTimeoutMs=60000).producerId

    def coordinator(self):
        """Waits until groups are served, which is when their topic is there."""
        c = self.connect()
        fine = lambda answer: answer["errorCode"] == 0
        for at in range(8):
            self.until(c, fine, "FindCoordinator", 1, key=f"warm-{at}", keyType=0)
            self.until(c, fine, "OffsetFetch", 2, groupId=f"warm-{at}", topics=[])
        self.led(c, "__consumer_offsets", 4)
        self.producer_id()
        self.close_connections()
