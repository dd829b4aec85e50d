"""How the suites in Go are run: a compiled test binary, its events on standard output."""

import os
import pathlib
import re
import subprocess
import sys

PLACE = pathlib.Path(os.environ["INSTALL_DIR"])


def pattern(names):
    """A test's name has a pattern for each of its parts."""
    return "|".join("/".join(f"^{re.escape(part)}$" for part in name.split("/")) for name in names)


def run(directory, *arguments, **env):
    """Runs the binary in the directory of its sources, but not what is named in $SKIPPED."""
    skipped = os.environ["SKIPPED"].split()
    if skipped:
        arguments += ("-test.skip", pattern(skipped))
    command = ["go", "tool", "test2json", PLACE / "tests.test", "-test.v=test2json", "-test.timeout=600s", *arguments, *sys.argv[1:]]
    sys.stdout.flush()
    subprocess.run(command, cwd=directory, env=os.environ | env)
