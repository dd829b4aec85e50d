"""A word count of Kafka Streams, with a state store and its changelog, while ottla and the application come and go."""

import collections
import functools
import json
import os
import pathlib
import subprocess
import sys
import tempfile
import threading

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))
from broker import COMPACTING, Broker  # noqa: E402
import jobs  # noqa: E402

PLACE = pathlib.Path(os.environ["INSTALL_DIR"])
JAVA = ["java", "-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC", "-Xmx256m", "-Dorg.slf4j.simpleLogger.defaultLogLevel=warn", "-cp", f"{PLACE}/libs/*:{PLACE}/classes"]
WORDS = "when the rain comes the log goes on and the rain goes on".split()

EXACTLY_ONCE = "exactly_once_v2"

wait_for = functools.partial(jobs.wait_for, limit_s=180, pause_s=0.05)


class Application:
    """One life of the application's process; `said` is what its users said before."""

    def __init__(self, broker, name, said, guarantee, commit_interval_ms=200):
        self.name, self.said = name, said
        self.exact = guarantee != "at_least_once"
        self.state = tempfile.TemporaryDirectory(dir=PLACE)
        env = dict(os.environ, BOOTSTRAP=broker.bootstrap, APPLICATION=name, STATE_DIR=self.state.name, GUARANTEE=guarantee,
                   COMMIT_INTERVAL_MS=str(commit_interval_ms))
        self.process = subprocess.Popen([*JAVA, "WordCount"], env=env, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def ask(self, what):
        self.process.stdin.write(what + "\n")
        self.process.stdin.flush()
        answer = self.process.stdout.readline()
        assert answer, f"the application ended at: {what}"
        return json.loads(answer)

    def start(self):
        self.ask("start")
        wait_for("the application runs", lambda: self.ask("state") == "RUNNING")

    def say(self, count):
        for n in range(count):
            words = [WORDS[n % len(WORDS)], WORDS[n * 7 % len(WORDS)], f"word-{n % 50}"]
            self.said.update(words)
            self.ask("say " + " ".join(words))

    def right(self, counts):
        """Whether every word is counted: exactly where that is promised, and no less often otherwise."""
        if self.exact:
            return counts == self.said
        return counts.keys() == self.said.keys() and all(counts[word] >= count for word, count in self.said.items())

    def wait_for_counts(self):
        for place in ("store", "topic"):
            wait_for(f"every word is counted in the {place}", lambda: self.right(self.ask(place)))
        wait_for("the application runs", lambda: self.ask("state") == "RUNNING")

    def transactions(self, *states):
        return [name for name, state in self.ask("transactions").items() if state in states]

    def kill(self):
        self.process.kill()
        self.process.wait()

    def close(self):
        assert self.ask("close"), "the application did not close"

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.kill()
        self.state.cleanup()


def new_broker():
    return Broker(os.environ["OTTLA"], PLACE / "broker.log", **COMPACTING)


def new_application(broker, guarantee, **settings):
    application = Application(broker, jobs.unique("words"), collections.Counter(), guarantee, **settings)
    application.ask("create 2")
    return application


def word_count(guarantee):
    with new_broker() as broker, new_application(broker, guarantee) as application:
        application.say(300)
        application.start()
        application.say(300)
        application.wait_for_counts()
        policies = application.ask("policies")
        assert policies == {"-counts-changelog": "compact", "-words-repartition": "delete"}, policies
        application.close()


def broker_restarts(guarantee):
    with new_broker() as broker, new_application(broker, guarantee) as application:
        application.start()
        application.say(300)
        broker.stop()
        broker.start()
        application.say(300)
        application.wait_for_counts()
        application.close()


def state_restored(guarantee):
    name, said = jobs.unique("words"), collections.Counter()
    with new_broker() as broker:
        with Application(broker, name, said, guarantee) as application:
            application.ask("create 2")
            application.start()
            application.say(300)
            application.wait_for_counts()
            application.close()
        broker.stop()
        broker.start()
        with Application(broker, name, said, guarantee) as application:
            application.start()
            application.wait_for_counts()
            assert application.ask("restored") >= len(said), "the store was not restored"
            application.say(300)
            application.wait_for_counts()
            application.close()


def job_word_count():
    word_count("at_least_once")


def job_broker_restarts():
    broker_restarts("at_least_once")


def job_state_restored():
    state_restored("at_least_once")


class Speaker(threading.Thread):
    """Says words, from a process of its own, until it is stopped."""

    def __init__(self, application):
        super().__init__(daemon=True)
        self.application, self.stops, self.trouble = application, threading.Event(), []
        self.start()

    def run(self):
        try:
            while not self.stops.is_set():
                self.application.say(10)
        except Exception as error:  # noqa: BLE001 (every way to fail is told)
            self.trouble.append(error)

    def stop(self):
        self.stops.set()
        self.join()
        assert not self.trouble, self.trouble[0]


def job_exactly_once_broker_killed():
    # Transactions are so long that it dies within those that it has listed just before.
    with new_broker() as broker, new_application(broker, EXACTLY_ONCE, commit_interval_ms=2000) as application, \
            Application(broker, application.name, application.said, EXACTLY_ONCE) as speaking:
        application.start()
        speaker = Speaker(speaking)
        for _ in range(3):
            before = sum(application.ask("topic").values())
            wait_for("counts are committed", lambda: sum(application.ask("topic").values()) > before)
            wait_for("a transaction is open", lambda: application.ask("undecided") > 0 and application.transactions("Ongoing"))
            broker.kill()
            broker.start()
        speaker.stop()
        application.wait_for_counts()
        application.close()


def dies_amid_changes(first, observer):
    """Its transactions that are left open, with changes to the store in the changelog, or none if they ended in time."""
    def has_changes():
        first.say(10)
        return observer.ask("undecided") > 0
    wait_for("the store changes in a transaction", has_changes)
    first.kill()
    return observer.ask("undecided") > 0 and observer.transactions("Ongoing")


def job_exactly_once_state_restored():
    with new_broker() as broker, new_application(broker, EXACTLY_ONCE) as second:
        left_open = []
        while not left_open:
            with Application(broker, second.name, second.said, EXACTLY_ONCE, commit_interval_ms=2000) as first:
                first.start()
                first.say(300)
                first.wait_for_counts()
                committed = len(first.said)
                left_open = dies_amid_changes(first, second)
        broker.stop()
        broker.start()
        second.start()
        second.wait_for_counts()
        ends = {second.ask("transactions")[name] for name in left_open}
        assert ends == {"CompleteAbort"}, f"the changelog has no aborted transaction, but {ends}"
        assert second.ask("restored") >= committed, "the store was not restored"
        second.say(300)
        second.wait_for_counts()
        second.close()


if __name__ == "__main__":
    jobs.run_all(globals())
