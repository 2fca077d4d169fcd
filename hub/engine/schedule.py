"""What an engine promises about drafts that are to be delivered later."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Sequence

    from hub.engine.contract import AppendResult
    from hub.model.events import Append


@dataclass(frozen=True, slots=True)
class ScheduledDraft:
    """A draft with its time.

    Attributes:
        append: as it will be stored; its body has no ``published_at`` yet, and ``published_ms`` is
            the time of acceptance.
        deliver_ms: not before this time, milliseconds since the epoch.
    """

    append: Append
    deliver_ms: int


@dataclass(frozen=True, slots=True)
class Scheduled:
    """A draft waits durably for its time: since now, or (``duplicate``) since an earlier call."""

    duplicate: bool = False


class Schedule(Protocol):
    """Keeps drafts until they are due, then stores them like any other."""

    async def schedule(self, drafts: Sequence[ScheduledDraft]) -> list[AppendResult | Scheduled]:
        """Keep drafts, durable when this answers; one result each, in order.

        A draft has no offset before it is due. One that waits already is Scheduled as duplicate;
        one that was released is Stored as duplicate, with its offset. Never raises for one draft's
        sake.
        """

    async def cancel(self, topic: str, publisher: str, event_id: str) -> bool:
        """Take a waiting draft back; False when none waits: released, cancelled or never there.

        Raises:
            HubError: the shard is away.
        """
