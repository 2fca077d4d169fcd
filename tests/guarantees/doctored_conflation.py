"""Events that give way to later ones of their key, as they may, and as they may not."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from tests.guarantees.history import Omitted

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.guarantees.history import History, Subscriber

TOPIC = "meeting/1"
EPOCH = 77
KEYED = (3, 4, 5)
# When these were published, by the hub's clock, and when a reader that lags got what is left.
AT_MS = 4_990
LATE_MS = 5_600


def superseded(history: History) -> None:
    """A reader that asked for it lags, and gets the last of three of one key."""
    _give_keys(history)
    reader = history.subscribers[0]
    reader.conflates.add(TOPIC)
    _leave_out(reader, (3, 4), LATE_MS)


def begun_with_a_snapshot(history: History) -> None:
    """A reader that did not ask for it gets the latest of each key up to the head at its start."""
    _give_keys(history)
    reader = history.subscribers[0]
    reader.snapshots[TOPIC] = 5
    _leave_out(reader, (3, 4), AT_MS + 50)


def superseded_by_what_has_ended(history: History) -> None:
    """The one that stood for the others was past its end when its turn came, and was counted."""
    superseded(history)
    event = history.logs[TOPIC].events[4]
    history.logs[TOPIC].events[4] = replace(event, expires_ms=AT_MS + 300)
    reader = history.subscribers[0]
    _leave_out(reader, (3, 4, 5), LATE_MS, expired=1)


def conflates_for_who_did_not_ask(history: History) -> None:
    superseded(history)
    history.subscribers[0].conflates.clear()


def conflates_for_who_keeps_up(history: History) -> None:
    superseded(history)
    _leave_out(history.subscribers[0], (3, 4), AT_MS + 100)


def keeps_the_oldest_of_a_key(history: History) -> None:
    superseded(history)
    _leave_out(history.subscribers[0], (4, 5), LATE_MS)


def leaves_out_what_has_no_key(history: History) -> None:
    superseded(history)
    log = history.logs[TOPIC]
    log.events[3] = replace(log.events[3], key="")


def lets_a_key_give_way_to_another(history: History) -> None:
    superseded(history)
    log = history.logs[TOPIC]
    log.events[3] = replace(log.events[3], key="another")


def conflates_behind_the_snapshot(history: History) -> None:
    """What ends the snapshot gives way to what was published after it."""
    begun_with_a_snapshot(history)
    history.subscribers[0].snapshots[TOPIC] = 4


def _give_keys(history: History) -> None:
    history.hub_clock = 0.0
    log = history.logs[TOPIC]
    for number in KEYED:
        event = log.events[number - 1]
        log.events[number - 1] = replace(event, key="k", published_ms=AT_MS + number)


def _leave_out(
    reader: Subscriber, numbers: tuple[int, ...], as_of_ms: int, expired: int = 0
) -> None:
    """One run of the three, without some of them; in place of what the reader had got there."""
    kept = [
        event
        for event in reader.deliveries
        if event.offset not in KEYED or event.offset not in numbers
    ]
    told = reader.words[0]
    back = {word.offset: word for word in kept}
    run = Omitted(
        *(TOPIC, EPOCH, min(KEYED) - 1, max(KEYED), len(numbers)),
        expired=expired,
        as_of_ms=as_of_ms,
        conflated=len(numbers) - expired,
    )
    for number in set(KEYED) - set(numbers) - back.keys():
        back[number] = replace(reader.deliveries[0], offset=number, id=f"e{number}")
    words = [back[number] for number in sorted(back)]
    before = [word for word in words if word.offset < min(KEYED)]
    reader.words[:] = [told, *before, run, *words[len(before) :]]


CONFLATED: tuple[Callable[[History], None], ...] = (
    conflates_for_who_did_not_ask,
    conflates_for_who_keeps_up,
    keeps_the_oldest_of_a_key,
    leaves_out_what_has_no_key,
    lets_a_key_give_way_to_another,
    conflates_behind_the_snapshot,
)
STILL_SOUND = (superseded, begun_with_a_snapshot, superseded_by_what_has_ended)
