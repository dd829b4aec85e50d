"""Record batches and the message sets before them, made as a row asks for and taken apart to be compared."""

import gzip
import struct
import zlib

from schema import Reader

NONE, GZIP, SNAPPY, LZ4, ZSTD = range(5)
LOG_APPEND_TIME, TRANSACTIONAL, CONTROL = 8, 16, 32
#: Far from any edge, the same for both brokers, and young enough to outlive retention.
NOW = 0

CRC32C_TABLE = []
for _byte in range(256):
    for _ in range(8):
        _byte = _byte >> 1 ^ (0x82F63B78 if _byte & 1 else 0)
    CRC32C_TABLE.append(_byte)


def crc32c(data):
    crc = 0xFFFFFFFF
    for byte in data:
        crc = crc >> 8 ^ CRC32C_TABLE[(crc ^ byte) & 0xFF]
    return crc ^ 0xFFFFFFFF


def zigzag(number):
    number = number << 1 ^ number >> 63
    out = bytearray()
    while number > 0x7F:
        out.append(number & 0x7F | 0x80)
        number >>= 7
    out.append(number)
    return bytes(out)


def sized(data):
    return zigzag(-1) if data is None else zigzag(len(data)) + data


def xxh32(data):
    """xxHash32 with seed 0, which frames of LZ4 have in their headers; short inputs only."""
    assert len(data) < 16
    mask = 0xFFFFFFFF
    rotate = lambda x, n: (x << n | x >> 32 - n) & mask
    h = (0x165667B1 + len(data)) & mask
    at = 0
    while at + 4 <= len(data):
        h = rotate(h + struct.unpack_from("<I", data, at)[0] * 0xC2B2AE3D & mask, 17) * 0x27D4EB2F & mask
        at += 4
    for byte in data[at:]:
        h = rotate(h + byte * 0x165667B1 & mask, 11) * 0x9E3779B1 & mask
    h = (h ^ h >> 15) * 0x85EBCA77 & mask
    h = (h ^ h >> 13) * 0xC2B2AE3D & mask
    return h ^ h >> 16


def compress(codec, data):
    """Frames that any decoder reads; only gzip makes them smaller."""
    if codec == GZIP:
        return gzip.compress(data, mtime=0)
    if codec == SNAPPY:
        assert len(data) < 1 << 16
        # One literal in xerial's framing.
        block = zigzag_free_varint(len(data)) + b"\xf4" + struct.pack("<H", len(data) - 1) + data
        return b"\x82SNAPPY\0" + struct.pack(">iii", 1, 1, len(block)) + block
    if codec == LZ4:
        descriptor = b"\x60\x40"
        header = b"\x04\x22\x4d\x18" + descriptor + bytes([xxh32(descriptor) >> 8 & 0xFF])
        return header + struct.pack("<I", len(data) | 0x80000000) + data + struct.pack("<I", 0)
    if codec == ZSTD:
        assert len(data) < 1 << 16
        block = struct.pack("<I", len(data) << 3 | 1)[:3]
        return b"\x28\xb5\x2f\xfd" + b"\x00\x58" + block + data
    return data


def zigzag_free_varint(number):
    out = bytearray()
    while number > 0x7F:
        out.append(number & 0x7F | 0x80)
        number >>= 7
    out.append(number)
    return bytes(out)


def record(delta, value=b"v", key=None, timestamp_delta=0, headers=(), offset_delta=None):
    body = b"\0" + zigzag(timestamp_delta) + zigzag(delta if offset_delta is None else offset_delta)
    body += sized(key) + sized(value) + zigzag(len(headers))
    for name, content in headers:
        body += sized(name.encode()) + sized(content)
    return sized(body)


def batch(values=(b"v",), *, codec=NONE, attributes=0, base_offset=0, leader_epoch=-1, timestamp=None, max_timestamp=None,
          producer_id=-1, producer_epoch=-1, sequence=-1, count=None, last_delta=None, magic=2, crc=None, size=None,
          step=1, timestamp_step=0):
    """A batch of magic 2. `values` are values, (key, value) or (key, value, headers); what is named is said as it is."""
    timestamp = NOW if timestamp is None else timestamp
    body = b""
    for at, value in enumerate(values):
        key, value, headers = (value + ((),))[:3] if isinstance(value, tuple) else (None, value, ())
        body += record(at, value, key, at * timestamp_step, headers, at * step)
    last = timestamp + max(0, len(values) - 1) * timestamp_step
    tail = struct.pack(">hiqqqhii", attributes | codec, len(values) - 1 if last_delta is None else last_delta, timestamp,
                       last if max_timestamp is None else max_timestamp, producer_id, producer_epoch, sequence,
                       len(values) if count is None else count) + compress(codec, body)
    crc = crc32c(tail) if crc is None else crc
    size = len(tail) + 9 if size is None else size
    return struct.pack(">qiibI", base_offset, size, leader_epoch, magic, crc) + tail


def message(value=b"v", key=None, *, magic=1, offset=0, attributes=0, timestamp=None, crc=None):
    """A message of magic 0 or 1."""
    timestamp = NOW if timestamp is None else timestamp
    body = struct.pack(">bb", magic, attributes) + (struct.pack(">q", timestamp) if magic else b"")
    for part in (key, value):
        body += struct.pack(">i", -1 if part is None else len(part)) + (part or b"")
    body = struct.pack(">I", zlib.crc32(body) if crc is None else crc) + body
    return struct.pack(">qi", offset, len(body)) + body


def decode(data):
    """Entries as trees; what is no whole entry is kept as bytes."""
    entries, at = [], 0
    while len(data) - at >= 17:
        offset, size = struct.unpack_from(">qi", data, at)
        if size < 14 or at + 12 + size > len(data):
            break
        entries.append(decode_entry(offset, data[at + 12:at + 12 + size]))
        at += 12 + size
    # Kafka promises the size of what it converts before it converts, and fills up with an entry that never ends.
    if at < len(data) and data[at:at + 8] != b"\xff" * min(8, len(data) - at):
        entries.append({"(part of an entry)": bytes(data[at:])})
    return entries


def decode_entry(offset, data):
    magic = data[4]
    if magic < 2:
        reader = Reader(data)
        right = reader.unpack(">I") == zlib.crc32(data[4:])
        tree = {"offset": offset, "crc": right, "magic": reader.unpack(">b"), "attributes": reader.unpack(">b")}
        if magic:
            tree["timestamp"] = reader.unpack(">q")
        for part in ("key", "value"):
            size = reader.unpack(">i")
            tree[part] = None if size < 0 else bytes(reader.raw(size))
        if tree["attributes"] & 7:
            # How small a compressor gets it is its own affair.
            tree.update(value="(compressed)")
            if tree["attributes"] & 7 == GZIP:
                tree["inner"] = decode(decompress(GZIP, bytes(data[-size:])))
        return tree
    names = ("leaderEpoch", "magic", "crc", "attributes", "lastOffsetDelta", "baseTimestamp", "maxTimestamp", "producerId",
             "producerEpoch", "baseSequence", "recordsCount")
    tree = dict(zip(names, struct.unpack_from(">ibIhiqqqhii", data)), baseOffset=offset)
    tree["crc"] = tree["crc"] == crc32c(data[9:])
    if tree["attributes"] & (CONTROL | LOG_APPEND_TIME):
        tree.update(baseTimestamp="(the broker's)", maxTimestamp="(the broker's)")
    codec = tree["attributes"] & 7
    body = bytes(data[49:])
    try:
        body = decompress(codec, body)
    except NotImplementedError:
        # Of zstd there are many ways to say the same.
        return dict(tree, content="(zstd)" if codec == ZSTD else body)
    reader = Reader(body)
    tree["records"] = [decode_record(reader) for _ in range(tree["recordsCount"])]
    return tree


def decode_record(reader):
    reader.zigzag()
    reader.raw(1)
    tree = {"timestampDelta": reader.zigzag(), "offsetDelta": reader.zigzag()}
    optional = lambda size: None if size < 0 else bytes(reader.raw(size))
    tree["key"], tree["value"] = optional(reader.zigzag()), optional(reader.zigzag())
    tree["headers"] = [(optional(reader.zigzag()), optional(reader.zigzag())) for _ in range(reader.zigzag())]
    return tree


def decompress(codec, data):
    if codec == NONE:
        return data
    if codec == GZIP:
        return gzip.decompress(data)
    raise NotImplementedError(codec)
