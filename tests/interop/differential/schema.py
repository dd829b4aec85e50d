"""Kafka's messages as Apache's own schemas say, which lie in kafka-clients.jar: values are dicts, lists and scalars.

Nothing of ottla is used to write a request or to read an answer.
"""

import json
import re
import struct
import uuid
import zipfile

INTEGERS = {"int8": ">b", "int16": ">h", "uint16": ">H", "int32": ">i", "uint32": ">I", "int64": ">q", "float64": ">d"}
ZERO_UUID = uuid.UUID(int=0)
#: Fields that have other names in 2.7, whose schemas have the versions that 4.x dropped.
RENAMED = {
    "ProduceRequest": {"Topics": "TopicData", "Partitions": "PartitionData", "PartitionIndex": "Index"},
    "ProduceResponse": {"Partitions": "PartitionResponses", "PartitionIndex": "Index"},
    "FetchResponse": {"PartitionResponses": "Partitions", "RecordSet": "Records"},
    "OffsetForLeaderEpochRequest": {"Name": "Topic", "PartitionIndex": "Partition"},
    "OffsetForLeaderEpochResponse": {"Name": "Topic", "PartitionIndex": "Partition"},
    "TxnOffsetCommitRequest": {"GenerationId": "GenerationIdOrMemberEpoch"},
    "OffsetCommitRequest": {"GenerationId": "GenerationIdOrMemberEpoch"},
    "DescribeLogDirsRequest": {"PartitionIndex": "Partitions"},
}


def versions(text):
    """`3`, `2-5`, `2+` or `none` as a range."""
    if text is None or text == "none":
        return range(0)
    first, dash, last = text.partition("-")
    if text.endswith("+"):
        return range(int(text[:-1]), 32768)
    return range(int(first), int(last if dash else first) + 1)


class Field:
    def __init__(self, spec, structs, flexible):
        self.name = spec["name"][0].lower() + spec["name"][1:]
        self.type = spec["type"]
        self.versions = versions(spec.get("versions", spec.get("taggedVersions")))
        self.nullable = versions(spec.get("nullableVersions"))
        self.tag = spec.get("tag")
        self.tagged = versions(spec.get("taggedVersions"))
        self.flexible = versions(spec["flexibleVersions"]) if "flexibleVersions" in spec else flexible
        element = self.type.removeprefix("[]")
        self.fields = None
        if element[0].isupper():
            self.fields = [Field(f, structs, flexible) for f in spec.get("fields") or structs[element]]
        self.default = self.parse_default(spec.get("default"))

    def parse_default(self, text):
        if text == "null":
            return None
        if self.type.startswith("[]"):
            return []
        if self.type in INTEGERS:
            number = float if self.type == "float64" else lambda t: int(t, 0)
            return number(str(text)) if text not in (None, "") else 0
        if self.type == "bool":
            return str(text).lower() == "true"
        if self.type == "string":
            return text or ""
        if self.type == "uuid":
            return ZERO_UUID
        return b"" if self.fields is None else {}

    def is_tagged(self, version):
        return self.tag is not None and version in self.tagged


class Schemas:
    """The messages of one or more releases; the first that knows a version describes it."""

    def __init__(self, jars):
        self.messages = {}
        self.names = {}
        for jar in jars:
            with zipfile.ZipFile(jar) as archive:
                for entry in archive.namelist():
                    if re.fullmatch(r"common/message/\w+(Request|Response)\.json", entry):
                        text = re.sub(r"^\s*//.*$", "", archive.read(entry).decode(), flags=re.M)
                        self.add(json.loads(text))
        self.keys = {name: key for key, name in self.names.items()}

    def add(self, spec):
        """Some have had other names in older releases."""
        name, kind = re.fullmatch(r"(\w+)(Request|Response)", spec["name"]).groups()
        name = self.names.setdefault(spec["apiKey"], name)
        if name + kind in self.messages:
            rename(spec["fields"], RENAMED.get(name + kind, {}))
        self.messages.setdefault(name + kind, []).append(Message(spec))

    def message(self, name, version):
        for message in self.messages[name]:
            if version in message.versions:
                return message
        raise KeyError(f"no schema has version {version} of {name}")

    def request(self, api, version, correlation_id, client_id, values):
        """The frame of a request, without its size."""
        message = self.message(api + "Request", version)
        writer = Writer()
        writer.raw(struct.pack(">hhi", self.keys[api], version, correlation_id))
        writer.string(client_id, nullable=True)
        flexible = version in message.flexible
        if flexible:
            writer.varint(0)
        # A misspelt field is found by the newest schema; the older ones lack what came after them.
        writer.strict = message is self.messages[api + "Request"][0]
        writer.fields(message.fields, values, version, flexible, api)
        return bytes(writer.out)

    def response(self, api, version, body):
        """What stands after the correlation id of an answer."""
        message = self.message(api + "Response", version)
        reader = Reader(body)
        flexible = version in message.flexible
        tree = {}
        if flexible and api != "ApiVersions":
            reader.unknown_tags(tree)
        tree.update(reader.fields(message.fields, version, flexible))
        if reader.at != len(body):
            tree["(bytes after the end)"] = body[reader.at:]
        return tree


def rename(fields, names):
    for field in fields:
        field["name"] = names.get(field["name"], field["name"])
        rename(field.get("fields", []), names)


class Message:
    def __init__(self, spec):
        structs = {s["name"]: s["fields"] for s in spec.get("commonStructs", [])}
        self.versions = versions(spec["validVersions"])
        self.flexible = versions(spec.get("flexibleVersions"))
        self.fields = [Field(f, structs, self.flexible) for f in spec.get("fields", [])]


class Writer:
    def __init__(self):
        self.out = bytearray()
        self.strict = True

    def raw(self, data):
        self.out += data

    def varint(self, number):
        while number > 0x7F:
            self.out.append(number & 0x7F | 0x80)
            number >>= 7
        self.out.append(number)

    def size(self, size, compact, wide):
        """The size in front of something; None is null."""
        if compact:
            self.varint(0 if size is None else size + 1)
        else:
            self.raw(struct.pack(">i" if wide else ">h", -1 if size is None else size))

    def string(self, text, nullable=False, compact=False):
        data = None if text is None else text if isinstance(text, bytes) else text.encode()
        self.size(None if data is None else len(data), compact, wide=False)
        self.raw(data or b"")

    def fields(self, fields, values, version, flexible, where):
        unknown = set(values) - {field.name for field in fields}
        if unknown and self.strict:
            raise KeyError(f"{where} has no {', '.join(sorted(unknown))}; it has {', '.join(f.name for f in fields)}")
        tags = []
        for field in fields:
            value = values.get(field.name, field.default)
            if field.is_tagged(version):
                if value != field.default:
                    inner = Writer()
                    inner.value(field, field.type, value, version, where)
                    tags.append((field.tag, bytes(inner.out)))
            elif version in field.versions:
                self.value(field, field.type, value, version, where)
        if flexible:
            self.varint(len(tags))
            for tag, data in sorted(tags):
                self.varint(tag)
                self.varint(len(data))
                self.raw(data)

    def value(self, field, type_, value, version, where, is_element=False):
        compact = version in field.flexible
        if type_.startswith("[]"):
            self.size(None if value is None else len(value), compact, wide=True)
            for element in value or []:
                self.value(field, type_[2:], element, version, where, is_element=True)
        elif type_ in INTEGERS:
            self.raw(struct.pack(INTEGERS[type_], value))
        elif type_ == "bool":
            self.raw(b"\1" if value else b"\0")
        elif type_ == "uuid":
            self.raw(value.bytes)
        elif type_ == "string":
            self.string(value, compact=compact)
        elif field.fields is None:
            self.size(None if value is None else len(value), compact, wide=True)
            self.raw(value or b"")
        elif version in field.nullable and not is_element:
            self.raw(b"\xff" if value is None else b"\1")
            if value is not None:
                self.fields(field.fields, value, version, compact, f"{where}.{field.name}")
        else:
            self.fields(field.fields, value, version, compact, f"{where}.{field.name}")


class Reader:
    def __init__(self, data):
        self.data, self.at = data, 0

    def raw(self, size):
        if size < 0 or self.at + size > len(self.data):
            raise ValueError(f"{size} bytes at byte {self.at} of {len(self.data)}")
        self.at += size
        return self.data[self.at - size:self.at]

    def unpack(self, form):
        return struct.unpack(form, self.raw(struct.calcsize(form)))[0]

    def varint(self):
        number, shift = 0, 0
        while True:
            (byte,) = self.raw(1)
            number |= (byte & 0x7F) << shift
            shift += 7
            if byte < 0x80:
                return number

    def zigzag(self):
        number = self.varint()
        return number >> 1 ^ -(number & 1)

    def size(self, compact, wide):
        size = self.varint() - 1 if compact else self.unpack(">i" if wide else ">h")
        return None if size < 0 else size

    def unknown_tags(self, tree, known=None, read=None):
        for _ in range(self.varint()):
            tag = self.varint()
            data = self.raw(self.varint())
            if known and tag in known:
                tree[known[tag].name] = read(known[tag], Reader(data))
            else:
                tree[f"(tag {tag})"] = data

    def fields(self, fields, version, flexible):
        tree = {}
        tagged = {}
        for field in fields:
            if field.is_tagged(version):
                tagged[field.tag] = field
                tree[field.name] = field.default
            elif version in field.versions:
                tree[field.name] = self.value(field, field.type, version)
        if flexible:
            self.unknown_tags(tree, tagged, lambda field, inner: inner.value(field, field.type, version))
        return tree

    def value(self, field, type_, version, is_element=False):
        compact = version in field.flexible
        if type_.startswith("[]"):
            size = self.size(compact, wide=True)
            return None if size is None else [
                self.value(field, type_[2:], version, is_element=True) for _ in range(size)]
        if type_ in INTEGERS:
            return self.unpack(INTEGERS[type_])
        if type_ == "bool":
            return self.unpack(">b") != 0
        if type_ == "uuid":
            return uuid.UUID(bytes=bytes(self.raw(16)))
        if type_ == "string":
            size = self.size(compact, wide=False)
            return None if size is None else self.raw(size).decode()
        if field.fields is None:
            size = self.size(compact, wide=True)
            return None if size is None else bytes(self.raw(size))
        if version in field.nullable and not is_element and self.unpack(">b") < 0:
            return None
        return self.fields(field.fields, version, compact)
