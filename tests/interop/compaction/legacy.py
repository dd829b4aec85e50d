"""Segments as brokers before 0.11 wrote them: messages of magic 0 and 1, some in wrappers."""

import gzip
import os
import struct
import time
import zlib

GZIP = 1
#: How long ago each segment was last written, which is what the tombstones of old messages are kept by.
AGES_S = (4 * 3600, 3 * 3600, 1800, 60)


def field(value):
    return struct.pack(">i", -1) if value is None else struct.pack(">i", len(value)) + value


def message(magic, offset, timestamp, attributes, key, value):
    body = struct.pack(">bb", magic, attributes) + (struct.pack(">q", timestamp) if magic else b"") + field(key) + field(value)
    body = struct.pack(">I", zlib.crc32(body)) + body
    return struct.pack(">qi", offset, len(body)) + body


def entry(magic, base, timestamp, records):
    """One message, or a wrapper of some."""
    if len(records) == 1:
        return message(magic, base, timestamp, 0, *records[0])
    inner = b"".join(message(magic, i if magic else base + i, timestamp + i, 0, *record) for i, record in enumerate(records))
    last = len(records) - 1
    return message(magic, base + last, timestamp + last, GZIP, None, gzip.compress(inner, mtime=0))


def write(partition, random):
    """Puts them in the place of a partition's empty log."""
    for file in partition.iterdir():
        if file.name != "partition.metadata":
            file.unlink()
    offset, now = 0, int(time.time())
    for number, age in enumerate(AGES_S):
        path, content = partition / f"{offset:020}.log", b""
        for _ in range(20):
            records = [(b"k%d" % random.randrange(40), None if random.randrange(3) == 0 else b"old" + b"x" * random.randrange(50))
                       for _ in range(random.choice((1, 1, 1, 4)))]
            content += entry(min(number, 1), offset, (now - age) * 1000, records)
            offset += len(records)
        path.write_bytes(content)
        os.utime(path, (now - age, now - age))
