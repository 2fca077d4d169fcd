"""A sound history, and the ways of a hub that breaks its word: each leaves its mark on a copy."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from tests.guarantees.doctored_presence import sound_presence
from tests.guarantees.doctored_removals import add_removals
from tests.guarantees.doctored_rights import sound_rights
from tests.guarantees.doctored_works import sound_works
from tests.guarantees.history import (
    Claim,
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
from tests.guarantees.observed import Handed, Sample, Turn, Waiting, Watch

if TYPE_CHECKING:
    from collections.abc import Callable

TOPIC = "meeting/1"
EPOCH = 77
COUNT = 10
REPEATED = 4  # published again, with the same id
MOVED = 6  # where the mover went from connect to poll
MORTAL = 7  # the one with an end
END_MS = 7_600
BOUND = 1_000  # bytes that a session may hold
HEARTBEAT = 2.0


def sound() -> History:
    """Ten events of one client, read by one that stays on its transport and one that moves.

    Event n is published in second n.
    """
    publishes = [_published(number) for number in range(1, COUNT + 1)]
    again = replace(
        publishes[REPEATED - 1],
        sequence=COUNT + 1,
        called_at=100.0,
        ended_at=101.0,
        duplicate=True,
    )
    log = Log(TOPIC, EPOCH, 0, COUNT, [_stored(number) for number in range(1, COUNT + 1)])
    history = History(
        [*publishes, again],
        {TOPIC: log},
        [_reader("stays", moves=False), _reader("moves", moves=True)],
        samples=_samples(),
        turns=_turns(),
        handed=[*_handed("s1", "stays"), *_handed("s2", "moves")],
        watches=[
            Watch("hub", "stays", HEARTBEAT, 10.0, 15.0, noticed=True, grain=1.0),
            Watch("client", "hub", HEARTBEAT, 10.0, 11.0, noticed=False),
        ],
        presence=sound_presence(),
        works=sound_works(),
        rights=sound_rights(),
    )
    add_removals(history)
    return history


def _handed(session: str, principal: str) -> list[Handed]:
    return [
        Handed(session, TOPIC, f"e{number}", number * 1000 + 10, _end_ms(number), principal)
        for number in range(1, COUNT + 1)
    ]


def _end_ms(number: int) -> int:
    return END_MS if number == MORTAL else 0


def _stored(number: int) -> Stored:
    return Stored(number, f"e{number}", number * 1000, _end_ms(number))


def _samples() -> list[Sample]:
    """Ten seconds of reading, then a stall in which the window fills and nothing grows."""
    reads = [Sample("s1", float(at), 100 + at % 3, 0, BOUND) for at in range(10)]
    stalls = [
        Sample("s1", float(at), min(900, at * 50), 20, BOUND, stall=1) for at in range(10, 40)
    ]
    return reads + stalls


def _turns() -> list[Turn]:
    """A topic of each priority waits; every eighth turn is the longest waiting one's."""
    waiting = (Waiting("meeting/low", 4), Waiting(TOPIC, 1))
    turns = []
    for number in range(1, 33):
        low = number % 8 == 0
        at = number // 8 if low else number
        chosen = "meeting/low" if low else TOPIC
        turns.append(Turn("s1", waiting, chosen, after=at - 1, through=at))
    return turns


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
        reader.words.append(delivery(number, transport))
        # One heartbeat after each event, half a second later.
        reader.claims.append(Claim(number * 1000 + 500, {TOPIC: (EPOCH, number)}))
    return reader


def delivery(number: int, transport: str = "connect") -> Delivery:
    """The delivery of an event of the sound history."""
    return Delivery(
        TOPIC,
        EPOCH,
        number,
        f"e{number}",
        transport,
        as_of_ms=number * 1000 + 10,
        expires_ms=_end_ms(number),
    )


def trimmed(history: History) -> None:
    """Retention took the first three, and the reader, who slept, was told."""
    log = history.logs[TOPIC]
    log.floor = 3
    del log.events[:3]
    for reader in history.subscribers:
        reader.words[1:4] = [Told(TOPIC, "gap", EPOCH, 3, "connect", lost=3)]


def trickles(history: History) -> None:
    """Little is published, so that a stalled reader's window never fills."""
    history.samples[:] = [
        replace(sample, in_flight=10 * number, window=900) if sample.stall else sample
        for number, sample in enumerate(history.samples)
    ]


def expired(history: History) -> None:
    """Two events were past their time, and the run counted them."""
    log = history.logs[TOPIC]
    for number in (5, 6):
        log.events[number - 1] = Stored(number, f"e{number}", number * 1000, number * 1000 + 100)
    run = Omitted(TOPIC, EPOCH, 4, 6, 2, expired=2, as_of_ms=6_200)
    history.subscribers[0].words[5:7] = [run]


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


def file_lost(history: History) -> None:
    """The file went, and what is published again is another event of another log."""
    reset(history)
    log = history.logs[TOPIC]
    log.lost.add(EPOCH)
    for reader in history.subscribers:
        reader.words[1:1] = [delivery(number) for number in range(1, 4)]
    history.publishes.append(replace(_published(2), sequence=99, epoch=EPOCH))


def overdrawn(history: History) -> None:
    """One CRITICAL run into a full window, late in a stall; and a heartbeat that waits."""
    late = len(history.samples) - 3
    for index in range(late, len(history.samples)):
        history.samples[index] = replace(history.samples[index], in_flight=950, parked=40)
    history.turns.append(replace(history.turns[0], window_open=False, after=40, through=41))


STILL_SOUND: tuple[Callable[[History], None], ...] = (
    *(trimmed, expired, refused, unanswered, reset, file_lost, overdrawn, trickles),
)
