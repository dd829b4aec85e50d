"""ottla and Apache Kafka, each on loopback, its data in a directory of its own, with the same settings."""

import os
import pathlib
import re
import shutil
import signal
import socket
import struct
import subprocess
import tempfile
import time

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent.parent.parent
WORK = pathlib.Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target")) / "differential"
START_LIMIT_S = 300

#: What is made equal, since the defaults differ, or to keep waiting short.
SETTINGS = {
    "num.partitions": 2,
    "auto.create.topics.enable": "true",
    "delete.topic.enable": "true",
    "offsets.topic.num.partitions": 4,
    "offsets.topic.replication.factor": 1,
    "transaction.state.log.num.partitions": 4,
    "transaction.state.log.replication.factor": 1,
    "transaction.state.log.min.isr": 1,
    "group.initial.rebalance.delay.ms": 0,
    "group.min.session.timeout.ms": 100,
    "group.max.session.timeout.ms": 60000,
    "group.max.size": 3,
    "group.consumer.max.size": 3,
    "group.consumer.assignment.interval.ms": 0,
    "group.consumer.heartbeat.interval.ms": 5000,
    "group.share.max.size": 3,
    "group.share.assignment.interval.ms": 0,
    "group.share.heartbeat.interval.ms": 5000,
    "group.share.min.assignment.interval.ms": 0,
    "offset.metadata.max.bytes": 64,
    "max.incremental.fetch.session.cache.slots": 1000,
    "log.retention.ms": -1,
}

#: Where 2.7 has another default, ottla is given its.
SETTINGS_OF = {
    "2.7.2": {"log.message.timestamp.before.max.ms": 2**63 - 1, "log.message.timestamp.after.max.ms": 2**63 - 1},
    "4.4.0": {},
}


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def overrides(settings):
    return [word for key, value in settings.items() for word in ("--override", f"{key}={value}")]


def properties(settings):
    return "".join(f"{key}={value}\n" for key, value in settings.items())


class Process:
    """A process of ours, whose output goes to a file."""

    def __init__(self, name, command, **options):
        self.log = WORK / f"{name}.log"
        with open(self.log, "w") as log:
            self.process = subprocess.Popen(command, stderr=log, **{"stdout": log, **options})

    def stop(self):
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(30)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        return self.process.returncode


class Ottla:
    def __init__(self, version):
        target = WORK.parent
        settings = {**SETTINGS, **SETTINGS_OF[version], "broker.id": 1}
        self.process = Process(f"ottla-{version}", [target / "debug" / "ottla", "serve", "--temporary", *overrides(settings)],
                               stdout=subprocess.PIPE, text=True)
        line = self.process.process.stdout.readline()
        match = re.match(r"ready bootstrap\.servers=127\.0\.0\.1:(\d+) ", line)
        if not match:
            raise SystemExit(f"ottla did not get ready: {line!r}; see {self.process.log}")
        self.port = int(match.group(1))

    def stop(self):
        """What went wrong in it, line by line."""
        code = self.process.stop()
        panics = [line.strip() for line in open(self.process.log) if "panicked" in line]
        return panics + ([f"ottla ended with {code}"] if code else [])


class Kafka:
    """One node of 4.x in KRaft, or of 2.7 with its ZooKeeper."""

    def __init__(self, version, **settings):
        self.version = version
        self.settings = {**SETTINGS, **{key.replace("_", "."): value for key, value in settings.items()}}
        self.libs = WORK / f"libs-{version}"
        if not (self.libs / f"kafka_2.13-{version}.jar").exists():
            subprocess.run(["mvn", "-q", "-B", "-f", HERE / f"pom-{version}.xml", "dependency:copy-dependencies",
                            f"-DoutputDirectory={self.libs}"], check=True)
        self.dir = None
        self.clients_jar = self.libs / f"kafka-clients-{version}.jar"

    def start(self):
        """On a directory of its own, and again on the one of before."""
        if self.dir is None:
            self.dir = pathlib.Path(tempfile.mkdtemp(prefix=f"differential-{self.version}-"))
            self.port = free_port()
        self.processes = []
        (self.start_kraft if self.version.startswith("4") else self.start_zookeeper)()

    def java(self, name, *arguments, heap="-Xmx512M"):
        return Process(name, ["java", heap, "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-cp", f"{self.libs}/*", *arguments],
                       cwd=self.dir)

    def start_kraft(self):
        controller = free_port()
        file = self.dir / "server.properties"
        file.write_text(properties({
            **self.settings, "process.roles": "broker,controller", "node.id": 1,
            "controller.quorum.voters": f"1@127.0.0.1:{controller}",
            "listeners": f"PLAINTEXT://127.0.0.1:{self.port},CONTROLLER://127.0.0.1:{controller}",
            "advertised.listeners": f"PLAINTEXT://127.0.0.1:{self.port}",
            "controller.listener.names": "CONTROLLER",
            "listener.security.protocol.map": "CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT",
            "share.coordinator.state.topic.replication.factor": 1, "share.coordinator.state.topic.min.isr": 1,
            "share.coordinator.state.topic.num.partitions": 1, "log.dirs": self.dir / "data"}))
        format_ = self.java("kafka-format", "kafka.tools.StorageTool", "format", "--ignore-formatted", "-t",
                            "MkU3OEVBNTcwNTJENDM2Qg", "-c", file)
        if format_.process.wait(START_LIMIT_S):
            raise SystemExit(f"the storage of Kafka {self.version} could not be formatted: see {format_.log}")
        self.processes.append(self.java(f"kafka-{self.version}", "kafka.Kafka", file))

    def start_zookeeper(self):
        zookeeper = free_port()
        (self.dir / "zookeeper.properties").write_text(properties({
            "dataDir": self.dir / "zookeeper", "clientPort": zookeeper, "clientPortAddress": "127.0.0.1",
            "admin.enableServer": "false", "maxClientCnxns": 0}))
        (self.dir / "server.properties").write_text(properties({
            **self.settings, "broker.id": 1, "listeners": f"PLAINTEXT://127.0.0.1:{self.port}", "log.dirs": self.dir / "data",
            "zookeeper.connect": f"127.0.0.1:{zookeeper}", "zookeeper.connection.timeout.ms": START_LIMIT_S * 1000}))
        self.processes.append(self.java("zookeeper", "org.apache.zookeeper.server.quorum.QuorumPeerMain",
                                        self.dir / "zookeeper.properties", heap="-Xmx128M"))
        # Kafka tries once a second until ZooKeeper listens.
        self.processes.append(self.java(f"kafka-{self.version}", "kafka.Kafka", self.dir / "server.properties"))

    def wait_until_it_answers(self):
        deadline = time.monotonic() + START_LIMIT_S
        while not answers(self.port):
            if self.processes[-1].process.poll() is not None or time.monotonic() > deadline:
                raise SystemExit(f"Kafka {self.version} did not start: see {self.processes[-1].log}")
            time.sleep(0.1)

    def end(self):
        """Stops it; what it wrote stays."""
        for process in reversed(self.processes):
            process.stop()

    def stop(self):
        self.end()
        shutil.rmtree(self.dir, ignore_errors=True)


def copy_running(dir, copy):
    """What the page cache has of a directory that is written, as a crash of the process would leave it: but for what is
    about to be renamed, and may be gone before it is read."""
    shutil.copytree(dir, copy, ignore=shutil.ignore_patterns("*.tmp"))


def answers(port):
    """Whether ApiVersions v0 is answered: the first thing that any client asks."""
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=5) as client:
            client.sendall(struct.pack(">ihhih", 10, 18, 0, 1, -1))
            return len(client.recv(4)) == 4
    except OSError:
        return False
