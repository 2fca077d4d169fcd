"""Protobuf encoding by hand, for the few messages whose bytes are shared or concatenated.

A message's serialized fields may be concatenated in any order (protobuf encoding guide, "Message
Structure"), so an event is serialized once and its bytes are reused in the log, the ring and every
frame. Tags are ``field << 3 | wire type``; the tests compare each function with the generated code.
"""

from __future__ import annotations

import struct

# A ServerFrame with runs begins with one: field 1, and they are concatenated first.
RUNS_TAG = b"\x0a"
_FIXED64 = struct.Struct("<Q")


def varint(value: int) -> bytes:
    """Base-128 varint of a non-negative integer."""
    if value < 0x80:
        return bytes((value,))
    out = bytearray()
    while value >= 0x80:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)


def delimited(tag: int, payload: bytes) -> bytes:
    """A length-delimited field (wire type 2) with a one-byte tag."""
    return bytes((tag,)) + varint(len(payload)) + payload


def event_data(body: bytes, offset: int) -> bytes:
    """A complete Event: its fields without the offset, then field 2, offset."""
    return body + b"\x10" + varint(offset) if offset else body


def published_at(time_ms: int) -> bytes:
    """Field 4 of an Event, published_at; to be joined to a body that lacks it."""
    seconds, ms = divmod(time_ms, 1000)
    stamp = b"\x08" + varint(seconds)
    if ms:
        stamp += b"\x10" + varint(ms * 1_000_000)
    return delimited(0x22, stamp)


def framed_event(data: bytes) -> bytes:
    """One entry of TopicRun.events (field 5); nothing for an event that was withdrawn."""
    if not data:
        return b""
    return b"\x2a" + varint(len(data)) + data


class RunHeader:
    """Encodes the runs of one topic and epoch; the constant fields are encoded once."""

    __slots__ = ("_head",)

    def __init__(self, topic: str, epoch: int) -> None:
        self._head = delimited(0x0A, topic.encode()) + (
            b"\x11" + _FIXED64.pack(epoch) if epoch else b""
        )

    def frame(
        self,
        *,
        after: int,
        through: int,
        events: bytes,
        cursor: bytes = b"",
        conflated: int = 0,
        expired: int = 0,
        withdrawn: int = 0,
    ) -> bytes:
        """A serialized ServerFrame with one run.

        Args:
            after: the run begins after this offset.
            through: the run ends with this offset.
            events: concatenated ``framed_event`` entries.
            cursor: resume token of ``through``.
            conflated: events left out for a later one of their key.
            expired: events left out since they had expired.
            withdrawn: events left out since they were withdrawn.
        """
        parts = [self._head]
        if after:
            parts.append(b"\x18" + varint(after))
        if through:
            parts.append(b"\x20" + varint(through))
        parts.append(events)
        if cursor:
            parts.append(delimited(0x32, cursor))
        if conflated:
            parts.append(b"\x38" + varint(conflated))
        if expired:
            parts.append(b"\x40" + varint(expired))
        if withdrawn:
            parts.append(b"\x48" + varint(withdrawn))
        return delimited(0x0A, b"".join(parts))
