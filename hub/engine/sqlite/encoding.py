"""The bytes of an event as readers get them, and integers as SQLite keeps them."""

from __future__ import annotations

_OFFSET_TAG = b"\x10"  # field 2 of Event, varint
_TOP_BIT = 1 << 63


def complete_event(body: bytes, offset: int) -> bytes:
    """Add the offset to a serialized Event that lacks it.

    Fields may come in any order, so it goes last.
    """
    encoded = bytearray(body)
    encoded += _OFFSET_TAG
    while offset > 0x7F:
        encoded.append(offset & 0x7F | 0x80)
        offset >>= 7
    encoded.append(offset)
    return bytes(encoded)


def to_signed(value: int) -> int:
    """An unsigned 64-bit number as the signed one of the same bits, as SQLite takes it."""
    return value - (_TOP_BIT << 1) if value >= _TOP_BIT else value


def to_unsigned(value: int) -> int:
    """The inverse of ``to_signed``."""
    return value + (_TOP_BIT << 1) if value < 0 else value
