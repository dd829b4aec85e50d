"""What the Python programs share: a list of jobs, each of which runs by itself and says how it went."""

import itertools
import os
import time
import traceback

BOOTSTRAP = os.environ.get("BOOTSTRAP")
_unique = itertools.count()


def unique(prefix):
    """A topic, group or id that no other job has."""
    return f"{prefix}-{os.getpid()}-{next(_unique)}"


class NotApplicable(Exception):
    """The client cannot do it; the text says why."""


def wait_for(what, condition, limit_s=120, pause_s=0.005):
    """Waits for a condition of the client's own making, such as an assignment."""
    deadline = time.monotonic() + limit_s
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > deadline:
            raise AssertionError(f"not within {limit_s} s: {what}")
        time.sleep(pause_s)


def run_all(jobs):
    """Runs each function named `job_NAME` of a module's namespace."""
    for name, job in list(jobs.items()):
        if not name.startswith("job_"):
            continue
        try:
            job()
            print(f"{name[4:]}\tok", flush=True)
        except NotApplicable as reason:
            print(f"{name[4:]}\tn/a\t{reason}", flush=True)
        except Exception as error:  # noqa: BLE001 (every way to fail is a result here)
            traceback.print_exc()
            text = " ".join(str(error).split()) or type(error).__name__
            print(f"{name[4:]}\tFAIL\t{text[:200]}", flush=True)
