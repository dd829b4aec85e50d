"""`ottla serve` as the programs here run it: in a directory of its own, on a port of its own choice, which it keeps."""

import os
import pathlib
import re
import signal
import subprocess
import tempfile

SETTINGS = {"group.initial.rebalance.delay.ms": 100, "group.min.session.timeout.ms": 1000}
# Segments end and are compacted while a program runs that goes on for a few seconds.
COMPACTING = {"log.roll.ms": 500, "log.cleaner.backoff.ms": 200, "log.cleaner.min.cleanable.ratio": 0.01}
ROOT = pathlib.Path(__file__).resolve().parent.parent.parent


def build():
    """The path of the binary: that of $OTTLA, or one that is built now."""
    if "OTTLA" in os.environ:
        return os.environ["OTTLA"]
    subprocess.run(["cargo", "build", "--release", "--bin", "ottla"], cwd=ROOT, check=True)
    target = pathlib.Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target"))
    return str(target / "release" / "ottla")


class Broker:
    """Started at once; after `stop`, `start` opens the same directory and listens on the same port again."""

    def __init__(self, binary, log, **settings):
        self.binary = binary
        self.log = log
        self.dir = tempfile.TemporaryDirectory(prefix="ottla-interop-")
        self.settings = SETTINGS | {"log.dirs": self.dir.name} | settings
        self.bootstrap = "127.0.0.1:0"
        open(log, "w").close()
        self.start()

    def start(self):
        settings = {"listeners": f"PLAINTEXT://{self.bootstrap}"} | self.settings
        overrides = [argument for name, value in settings.items() for argument in ("--override", f"{name}={value}")]
        with open(self.log, "a") as log:
            self.process = subprocess.Popen([self.binary, "serve", *overrides], stdout=subprocess.PIPE, stderr=log, text=True)
        line = self.process.stdout.readline()
        match = re.match(r"ready bootstrap\.servers=(\S+) ", line)
        if not match:
            raise AssertionError(f"ottla did not get ready: {line!r}; see {self.log}")
        self.bootstrap = match.group(1)

    def stop(self):
        """Stops it cleanly; it has failed when it ends with another code than 0, or any of its threads panicked."""
        self.process.send_signal(signal.SIGTERM)
        code = self.process.wait(timeout=30)
        self.process.stdout.close()
        with open(self.log) as log:
            panics = [line.strip() for line in log if "panicked" in line]
        if code != 0 or panics:
            raise AssertionError(f"ottla ended with {code}; {''.join(panics[:1])}")

    def kill(self):
        """Ends it by SIGKILL, in whatever it is doing."""
        self.process.kill()
        self.process.wait()
        self.process.stdout.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.process.returncode is None:
            self.stop()
        self.dir.cleanup()
