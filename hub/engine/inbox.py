"""What an engine promises about receipts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Sequence

    from hub.engine.contract import AppendResult
    from hub.model.receipts import Mark


class Inbox(Protocol):
    """Stores receipts beside the events that they are about."""

    async def mark(self, marks: Sequence[Mark], now_ms: int) -> list[AppendResult]:
        """Store receipts; one result each, in order, durable when this answers.

        The event must be in the topic (EVENT_UNKNOWN); where a mark means several, each gets a
        receipt, and the result is that of a new one, if any. A state that the event has reached or
        passed stores nothing and is ``duplicate``, for as long as the receipt is in the log.
        WITHDRAWN empties the event in the same transaction. Never raises for one mark's sake.
        """
