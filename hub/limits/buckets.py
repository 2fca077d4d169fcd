"""Buckets by name: one for each user, topic or address that was seen lately."""

from __future__ import annotations

import math
import time
from typing import TYPE_CHECKING, Final

from hub.limits.bucket import Bucket

if TYPE_CHECKING:
    from collections.abc import Callable

    from hub.limits.bucket import Rate

# Whoever invents names does not make the hub grow: the least recently used ones are forgotten.
MAX_BUCKETS: Final = 20_000


class Buckets:
    """Buckets of one kind.

    Args:
        rate: of each; no limit where its per_second is 0.
        clock: seconds that only rise.
    """

    def __init__(self, rate: Rate, clock: Callable[[], float] = time.monotonic) -> None:
        self._rate = rate
        self._clock = clock
        self._buckets: dict[str, Bucket] = {}

    def __len__(self) -> int:
        return len(self._buckets)

    @property
    def most(self) -> float:
        """Tokens that may be taken at once."""
        return self._rate.burst if self._rate.per_second else math.inf

    def take(self, name: str, count: int = 1) -> float:
        """Take tokens of a name's bucket, all or none: 0.0, or the seconds until they are there."""
        if not self._rate.per_second:
            return 0.0
        now = self._clock()
        # The order of the dict is that of use.
        bucket = self._buckets.pop(name, None)
        if bucket is None:
            bucket = Bucket(self._rate, now)
            if len(self._buckets) >= MAX_BUCKETS:
                del self._buckets[next(iter(self._buckets))]
        self._buckets[name] = bucket
        return bucket.take(now, count)

    def forget(self, name: str) -> None:
        """Nothing more comes under a name."""
        self._buckets.pop(name, None)

    def give_back(self, name: str, count: int = 1) -> None:
        """What the name's last tokens were taken for did not happen."""
        if (bucket := self._buckets.get(name)) is not None:
            bucket.give_back(count)
