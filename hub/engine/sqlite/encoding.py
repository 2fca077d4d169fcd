"""Integers as SQLite keeps them."""

from __future__ import annotations

_TOP_BIT = 1 << 63


def to_signed(value: int) -> int:
    """An unsigned 64-bit number as the signed one of the same bits, as SQLite takes it."""
    return value - (_TOP_BIT << 1) if value >= _TOP_BIT else value


def to_unsigned(value: int) -> int:
    """The inverse of ``to_signed``."""
    return value + (_TOP_BIT << 1) if value < 0 else value
