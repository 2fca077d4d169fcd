"""The cursor: an opaque resume token of one topic, the same on every transport and instance.

Layout, version 1, big endian: version u8 | topic check u32 (CRC-32 of the topic name) | epoch u64 |
offset u64 | as_of u64 (ms since the epoch) | event id, UTF-8 (the rest, at most 64 bytes) | CRC-32
u32 of all before it. The checks catch mistakes (a cursor of another topic, a cut one), not attacks:
a cursor grants nothing, rights are checked on every subscribe.
"""

from __future__ import annotations

import struct
import zlib
from dataclasses import dataclass

from hub.errors import InvalidArgument
from shipspeak.realtime.v1 import error_reason_pb2

VERSION = 1
_HEAD = struct.Struct(">BIQQQ")
_CRC = struct.Struct(">I")
_MAX_ID_BYTES = 64


@dataclass(frozen=True, slots=True)
class Cursor:
    """A place in one topic's log.

    Attributes:
        epoch: identity of the log, non-zero.
        offset: everything up to here was handled; 0 = nothing yet.
        event_id: id of the event at ``offset``, where known; proves that the log is still the same
            one.
        as_of_ms: when the cursor was made, milliseconds since the epoch, by the hub's clock.
    """

    epoch: int
    offset: int
    event_id: str = ""
    as_of_ms: int = 0


def encode_cursor(topic: str, cursor: Cursor) -> bytes:
    """Serialize a cursor of ``topic``: 33 bytes and the event id."""
    head = _HEAD.pack(
        VERSION, zlib.crc32(topic.encode()), cursor.epoch, cursor.offset, cursor.as_of_ms
    )
    payload = head + cursor.event_id.encode()
    return payload + _CRC.pack(zlib.crc32(payload))


def decode_cursor(topic: str, token: bytes) -> Cursor:
    """Parse a cursor of ``topic``.

    Raises:
        InvalidArgument: CURSOR_INVALID when it is cut, altered, of another version or of another
            topic.
    """
    payload, check = token[: -_CRC.size], token[-_CRC.size :]
    if not _HEAD.size <= len(payload) <= _HEAD.size + _MAX_ID_BYTES:
        raise _invalid(topic, "has the wrong size")
    if _CRC.pack(zlib.crc32(payload)) != check:
        raise _invalid(topic, "was cut or altered")
    version, topic_check, epoch, offset, as_of_ms = _HEAD.unpack_from(payload)
    if version != VERSION:
        raise _invalid(topic, f"has version {version}, this hub knows {VERSION}")
    if topic_check != zlib.crc32(topic.encode()):
        raise _invalid(topic, "belongs to another topic")
    try:
        event_id = payload[_HEAD.size :].decode()
    except UnicodeDecodeError as error:
        raise _invalid(topic, "holds no readable event id") from error
    return Cursor(epoch, offset, event_id, as_of_ms)


def _invalid(topic: str, problem: str) -> InvalidArgument:
    return InvalidArgument(
        error_reason_pb2.ERROR_REASON_CURSOR_INVALID,
        f"the cursor {problem}; subscribe without it",
        topic=topic,
    )
