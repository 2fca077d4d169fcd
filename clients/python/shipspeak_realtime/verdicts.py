"""What the hub says about a subscription's place in the log."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime
    from typing import TypeAlias


class VerdictKind(Enum):
    """The outcome of a start or a resume."""

    OK = "ok"
    GAP = "gap"
    RESET = "reset"
    LIVE = "live"


@dataclass(frozen=True, slots=True)
class Verdict:
    """One verdict.

    Attributes:
        topic: the subscription's.
        kind: OK nothing is missing; GAP history was trimmed, or a topic without history has run
            ahead of this reader; RESET another log, reload state; LIVE
            the topic keeps no history, so what came while disconnected is gone.
        resumed: False for the first answer of a subscription.
        lost: events lost at most, for GAP; None = not known, or none.
        head: the topic's head at that moment.
        oldest_at: when the oldest event still kept was published; None = none is kept.
    """

    topic: str
    kind: VerdictKind
    resumed: bool
    lost: int | None
    head: int
    oldest_at: datetime | None


@dataclass(frozen=True, slots=True)
class LeftOut:
    """Events that the hub counted in place of delivering them, all with offsets in one range.

    Attributes:
        topic: the subscription's.
        after_offset: where the range begins, exclusive.
        through_offset: where it ends, inclusive; events that were delivered may lie in it too.
        conflated: left out for newer ones of the same key.
        expired: their time was over.
        withdrawn: deleted or taken back.
    """

    topic: str
    after_offset: int
    through_offset: int
    conflated: int
    expired: int
    withdrawn: int


OnVerdict: TypeAlias = "Callable[[Verdict], None]"
OnLeftOut: TypeAlias = "Callable[[LeftOut], None]"
