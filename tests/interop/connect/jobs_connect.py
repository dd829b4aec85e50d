"""Kafka Connect's workers carry a file's lines through ottla into another file, while one or the other is stopped."""

import functools
import json
import os
import pathlib
import re
import subprocess
import sys
import tempfile
import urllib.error
import urllib.request

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))
from broker import COMPACTING, Broker  # noqa: E402
import jobs  # noqa: E402

PLACE = pathlib.Path(os.environ["INSTALL_DIR"])
JAVA = ["java", "-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC", "-Xmx256m", "-Dorg.slf4j.simpleLogger.logFile=System.err", "-cp", f"{PLACE}/libs/*:{PLACE}/classes"]
LIMIT_S = 180
wait_for = functools.partial(jobs.wait_for, limit_s=LIMIT_S, pause_s=0.05)
WORKER = {
    "key.converter": "org.apache.kafka.connect.storage.StringConverter",
    "value.converter": "org.apache.kafka.connect.storage.StringConverter",
    "offset.flush.interval.ms": "500",
    "plugin.discovery": "service_load",
    "listeners": "http://127.0.0.1:0",
}


def properties(path, settings):
    path.write_text("".join(f"{name}={value}\n" for name, value in settings.items()))
    return str(path)


class Worker:
    """A worker of Connect."""

    def __init__(self, kind, name, *files):
        self.log = PLACE / f"{name}.log"
        with open(self.log, "w") as log:
            self.process = subprocess.Popen([*JAVA, f"org.apache.kafka.connect.cli.Connect{kind}", *files], stdout=log, stderr=log)

    @functools.cached_property
    def url(self):
        return wait_for("the worker serves requests", self.listening)

    def listening(self):
        text = self.log.read_text()
        assert self.process.poll() is None, f"the worker ended: {text[-1500:]}"
        found = re.search(r"REST server listening at (http://[^/ ,]+)", text)
        return found and found[1]

    def ask(self, method, path, body=None):
        """The answer, or None while the worker cannot give one, as in a rebalance."""
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self.url + path, data, {"Content-Type": "application/json"}, method=method)
        try:
            with urllib.request.urlopen(request, timeout=LIMIT_S) as answer:
                return json.loads(answer.read() or b"true")
        except urllib.error.HTTPError as error:
            if error.code in (404, 409, 500, 503):
                return None
            raise

    def stop(self):
        self.process.terminate()
        assert self.process.wait(LIMIT_S) in (0, 143), "the worker did not end by itself"

    def kill(self):
        self.process.kill()
        self.process.wait()


class Files:
    """A file that a source reads, the one that a sink writes, and the topic between them."""

    def __init__(self):
        self.dir = pathlib.Path(tempfile.mkdtemp(dir=PLACE))
        self.source, self.sink = self.dir / "source.txt", self.dir / "sink.txt"
        self.topic = jobs.unique("lines")
        self.count = 0

    def connectors(self):
        short = "org.apache.kafka.connect.file.FileStream"
        return {
            "source": {"connector.class": f"{short}SourceConnector", "tasks.max": "1", "file": self.source, "topic": self.topic},
            "sink": {"connector.class": f"{short}SinkConnector", "tasks.max": "1", "file": self.sink, "topics": self.topic},
        }

    def append(self, count):
        with open(self.source, "a") as file:
            file.writelines(f"line {n}\n" for n in range(self.count, self.count + count))
        self.count += count

    def arrived(self):
        return self.sink.read_text().splitlines() if self.sink.exists() else []

    def wait_for_all(self, process):
        """Waits for every line in the sink's file. The first time that each came must be in order."""
        def complete():
            assert process.poll() is None, "the worker ended"
            return len(set(self.arrived())) == self.count
        wait_for(f"{self.count} lines in {self.sink}", complete)
        assert list(dict.fromkeys(self.arrived())) == [f"line {n}" for n in range(self.count)]


def while_stopped(broker, files, process):
    """Lines are lost neither before, nor while, nor after ottla is away."""
    files.append(1000)
    files.wait_for_all(process)
    files.append(500)
    broker.stop()
    files.append(500)
    broker.start()
    files.append(500)
    files.wait_for_all(process)


def resumes(files, stop, start):
    """What arrives after a clean stop and start are the new lines alone; returns the workers that run then."""
    stop()
    before = files.arrived()
    assert len(set(before)) == files.count
    files.append(300)
    workers = start()
    files.wait_for_all(workers[0].process)
    assert files.arrived()[len(before):] == [f"line {n}" for n in range(files.count - 300, files.count)]
    return workers


class Standalone:
    """A standalone worker with a source and a sink."""

    def __init__(self, broker):
        self.broker = broker
        self.files = Files()
        self.worker = None

    def start(self):
        here = self.files.dir
        settings = WORKER | {"bootstrap.servers": self.broker.bootstrap, "offset.storage.file.filename": here / "offsets"}
        worker = properties(here / "worker.properties", settings)
        connectors = [properties(here / f"{name}.properties", {"name": name} | config) for name, config in self.files.connectors().items()]
        self.worker = Worker("Standalone", "standalone", worker, *connectors)
        return [self.worker]

    def kill(self):
        self.worker.kill()


class Cluster:
    """Distributed workers with a source and a sink."""

    TOPICS = ("offset", "config", "status")

    def __init__(self, broker):
        self.broker = broker
        self.files = Files()
        self.group = jobs.unique("connect")
        self.workers = []

    def start(self, count=1):
        settings = WORKER | {"bootstrap.servers": self.broker.bootstrap, "group.id": self.group, "scheduled.rebalance.max.delay.ms": 0,
                             "session.timeout.ms": 6000, "heartbeat.interval.ms": 500}
        for name in self.TOPICS:
            settings |= {f"{name}.storage.topic": f"{self.group}-{name}", f"{name}.storage.replication.factor": 1}
        file = properties(self.files.dir / "worker.properties", settings)
        self.workers = [Worker("Distributed", f"distributed-{n}", file) for n in range(count)]
        return self.workers

    def create_connectors(self):
        for name, config in self.files.connectors().items():
            body = {key: str(value) for key, value in config.items()}
            wait_for(f"{name} is created", lambda: self.workers[0].ask("PUT", f"/connectors/{name}/config", body))

    def wait_for_owners(self, count):
        """Waits until the two connectors' tasks run on so many workers."""
        def running():
            tasks = [self.workers[0].ask("GET", f"/connectors/{name}/tasks/0/status") for name in ("source", "sink")]
            return all(task and task["state"] == "RUNNING" for task in tasks) and len({task["worker_id"] for task in tasks}) == count
        wait_for(f"both tasks run, on {count} workers", running)

    def topics(self):
        """Name, cleanup.policy, number of records, and of all that there were, of each internal topic."""
        arguments = [f"{self.group}-{name}" for name in self.TOPICS]
        told = subprocess.run([*JAVA, "Topics", self.broker.bootstrap, *arguments], check=True, stdout=subprocess.PIPE, text=True).stdout
        fields = [line.split("\t") for line in told.splitlines()]
        return {kind: (name, policy, int(count), int(given)) for kind, (name, policy, count, given) in zip(self.TOPICS, fields, strict=True)}

    def stop(self):
        for worker in self.workers:
            worker.stop()

    def kill(self):
        for worker in self.workers:
            worker.kill()


def job_standalone():
    alone = going.enter(Standalone(going.broker))
    alone.start()
    while_stopped(going.broker, alone.files, alone.worker.process)


def job_standalone_resumes():
    alone = going.kept(Standalone)
    resumes(alone.files, alone.worker.stop, alone.start)


def job_distributed():
    cluster = going.enter(Cluster(going.broker))
    cluster.start(2)
    cluster.create_connectors()
    cluster.wait_for_owners(2)
    while_stopped(going.broker, cluster.files, cluster.workers[0].process)
    topics = cluster.topics()
    assert {topic[1] for topic in topics.values()} == {"compact"}, topics
    # So the workers that come later find their source's position in what compaction left.
    def compacted():
        # What was written last is in the segment that is written to, which is not compacted: the position goes on.
        cluster.files.append(10)
        _, _, count, given = cluster.topics()["offset"]
        return count < given

    wait_for("the source's old positions are gone", compacted)


def job_distributed_failover():
    cluster = going.kept(Cluster)
    cluster.wait_for_owners(2)
    cluster.workers.pop().kill()
    cluster.files.append(1000)
    cluster.wait_for_owners(1)
    cluster.files.wait_for_all(cluster.workers[0].process)


def job_distributed_resumes():
    cluster = going.kept(Cluster)

    def stop():
        cluster.stop()
        going.broker.stop()
        going.broker.start()

    resumes(cluster.files, stop, cluster.start)


class Going:
    """What goes on from one job to the next, as starting a worker takes longer than what a job does with it."""

    def __init__(self, broker):
        self.broker = broker
        self.workers = None

    def enter(self, workers):
        self.leave()
        self.workers = workers
        return workers

    def kept(self, kind):
        assert isinstance(self.workers, kind), "the job before did not start its workers"
        return self.workers

    def leave(self):
        if self.workers:
            self.workers.kill()
            self.workers = None


if __name__ == "__main__":
    with Broker(os.environ["OTTLA"], PLACE / "broker.log", **COMPACTING) as running:
        going = Going(running)
        try:
            jobs.run_all(globals())
        finally:
            going.leave()
