"""Sound receipts, removals and schedules, and the marks of a hub that breaks its word."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from tests.guarantees.history import History, Log, Outcome, Publish, Stored
from tests.guarantees.inbox import DISMISSED, READ, WITHDRAWN, Inbox, Receipt, Said
from tests.guarantees.observed import Handed
from tests.guarantees.removals import Purge, Removal

if TYPE_CHECKING:
    from collections.abc import Callable

USER = "user/ann"
EPOCH = 78
PURGED = 2


def add_removals(history: History) -> None:
    """An inbox with three notifications left of five, and drafts that were for later."""
    history.logs[USER] = Log(
        USER,
        EPOCH,
        PURGED,
        8,
        [
            Stored(3, "n3", 3_000),
            Stored(4, "n4", 4_000, withdrawn=True),
            Stored(5, "r4", 5_000),
            Stored(6, "r3", 6_000),
            Stored(7, "r3-2", 7_000),
            Stored(8, "later", 8_000),
        ],
    )
    history.inbox = Inbox(
        [
            Said(USER, "n4", 4, READ, "phone", 5.1, first=True),
            Said(USER, "n4", 4, DISMISSED, "desk", 5.2, first=False),
            Said(USER, "n3", 3, READ, "phone", 6.1, first=True),
            Said(USER, "n3", 3, DISMISSED, "desk", 7.1, first=True),
            Said(USER, "n9", 9, READ, "desk"),
        ],
        [
            Receipt(USER, 5, "n4", 4, WITHDRAWN, "phone"),
            Receipt(USER, 6, "n3", 3, READ, "phone"),
            Receipt(USER, 7, "n3", 3, DISMISSED, "desk"),
        ],
        {(USER, "n4")},
    )
    history.removed = [Removal(USER, "n4", 5_100)]
    history.purges = [Purge(USER, EPOCH, PURGED)]
    history.handed.insert(-1, Handed("s9", USER, "n4", 4_500))
    later = Publish("", USER, "later", 1, 1.0, Outcome.SCHEDULED, ended_at=1.1, deliver_ms=7_900)
    # Somebody of whose rights nothing was written down; before the repeat, which is the last.
    history.publishes[-1:-1] = [
        later,
        replace(later, id="never", sequence=2, taken_back=True, asked_back=True),
    ]


def _later(history: History) -> Publish:
    return next(each for each in history.publishes if each.id == "later")


def loses_a_receipt(history: History) -> None:
    del history.inbox.receipts[2]


def calls_two_first(history: History) -> None:
    history.inbox.said[1].first = True


def calls_nobody_first(history: History) -> None:
    history.inbox.receipts[0] = replace(history.inbox.receipts[0], device="desk")


def goes_back_to_read(history: History) -> None:
    receipts = history.inbox.receipts
    receipts.append(replace(receipts[1], at=8))


def says_it_twice(history: History) -> None:
    receipts = history.inbox.receipts
    receipts.append(replace(receipts[2], at=8))


def keeps_what_was_acknowledged(history: History) -> None:
    history.inbox.receipts[0] = replace(history.inbox.receipts[0], state=READ)


def says_it_before_it_was(history: History) -> None:
    history.inbox.receipts[1] = replace(history.inbox.receipts[1], at=2)


def keeps_what_was_taken_out(history: History) -> None:
    events = history.logs[USER].events
    events[1] = replace(events[1], withdrawn=False)


def hands_over_what_was_taken_out(history: History) -> None:
    history.handed[-2] = replace(history.handed[-2], at_ms=5_200)


def purges_nothing(history: History) -> None:
    history.logs[USER].floor = PURGED - 1


def loses_a_scheduled_draft(history: History) -> None:
    history.logs[USER].floor = 0
    del history.logs[USER].events[-1]


def loses_one_that_it_did_not_take_back(history: History) -> None:
    loses_a_scheduled_draft(history)
    later = _later(history)
    later.asked_back, later.taken_back = True, False


def stores_what_was_taken_back(history: History) -> None:
    history.logs[USER].events.append(Stored(9, "never", 9_000))


def stores_before_it_is_due(history: History) -> None:
    _later(history).deliver_ms = 8_500


RECEIPTED: dict[str, tuple[Callable[[History], None], ...]] = {
    "E4": (
        loses_a_receipt,
        calls_two_first,
        calls_nobody_first,
        goes_back_to_read,
        says_it_twice,
        keeps_what_was_acknowledged,
        says_it_before_it_was,
    ),
    "E2": (keeps_what_was_taken_out, hands_over_what_was_taken_out, purges_nothing),
}
UNRELEASED = (loses_a_scheduled_draft, loses_one_that_it_did_not_take_back)
RELEASED = (stores_what_was_taken_back, stores_before_it_is_due)
