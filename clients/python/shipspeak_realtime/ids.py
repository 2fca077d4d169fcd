"""Ids of drafts: UUID version 7 (RFC 9562, section 5.7).

They sort by the time of their making, so a publisher's own log is in order, and the hub's memory
of ids stays local.
"""

from __future__ import annotations

import secrets
import time
import uuid
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

_VERSION = 0x7
_VARIANT = 0b10
_RANDOM_BITS = 74
_COUNTER_LIMIT = 1 << _RANDOM_BITS


class IdFactory:
    """Makes UUIDv7 that rise strictly within this factory.

    Within one millisecond the 74 random bits are counted up instead of drawn anew (RFC 9562,
    section 6.2, method 2); when the wall clock steps back, the last millisecond goes on.

    Args:
        now: wall-clock seconds since 1970.
        randbits: gives that many random bits; must be unpredictable, since ids may be shown to
            others.
    """

    def __init__(
        self,
        now: Callable[[], float] = time.time,
        randbits: Callable[[int], int] = secrets.randbits,
    ) -> None:
        self._now = now
        self._randbits = randbits
        self._millis = -1
        self._tail = 0

    def __call__(self) -> str:
        """A new id, 36 characters."""
        millis = int(self._now() * 1000)
        if millis > self._millis:
            self._millis, self._tail = millis, self._randbits(_RANDOM_BITS)
        else:
            self._tail += 1 + self._randbits(32)
            if self._tail >= _COUNTER_LIMIT:
                self._millis, self._tail = self._millis + 1, self._randbits(_RANDOM_BITS - 1)
        return str(uuid.UUID(int=_layout(self._millis, self._tail)))


def _layout(millis: int, tail: int) -> int:
    """Unix time in ms (48 bits), version (4), rand_a (12), variant (2), rand_b (62)."""
    rand_a, rand_b = tail >> 62, tail & ((1 << 62) - 1)
    return millis << 80 | _VERSION << 76 | rand_a << 64 | _VARIANT << 62 | rand_b
