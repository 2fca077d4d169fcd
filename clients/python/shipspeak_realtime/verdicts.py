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


OnVerdict: TypeAlias = "Callable[[Verdict], None]"
