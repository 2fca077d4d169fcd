"""What conflation may leave out of a stretch of a log, said as simply as it can be said."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable


@dataclass(frozen=True)
class Said:
    """One event of a log; an empty key is none, 0 is no end."""

    offset: int
    key: str = ""
    expires_ms: int = 0
    withdrawn: bool = False

    def ended(self, now_ms: int) -> bool:
        """Whether it is past its end."""
        return 0 < self.expires_ms <= now_ms

    def taken_out(self) -> Said:
        """As it is once it was withdrawn: a place without content."""
        return replace(self, key="", expires_ms=0, withdrawn=True)


@dataclass(frozen=True)
class Account:
    """What becomes of each event of a stretch."""

    delivered: list[int]
    conflated: int
    expired: int
    withdrawn: int

    @property
    def left_out(self) -> int:
        """All that do not come."""
        return self.conflated + self.expired + self.withdrawn


def account(log: Iterable[Said], after: int, through: int, horizon: int, now_ms: int) -> Account:
    """The law: of the events in (after, through], which come, and why the others do not.

    An event gives way to a later one of its key that has not expired, both up to the horizon.
    """
    log = list(log)
    delivered, conflated, expired, withdrawn = [], 0, 0, 0
    for one in log:
        if not after < one.offset <= through:
            continue
        if one.withdrawn:
            withdrawn += 1
        elif one.ended(now_ms):
            expired += 1
        elif one.key and any(
            one.offset < later.offset <= horizon
            and later.key == one.key
            and not later.ended(now_ms)
            for later in log
        ):
            conflated += 1
        else:
            delivered.append(one.offset)
    return Account(delivered, conflated, expired, withdrawn)


def needed(log: Iterable[Said], after: int, horizon: int) -> set[int]:
    """Offsets behind ``after`` that a reader must get, whenever and in whatever pieces it reads.

    What lies behind the horizon, what has no key, and the newest of each key up to the horizon;
    all of them as far as they have no end and were not withdrawn.
    """
    inside = [one for one in log if one.offset > after]
    newest = {one.key: one.offset for one in inside if one.key and one.offset <= horizon}
    return {
        one.offset
        for one in inside
        if not one.withdrawn
        and not one.expires_ms
        and (not one.key or one.offset > horizon or newest[one.key] == one.offset)
    }
