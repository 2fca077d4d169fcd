"""What an engine promises about receipts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from hub.engine.contract import AppendResult, Stored

if TYPE_CHECKING:
    from collections.abc import Sequence

    from hub.model.receipts import Mark


@dataclass(frozen=True, slots=True)
class Noted(Stored):
    """A receipt is durably in the log: now, or (``duplicate``) since it was said before.

    Attributes:
        first: it is the caller's own: of the same user, and of the same named device unless it is
            stored now.
    """

    first: bool = False


MarkResult = AppendResult


class Inbox(Protocol):
    """Stores receipts beside the events that they are about, or in the topic that the mark names.

    Never raises for one mark's sake.
    """

    async def mark(self, marks: Sequence[Mark]) -> list[MarkResult]:
        """Store receipts; one result each, in order, durable when this answers; Noted where it is.

        The event must be in its topic (EVENT_UNKNOWN); where a mark means several, each gets a
        receipt, and the result is that of a new one, if any. A state that the event has reached or
        passed stores nothing and is ``duplicate``, for as long as the receipt is in the log.
        WITHDRAWN empties the event in the same transaction; so does the first word about an event
        beside its receipt that is ``until_acknowledged``, and the receipt then says WITHDRAWN. Of
        receipts about events elsewhere a topic holds a bounded number (RECEIPT_LIMIT).
        """
