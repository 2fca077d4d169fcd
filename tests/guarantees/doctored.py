"""A sound history, and the ways of a hub that breaks its word: each leaves its mark on a copy."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from tests.guarantees.history import (
    Delivery,
    History,
    Log,
    Omitted,
    Outcome,
    Publish,
    Stored,
    Subscriber,
    Told,
)

if TYPE_CHECKING:
    from collections.abc import Callable

TOPIC = "meeting/1"
EPOCH = 77
COUNT = 10
REPEATED = 4  # published again, with the same id
MOVED = 6  # where the mover went from connect to poll


def sound() -> History:
    """Ten events of one client, read by one that stays on its transport and one that moves."""
    publishes = [_published(number) for number in range(1, COUNT + 1)]
    again = replace(
        publishes[REPEATED - 1],
        sequence=COUNT + 1,
        called_at=100.0,
        ended_at=101.0,
        duplicate=True,
    )
    log = Log(
        TOPIC, EPOCH, 0, COUNT, [Stored(number, f"e{number}") for number in range(1, COUNT + 1)]
    )
    return History(
        [*publishes, again],
        {TOPIC: log},
        [_reader("stays", moves=False), _reader("moves", moves=True)],
    )


def _published(number: int) -> Publish:
    return Publish(
        client="writer",
        topic=TOPIC,
        id=f"e{number}",
        sequence=number,
        called_at=float(number),
        outcome=Outcome.STORED,
        offset=number,
        epoch=EPOCH,
        ended_at=number + 0.5,
    )


def _reader(name: str, *, moves: bool) -> Subscriber:
    reader = Subscriber(name, started={TOPIC: 0}, owed={TOPIC: COUNT})
    reader.words.append(Told(TOPIC, "ok", EPOCH, 0, "connect"))
    for number in range(1, COUNT + 1):
        transport = "poll" if moves and number > MOVED else "connect"
        reader.words.append(Delivery(TOPIC, EPOCH, number, f"e{number}", transport))
    return reader


def delivery(number: int, transport: str = "connect") -> Delivery:
    """The delivery of an event of the sound history."""
    return Delivery(TOPIC, EPOCH, number, f"e{number}", transport)


def trimmed(history: History) -> None:
    """Retention took the first three, and the reader, who slept, was told."""
    log = history.logs[TOPIC]
    log.floor = 3
    del log.events[:3]
    for reader in history.subscribers:
        reader.words[1:4] = [Told(TOPIC, "gap", EPOCH, 3, "connect", lost=3)]


def expired(history: History) -> None:
    """Two events were past their time, and the run counted them."""
    history.subscribers[0].words[5:7] = [Omitted(TOPIC, EPOCH, 4, 6, 2)]


def refused(history: History) -> None:
    """A refusal with its reason, of an event that is nowhere."""
    history.publishes.append(
        Publish("writer", TOPIC, "big", 99, outcome=Outcome.REFUSED, reason="EVENT_TOO_LARGE")
    )


def unanswered(history: History) -> None:
    """The deadline passed on an event that the log has all the same."""
    history.publishes[2].outcome = Outcome.UNKNOWN


def reset(history: History) -> None:
    """The log was made anew, and the readers began again in it."""
    for publish in history.publishes:
        publish.epoch = EPOCH + 1
    history.logs[TOPIC].epoch = EPOCH + 1
    for reader in history.subscribers:
        reader.words = [
            *(Told(TOPIC, "ok", EPOCH, 50, "connect"), Told(TOPIC, "reset", EPOCH + 1, 0, "poll")),
            *(replace(event, epoch=EPOCH + 1) for event in reader.deliveries),
        ]


STILL_SOUND: tuple[Callable[[History], None], ...] = (
    *(trimmed, expired, refused, unanswered, reset),
)
