"""Members of a share group over a broker that is killed again and again: every record is delivered, and none again once
it is confirmed that it was accepted."""

import functools
import os
import random
import subprocess
import threading
import time

from broker import Broker
from jobs import wait_for

KILLS, MEMBERS, PARTITIONS = 25, 3, 3
wait_for = functools.partial(wait_for, limit_s=90, pause_s=0.02)


class Members:
    """The program, and all that its members have said. What comes in a later round than that in which it was done is
    wrong: all members of a round are new, so that none has anything left from before."""

    def __init__(self, java, broker):
        self.process = subprocess.Popen([*java, "ShareChain", "chain", str(PARTITIONS), str(MEMBERS)], env=os.environ | {"BOOTSTRAP": broker.bootstrap},
                                        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.round = 0
        self.sent = 0
        self.got, self.done, self.begun, self.progress, self.wrong = set(), {}, {}, set(), []
        threading.Thread(target=self._hear, daemon=True).start()

    def _hear(self):
        for line in self.process.stdout:
            match line.split():
                case ["got", number, value]:
                    self.got.add(int(value))
                    if self.done.get(int(value), int(number)) < int(number):
                        self.wrong.append(f"{value} was done in round {self.done[int(value)]}, and comes again in round {number}")
                case ["done", number, value]:
                    self.done.setdefault(int(value), int(number))
                    self.progress.add(int(number))
                case ["begun", number, member]:
                    self.begun.setdefault(int(number), set()).add(member)
                case _:
                    self.wrong.append(line)

    def healthy(self):
        assert self.process.poll() is None, f"the members ended with {self.process.returncode}"
        assert not self.wrong, self.wrong[0]
        return True

    def tell(self, line):
        self.process.stdin.write(line + "\n")
        self.process.stdin.flush()

    def send(self, count):
        self.tell(f"send {self.sent} {self.sent + count}")
        self.sent += count

    def begin_round(self):
        self.round += 1
        self.tell("next")
        wait_for(f"all members of round {self.round}", lambda: self.healthy() and len(self.begun.get(self.round, ())) == MEMBERS)

    def wait_for_all(self):
        wait_for(f"all {self.sent} records", lambda: self.healthy() and len(self.got) == self.sent)

    def end(self):
        self.process.stdin.close()
        try:
            assert self.process.wait(timeout=60) == 0, f"the members ended with {self.process.returncode}"
        finally:
            self.process.kill()


def kill(broker):
    broker.process.kill()
    broker.process.wait()
    broker.process.stdout.close()
    broker.start()


def run(java, log):
    random.seed(7)
    settings = {"group.share.heartbeat.interval.ms": 500, "group.share.min.heartbeat.interval.ms": 500,
                "group.share.delivery.count.limit": 10, "group.share.record.lock.duration.ms": 60000,
                "share.coordinator.state.topic.num.partitions": 4, "offsets.topic.num.partitions": 4}
    with Broker(os.environ["OTTLA"], log, **settings) as broker:
        members = Members(java, broker)
        try:
            for _ in range(KILLS):
                members.send(60)
                wait_for("records are dealt with", lambda: members.healthy() and members.round in members.progress)
                time.sleep(random.uniform(0, 0.3))
                kill(broker)
                members.begin_round()
            members.wait_for_all()
            # What comes again comes before what is new.
            members.begin_round()
            members.send(60)
            members.wait_for_all()
            assert len(members.done) > members.sent / 2, f"only {len(members.done)} of {members.sent} were confirmed"
        finally:
            members.end()
