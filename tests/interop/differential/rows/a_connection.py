"""Frames, headers and ApiVersions."""

import struct

from rows import every_version, once


def frame(*parts):
    data = b"".join(parts)
    return struct.pack(">i", len(data)) + data


def header(key, version, correlation_id=7, client_id=b"raw"):
    name = struct.pack(">h", -1) if client_id is None else struct.pack(">h", len(client_id)) + client_id
    return struct.pack(">hhi", key, version, correlation_id) + name


@once
def frames(ask, _):
    ask.connect().raw("S-001 a negative size", struct.pack(">i", -1))
    ask.connect().raw("S-001 a size above socket.request.max.bytes", struct.pack(">i", 104857601))
    ask.connect().raw("S-002 a frame of size 0", struct.pack(">i", 0))
    ask.connect().raw("S-002 a frame too short for a header", frame(b"\0\x12\0"))
    ask.connect().raw("S-003 a header cut in the client id", frame(struct.pack(">hhih", 18, 0, 1, 9), b"short"))
    ask.connect().raw("S-008 an unknown API", frame(header(999, 0)))
    ask.connect().raw("S-008 a negative API", frame(header(-1, 0)))
    ask.connect().raw("S-008 a version of Metadata that does not exist", frame(header(3, 99), b"\0" * 16))
    ask.connect().raw("S-008 a body that ends early", frame(header(3, 1), b"\0\0"))
    ask.connect().raw("S-008 an array count that the body cannot hold", frame(header(3, 1), struct.pack(">i", 1 << 30)))
    ask.connect().raw("S-018 no client id", frame(header(18, 0, client_id=None)), ("ApiVersions", 0))
    ask.connect().raw("bytes after the end of the body", frame(header(18, 0), b"more"), ("ApiVersions", 0))
    ask.connect().raw("S-004 a flexible header with the old client id",
                      frame(header(18, 3), b"\0", b"\2a", b"\2b", b"\0"), ("ApiVersions", 3))
    ask.connect().raw("S-015 unknown tagged fields in header and body",
                      frame(header(18, 3), b"\1\x07\2xy", b"\2a", b"\2b", b"\1\x09\1z"), ("ApiVersions", 3))
    ask.connect().raw("a null client software name", frame(header(18, 3), b"\0", b"\0", b"\2b", b"\0"), ("ApiVersions", 0))
    ask.connect().raw("S-007 ApiVersions in a version that does not exist", frame(header(18, 99), b"\0" * 8), ("ApiVersions", 0))


@every_version("ApiVersions")
def api_versions(ask, c, v):
    software = {"clientSoftwareName": "differential", "clientSoftwareVersion": "1.0"}
    c("S-005 S-011 S-012 S-013 what there is", "ApiVersions", v, **software)
    for name in ("", "-a", "a-", "a b", "a/b", "a.b-c", "0", "é"):
        c(f"S-010 a client software name {name!r}", "ApiVersions", v, clientSoftwareName=name, clientSoftwareVersion="1.0")
        c(f"S-010 a client software version {name!r}", "ApiVersions", v, clientSoftwareName="a", clientSoftwareVersion=name)


@once
def pipelined(ask, c):
    first = c.start("Metadata", 1, topics=[])
    second = c.start("ApiVersions", 0)
    third = c.start("ListGroups", 0)
    c.finish("S-006 the first of three in flight", first)
    c.finish("S-006 the second of three in flight", second)
    c.answer(third)
