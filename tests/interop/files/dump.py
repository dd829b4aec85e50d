"""The files of a log directory as Apache Kafka's dump-log reads them: without complaint, and in the words of ottla's."""

import json
import pathlib
import re
import subprocess

import brokers

HERE = pathlib.Path(__file__).resolve().parent
OTTLA = brokers.WORK.parent / "debug" / "ottla"
SUFFIXES = ("log", "index", "timeindex", "txnindex", "snapshot")
#: What Kafka's dump-log says of files that are not well.
COMPLAINTS = re.compile(r"mismatch|not found|invalid|corrupt|exception|could not|out of order|isvalid: false", re.I)
#: That offsets are missing, as compaction leaves them, is no complaint.
GAPS = "Non-consecutive offsets in "
#: The decoders, by the topics that they are for.
DECODERS = {"__consumer_offsets": "--offsets-decoder", "__transaction_state": "--transaction-log-decoder",
            "__share_group_state": "--share-group-state-decoder"}


class Said:
    """What a dump-log said: its exit code, lines by file, and what it tells of all files at the end."""

    def __init__(self, done):
        self.code = done.returncode
        self.files, lines = {}, []
        for line in done.stdout.splitlines():
            if line.startswith("Dumping "):
                lines = self.files.setdefault(line, [])
            lines.append(line)
        # Kafka's come in the order of a hash table.
        self.problems, heading = set(), ""
        for line in done.stderr.splitlines():
            if line.startswith("  ") or line.startswith("Indexed offset: "):
                self.problems.add((heading, line.strip()))
            else:
                heading = line
                # With nothing below it, it stands for itself.
                self.problems.add((heading, ""))
        below = {heading for heading, line in self.problems if line}
        self.problems = {(heading, line) for heading, line in self.problems if line or heading not in below}

    def complaints(self):
        lines = [line for lines in self.files.values() for line in lines]
        lines += [f"{heading} {line}" for heading, line in self.problems if not heading.startswith(GAPS)]
        found = [line for line in lines if COMPLAINTS.search(line) and "payload" not in line]
        return found + ([f"it ends with {self.code}: {sorted(self.problems)}"] if self.code else [])


class Dump:
    """Kafka's dump-log, and ottla's beside it. Maven Central has no newer one than 4.3.1."""

    def __init__(self):
        self.libs = brokers.WORK / "libs-tools"
        if not self.libs.exists():
            subprocess.run(["mvn", "-q", "-B", "-f", HERE.parent / "kafka-tools" / "pom.xml", "dependency:copy-dependencies",
                            f"-DoutputDirectory={self.libs}"], check=True)
        rows = [line.split("\t") for line in (HERE / "dump-differences.tsv").read_text().splitlines()[1:]]
        self.declared = [(where, re.compile(kafka), re.compile(ottla)) for where, kafka, ottla, _ in rows if where != "order"]
        self.unordered = {kafka for where, kafka, _, _ in rows if where == "order"}

    def run_kafka(self, files, options, cwd=None):
        return subprocess.run(
            ["java", "-Dstdout.encoding=UTF-8", "-Dstderr.encoding=UTF-8", "-Xmx256M", "-XX:TieredStopAtLevel=1",
             "-XX:+UseSerialGC", "-cp", f"{self.libs}/*", "org.apache.kafka.tools.DumpLogSegments", *options, "--files",
             ",".join(map(str, files))], capture_output=True, encoding="utf-8", errors="replace", cwd=cwd)

    def kafka(self, files, options):
        return Said(self.run_kafka(files, options))

    def ottla(self, files, options):
        return Said(subprocess.run([OTTLA, "dump-log", *options, "--files", ",".join(map(str, files))],
                                   capture_output=True, encoding="utf-8", errors="replace"))

    def in_order(self, line):
        """A record with those lists of its payload in order that may be in any."""
        head, _, payload = line.partition(" payload: ")
        if not payload.startswith("{"):
            return line

        def sort(fields):
            return {key: sorted(value, key=str) if key in self.unordered and isinstance(value, list) else value
                    for key, value in fields.items()}
        return head, json.loads(payload, object_hook=sort)

    def is_declared(self, where, kafka, ottla):
        if where == "stdout" and self.in_order(kafka) == self.in_order(ottla):
            return True
        return any(place == where and of_kafka.fullmatch(kafka) and of_ottla.fullmatch(ottla)
                   for place, of_kafka, of_ottla in self.declared)

    def differences(self, kafka, ottla):
        """Where ottla says another thing than Kafka, and it is not declared."""
        if kafka.code or kafka.code != ottla.code:
            yield f"Kafka's ends with {kafka.code}, ottla's with {ottla.code}"
        for file in sorted({*kafka.files, *ottla.files}):
            of_kafka, of_ottla = kafka.files.get(file, []), ottla.files.get(file, [])
            if len(of_kafka) != len(of_ottla):
                yield f"{file}: Kafka's has {len(of_kafka)} lines, ottla's {len(of_ottla)}"
            for pair in zip(of_kafka, of_ottla):
                if pair[0] != pair[1] and not self.is_declared("stdout", *pair):
                    yield f"{file}:\n      Kafka: {pair[0]}\n      ottla: {pair[1]}"
        for heading, line in sorted(kafka.problems ^ ottla.problems):
            only = "Kafka" if (heading, line) in kafka.problems else "ottla"
            pair = (line, "") if only == "Kafka" else ("", line)
            if not self.is_declared("stderr", *pair):
                yield f"only {only} complains: {heading} {line}"

    def check(self, dir):
        """Every file of the partitions in a log directory: complaints of Kafka's, differences of ottla's, how many files."""
        # __cluster_metadata is no log of ottla's, and Kafka itself leaves a time index there that it finds corrupt.
        files = {suffix: sorted(file for file in dir.glob(f"*-*/*.{suffix}")
                                if not file.parent.name.startswith("__cluster_metadata")) for suffix in SUFFIXES}
        everything = [file for suffix in SUFFIXES for file in files[suffix]]
        indexes = files["index"] + files["timeindex"]
        of = lambda topic: [log for log in files["log"] if log.parent.name.startswith(f"{topic}-")]
        runs = [(everything, []), (everything, ["--deep-iteration", "--print-data-log"]), (indexes, ["--index-sanity-check"]),
                (indexes, ["--verify-index-only", "--max-message-size", "100000"]), (files["log"], ["--deep-iteration"]),
                (files["log"], ["--print-data-log", "--skip-record-metadata", "--max-bytes", "1500"]),
                *((of(topic), [decoder]) for topic, decoder in DECODERS.items())]
        complaints, differences = [], []
        for paths, options in runs:
            if paths:
                kafka, ottla = self.kafka(paths, options), self.ottla(paths, options)
                what = " ".join(["dump-log", *options])
                complaints += [f"{what}: {line[:300]}" for line in kafka.complaints()]
                differences += [f"{what}: {line}" for line in self.differences(kafka, ottla)]
        return complaints, differences, len(everything)

    def golden(self, dir):
        """What Kafka's dump-log says of a directory, for a test without Java: a line with the arguments, and its output."""
        logs = lambda topic: sorted(file.relative_to(dir) for file in dir.glob(f"{topic}-*/*.log"))
        others = sorted(file.relative_to(dir) for suffix in SUFFIXES[1:] for file in dir.glob(f"*-*/*.{suffix}"))
        for files, options in [(others, []), (logs("[!_]*"), ["--print-data-log"]),
                               (logs("__transaction_state"), ["--transaction-log-decoder"]),
                               (logs("__share_group_state"), ["--share-group-state-decoder"])]:
            if files:
                yield "$ " + " ".join([*options, "--files", ",".join(map(str, files))])
                yield from self.run_kafka(files, options, dir).stdout.splitlines()
