"""Runs Kafka's command line tools one after the other in one process of Java's (Tools.java)."""

import json
import subprocess

TOOLS = "org.apache.kafka.tools."


def java(place):
    """How a program of those in this place is started."""
    return ["java", "-XX:TieredStopAtLevel=1", "-Dorg.slf4j.simpleLogger.defaultLogLevel=warn", "-cp", f"{place}/libs/*:{place}/classes"]


class Driver:
    def __init__(self, place, bootstrap):
        self.bootstrap = bootstrap
        self.process = subprocess.Popen([*java(place), "Tools"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def run(self, tool, *arguments, stdin="", expected=0):
        """Runs one of the tools and returns what it printed."""
        name = tool if tool.startswith("kafka.") else TOOLS + tool
        request = {"tool": name, "arguments": ["--bootstrap-server", self.bootstrap, *map(str, arguments)], "stdin": stdin}
        self.process.stdin.write(json.dumps(request) + "\n")
        self.process.stdin.flush()
        done = json.loads(self.process.stdout.readline())
        assert done["code"] == expected, f"{tool} ended with {done['code']}: {done['out'][-300:]} {done['err'][-1500:]}"
        return done["out"] + done["err"] if expected else done["out"]

    def close(self):
        self.process.stdin.close()
        self.process.wait(30)
