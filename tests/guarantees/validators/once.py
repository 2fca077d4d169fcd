"""G4: an event is handed over once, stored once, and its id names one offset everywhere."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.guarantees.history import Delivery, History, Outcome
from tests.guarantees.validators.violation import Violation

if TYPE_CHECKING:
    from collections.abc import Iterator

NAME = "G4 once"


def once(history: History) -> list[Violation]:
    """Judge G4 at every subscriber, in the logs and among the receipts of repeated ids."""
    return [*_handed_over(history), *_stored(history), *_one_offset(history)]


def _handed_over(history: History) -> Iterator[Violation]:
    for subscriber in history.subscribers:
        ids: dict[tuple[str, str], int] = {}
        places: set[tuple[str, int, int]] = set()
        for event in subscriber.deliveries:
            place = (event.topic, event.epoch, event.offset)
            first = ids.get((event.topic, event.id))
            if first is not None and (first == event.epoch or first not in _lost(history, event)):
                words = f"{event.id} was handed over twice"
                yield Violation(NAME, event.topic, subscriber.name, words)
            elif place in places:
                words = f"two events were handed over at offset {event.offset}"
                yield Violation(NAME, event.topic, subscriber.name, words)
            ids[event.topic, event.id] = event.epoch
            places.add(place)


def _lost(history: History, event: Delivery) -> set[int]:
    """Logs that went with their file: what is published again then is another event."""
    log = history.logs.get(event.topic)
    return log.lost if log else set()


def _stored(history: History) -> Iterator[Violation]:
    for log in history.logs.values():
        seen: set[str] = set()
        for event in log.events:
            if event.id in seen:
                yield Violation(NAME, log.topic, "", f"{event.id} is stored twice")
            seen.add(event.id)


def _one_offset(history: History) -> Iterator[Violation]:
    known: dict[tuple[str, int, str], tuple[int, str]] = {}
    for topic, epoch, offset, name, who in _sightings(history):
        first, source = known.setdefault((topic, epoch, name), (offset, who))
        if offset != first:
            words = f"{name} has offset {first} for {source} and offset {offset} here"
            yield Violation(NAME, topic, who, words)


def _sightings(history: History) -> Iterator[tuple[str, int, int, str, str]]:
    for publish in history.publishes:
        if publish.outcome is Outcome.STORED:
            yield publish.topic, publish.epoch, publish.offset, publish.id, publish.client
    for subscriber in history.subscribers:
        for event in subscriber.deliveries:
            yield event.topic, event.epoch, event.offset, event.id, subscriber.name
