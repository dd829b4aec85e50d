"""Java's share consumer against ottla, which is stopped and started again in between."""

import os
import pathlib
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))
import killed  # noqa: E402
from broker import Broker  # noqa: E402
from jobs import run_all  # noqa: E402

PLACE = pathlib.Path(os.environ["INSTALL_DIR"])
JAVA = ["java", "-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC", "-Dorg.slf4j.simpleLogger.defaultLogLevel=warn",
        "-cp", f"{PLACE}/libs/*:{PLACE}/classes"]
# A member that joins need not wait for its second heartbeat.
SETTINGS = {"group.share.heartbeat.interval.ms": 1000, "group.share.min.heartbeat.interval.ms": 1000,
            "group.share.min.record.lock.duration.ms": 1000}


def java(broker, *jobs):
    """The lines that the jobs print, by job."""
    environment = os.environ | {"BOOTSTRAP": broker.bootstrap}
    output = subprocess.run([*JAVA, "ShareJobs", *jobs], env=environment, stdout=subprocess.PIPE, text=True, check=True).stdout
    return dict(line.split("\t", 1) for line in output.splitlines())


def main():
    with Broker(os.environ["OTTLA"], PLACE.parent / "share-groups.broker.log", **SETTINGS) as broker:
        for name, outcome in java(broker, "dealt_with", "two_members", "renewed", "lock_timeout", "isolation", "offsets").items():
            print(f"{name}\t{outcome}", flush=True)
        outcome = java(broker, "before")["before"]
        if outcome == "ok":
            broker.stop()
            broker.start()
            outcome = java(broker, "after")["after"]
        print(f"restart\t{outcome}", flush=True)
    run_all({"job_killed_broker": lambda: killed.run(JAVA, PLACE.parent / "share-groups.killed.log")})


if __name__ == "__main__":
    main()
