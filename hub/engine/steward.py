"""What an engine offers to its operators: a look at its topics, and ways to take content out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Sequence

    from hub.engine.contract import TopicHead


@dataclass(frozen=True, slots=True)
class TopicPage:
    """Topics in the order of their names.

    Attributes:
        topics: name and state.
        after: the next page begins behind this name; empty = this is the last one. A page may hold
            less than was asked for, even nothing, and not be the last.
    """

    topics: Sequence[tuple[str, TopicHead]]
    after: str


class Steward(Protocol):
    """Looks into logs and removes from them; every method raises HubError when a shard is away."""

    async def list_topics(self, pattern: str, after: str, limit: int) -> TopicPage:
        """Topics that were ever written and fall under ``pattern`` (empty = all)."""

    async def purge(self, topic: str) -> int:
        """Remove a topic's events up to its head of now; offsets go on, readers are told GAP.

        Returns how many. In bounded parts, which go on when the caller is cancelled. When the
        storage fails or the process dies, the oldest are gone and the purge can be asked for again;
        readers are told even if nothing is left to remove then.
        """

    async def withdraw(
        self, topic: str, event_id: str, offset: int = 0, publisher: str = ""
    ) -> int:
        """Empty the events with this id; offset and id stay.

        Those at that offset (0 = any), by that publisher (empty = whoever published them).

        Returns how many events are meant, those that were withdrawn before included; 0 = none is
        kept.
        """

    async def erase(self, user: str) -> int:
        """Empty all that a user published, and purge the user's own topics.

        Returns how many events were removed. In bounded parts, as ``purge``; asked for again it
        goes on with what is left.
        """
