"""What the hub says about a subscription's place in the log."""

from __future__ import annotations

from dataclasses import dataclass, replace
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


_BY_WEIGHT = (VerdictKind.OK, VerdictKind.LIVE, VerdictKind.GAP, VerdictKind.RESET)


def verdicts_joined(first: Verdict, then: Verdict) -> Verdict:
    """One verdict for two that nobody has read: the graver one, with all that was lost."""
    kind = max(first.kind, then.kind, key=_BY_WEIGHT.index)
    lost = None
    if kind is VerdictKind.GAP:
        losses = [one.lost for one in (first, then) if one.kind is kind]
        known = [lost for lost in losses if lost is not None]
        lost = sum(known) if len(known) == len(losses) else None
    return replace(then, kind=kind, resumed=first.resumed, lost=lost)


def left_out_joined(first: LeftOut, then: LeftOut) -> LeftOut:
    """One range for two, the second behind the first."""
    return replace(
        first,
        through_offset=then.through_offset,
        conflated=first.conflated + then.conflated,
        expired=first.expired + then.expired,
        withdrawn=first.withdrawn + then.withdrawn,
    )


OnVerdict: TypeAlias = "Callable[[Verdict], None]"
OnLeftOut: TypeAlias = "Callable[[LeftOut], None]"
