"""Fixtures for pytest: Kafka for tests, from the `ottla` binary.

Installed from the wheel, there is nothing more to do. Without it, put this file beside your tests, and into conftest.py:

    from ottla_kafka import kafka, kafka_namespace, kafka_of_namespaces, kafka_process

`kafka` is an empty broker for each test; they share one process. `kafka_namespace` is a part of a broker that is never
emptied, for tests that run at once in threads; each worker of pytest-xdist has brokers of its own anyway. The binary is found by
OTTLA, or on the PATH.
"""

import json
import os
import subprocess
import urllib.error
import urllib.parse
import urllib.request
import uuid

import pytest


#: Past any proxy that the environment names: the endpoint is on this machine.
OPENER = urllib.request.build_opener(urllib.request.ProxyHandler({}))


class OttlaError(Exception):
    """What the broker did not do, and why."""

    def __init__(self, status, code, message):
        super().__init__(f"{code}: {message}")
        self.status, self.code, self.message = status, code, message


def quoted(name):
    """A name, as it may stand in a path."""
    return urllib.parse.quote(str(name), safe="")


class Broker:
    """A broker, by its control endpoint."""

    def __init__(self, bootstrap_servers, control):
        self.bootstrap_servers, self.control = bootstrap_servers, control

    def call(self, method, path, /, **fields):
        """Asks the control endpoint: see the page on testing of ottla's handbook."""
        body = json.dumps(fields).encode() if fields else None
        request = urllib.request.Request(self.control + path, data=body, method=method)
        try:
            with OPENER.open(request) as answer:
                return json.load(answer)
        except urllib.error.HTTPError as error:
            told = json.load(error)["error"]
            raise OttlaError(error.code, told["code"], told["message"]) from None

    def advance(self, seconds):
        """Lets time pass, with everything that is due by then."""
        return self.call("POST", "/v1/advance", ms=round(seconds * 1000))

    def wait_until(self, until, limit_seconds=10, **fields):
        """Waits for the broker: wait_until("records", topic="orders", count=3)."""
        return self.call("POST", "/v1/wait", until=until, limitMs=round(limit_seconds * 1000), **fields)

    def fault(self, **fields):
        """Has requests go wrong: fault(api="Produce", times=3, answer="NOT_LEADER_OR_FOLLOWER"). Returns its id."""
        return self.call("POST", "/v1/faults", **fields)["id"]

    def fault_hits(self, fault):
        """How many requests a rule has met."""
        return next(rule["hits"] for rule in self.call("GET", "/v1/faults") if rule["id"] == fault)

    def create_topic(self, name, partitions=1, **configs):
        """Makes a topic; a setting's dots are underscores here."""
        configs = {key.replace("_", "."): value for key, value in configs.items()}
        return self.call("POST", "/v1/topics", name=name, partitions=partitions, configs=configs)

    def produce(self, topic, *values, key=None, partition=None):
        """Puts records into a topic without a client, each a text or a dict: produce("orders", "one", {"key": "k"})."""
        records = [value if isinstance(value, dict) else {"value": value} for value in values]
        records = [{"key": key, "partition": partition, **record} for record in records]
        return self.call("POST", f"/v1/topics/{quoted(topic)}/records", records=records)

    def records(self, topic):
        """All records of a topic."""
        return self.call("GET", f"/v1/topics/{quoted(topic)}/records")

    def values(self, topic):
        """Their values alone, in their order."""
        return [record["value"] for record in self.records(topic)]

    def groups(self):
        """The groups, by name."""
        return {group["groupId"]: group for group in self.call("GET", "/v1/groups")}

    def journal(self, api=None, **match):
        """The requests that have come: journal("Produce", topic="orders")."""
        match = {"api": api, **match} if api else match
        return self.call("GET", "/v1/journal?" + urllib.parse.urlencode(match))

    def group_history(self, group):
        """What happened to a group, and why, in words."""
        return [event["text"] for event in self.call("GET", f"/v1/groups/{quoted(group)}/history")]

    def transaction_history(self, transactional_id):
        """What happened to a transactional id, and why, in words."""
        return [event["text"] for event in self.call("GET", f"/v1/transactions/{quoted(transactional_id)}/history")]

    def fail_disk(self, operation, error="EIO", **fields):
        """Has the disk fail: fail_disk("sync"), fail_disk("write", "ENOSPC", path="orders-0", skip=1, times=1)."""
        self.call("POST", "/v1/disk", fail=operation, **{"with": error}, **fields)

    def delay_disk(self, operation, seconds, **fields):
        """Has operations of the disk take time: delay_disk("sync", 5, path="orders-0", times=1)."""
        self.call("POST", "/v1/disk", delay=operation, ms=round(seconds * 1000), **fields)

    def heal_disk(self):
        """Has it work again."""
        self.call("DELETE", "/v1/disk")

    def lose_power(self):
        """Cuts the power, and starts again with what was synced: for a broker with --volatile-disk."""
        self.call("POST", "/v1/power-loss")

    def restart(self):
        """Stops the broker, and starts it again with its data."""
        self.call("POST", "/v1/restart")

    def pause(self):
        """Has it hang: connections stay, and nobody answers."""
        self.call("POST", "/v1/pause")

    def resume(self):
        """Has it work again after pause()."""
        self.call("POST", "/v1/resume")

    def leader(self, topic, partition=0):
        """Which broker leads a partition."""
        found = next(found for found in self.call("GET", "/v1/topics") if found["name"] == topic)
        return found["partitions"][partition]["leader"]

    def move(self, what, **fields):
        """Has another broker be it: move("leader", topic="orders"), move("coordinator", group="billing")."""
        return self.call("POST", "/v1/move", what=what, **fields)["to"]

    def node_down(self, node):
        """Takes one of several brokers (--nodes) down."""
        self.call("POST", f"/v1/nodes/{node}/down")

    def node_up(self, node):
        """Brings it up again."""
        self.call("POST", f"/v1/nodes/{node}/up")

    def reset(self):
        """Starts from nothing, at the same address."""
        self.call("POST", "/v1/reset")

    def snapshot(self):
        """Keeps the broker as it is; what to give to restore()."""
        return self.call("POST", "/v1/snapshots")["id"]

    def restore(self, snapshot):
        """Makes the broker again what it was."""
        self.call("POST", f"/v1/snapshots/{snapshot}/restore")

    def fork(self):
        """A second broker that goes on from where this one is."""
        return Fork(self, self.call("POST", "/v1/forks"))

    def namespace(self, name):
        """A part of the broker, with an address of its own, for a test that runs beside others with the same names."""
        return Namespace(self, self.call("POST", "/v1/namespaces", name=name))


class Fork(Broker):
    """A broker that was made from another one."""

    def __init__(self, origin, fork):
        super().__init__(fork["bootstrapServers"], fork["control"])
        self._origin, self._id = origin, fork["id"]

    def stop(self):
        """Ends it."""
        self._origin.call("DELETE", f"/v1/forks/{self._id}")


class Namespace:
    """What clients of one address see. The broker has the names with the namespace's in front: a.orders."""

    def __init__(self, broker, namespace):
        self.broker, self.name = broker, namespace["name"]
        self.bootstrap_servers = namespace["bootstrapServers"]

    def full_name(self, name):
        return f"{self.name}.{name}"

    def records(self, topic):
        """All records of a topic."""
        return self.broker.records(self.full_name(topic))

    def values(self, topic):
        """Their values alone, in their order."""
        return self.broker.values(self.full_name(topic))

    def wait_until(self, until, limit_seconds=10, **fields):
        """Waits for what is in it, by its own names: wait_until("lagZero", group="billing")."""
        names = {key: self.full_name(fields[key]) for key in ("topic", "group", "transactionalId") if key in fields}
        return self.broker.wait_until(until, limit_seconds, **{**fields, **names})

    def end(self):
        """Ends it, with its topics, groups and transactional ids."""
        self.broker.call("DELETE", f"/v1/namespaces/{quoted(self.name)}")


class Kafka(Broker):
    """A running `ottla test`."""

    def __init__(self, *args):
        binary = os.environ.get("OTTLA", "ottla")
        command = [binary, "test", "--until-stdin-ends", *args]
        # The broker ends when this pipe does, however the tests end.
        try:
            self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        except OSError as error:
            message = f"cannot start {binary} ({error.strerror}): set OTTLA to the binary, or have it on the PATH"
            raise OttlaError(0, "NOT_READY", message) from None
        line = self._process.stdout.readline()
        if not line.startswith("ready "):
            raise OttlaError(0, "NOT_READY", f"ottla test ended with {self._process.wait()}")
        fields = dict(part.split("=", 1) for part in line.split()[1:])
        super().__init__(fields["bootstrap.servers"], fields["control"])

    def stop(self):
        """Ends the process."""
        self._process.stdin.close()
        self._process.wait()


@pytest.fixture(scope="session")
def kafka_process():
    """One broker for all tests of the session."""
    broker = Kafka()
    yield broker
    broker.stop()


@pytest.fixture(scope="session")
def kafka_of_namespaces():
    """The broker of those who have a part of it each."""
    broker = Kafka()
    yield broker
    broker.stop()


@pytest.fixture
def kafka_namespace(kafka_of_namespaces):
    """A part of a broker, for this test alone."""
    namespace = kafka_of_namespaces.namespace(uuid.uuid4().hex)
    yield namespace
    namespace.end()


@pytest.fixture
def kafka(kafka_process):
    """An empty broker."""
    kafka_process.reset()
    return kafka_process
