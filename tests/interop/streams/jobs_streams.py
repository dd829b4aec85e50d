"""A word count of Kafka Streams, with a state store and its changelog, while ottla and the application come and go."""

import collections
import functools
import json
import os
import pathlib
import subprocess
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))
from broker import COMPACTING, Broker  # noqa: E402
import jobs  # noqa: E402

PLACE = pathlib.Path(os.environ["INSTALL_DIR"])
JAVA = ["java", "-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC", "-Xmx256m", "-Dorg.slf4j.simpleLogger.defaultLogLevel=warn", "-cp", f"{PLACE}/libs/*:{PLACE}/classes"]
WORDS = "when the rain comes the log goes on and the rain goes on".split()

wait_for = functools.partial(jobs.wait_for, limit_s=180, pause_s=0.05)


class Application:
    """One life of the application's process; `said` is what its users said before."""

    def __init__(self, broker, name, said, guarantee):
        self.said = said
        self.exact = guarantee != "at_least_once"
        self.state = tempfile.TemporaryDirectory(dir=PLACE)
        env = dict(os.environ, BOOTSTRAP=broker.bootstrap, APPLICATION=name, STATE_DIR=self.state.name, GUARANTEE=guarantee)
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
        assert self.ask("state") == "RUNNING"

    def close(self):
        assert self.ask("close"), "the application did not close"

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()
        self.state.cleanup()


def new_broker():
    return Broker(os.environ["OTTLA"], PLACE / "broker.log", **COMPACTING)


def new_application(broker, guarantee):
    application = Application(broker, jobs.unique("words"), collections.Counter(), guarantee)
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


def job_exactly_once_broker_restarts():
    broker_restarts("exactly_once_v2")


def job_exactly_once_state_restored():
    state_restored("exactly_once_v2")


if __name__ == "__main__":
    jobs.run_all(globals())
