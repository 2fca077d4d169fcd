"""G9: an event past its end, by the hub's clock, is not delivered, and is counted."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.guarantees.history import Delivery, History, Omitted
from tests.guarantees.validators.violation import Violation

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.guarantees.history import Log, Subscriber

NAME = "G9 fresh"


def fresh(history: History) -> list[Violation]:
    """Judge G9 where events were given to transports, and at the subscribers."""
    found = []
    for event in history.handed:
        if event.expires_ms and event.at_ms >= event.expires_ms:
            late = event.at_ms - event.expires_ms
            words = f"{event.id} was given to the transport {late} ms after its end"
            found.append(Violation(NAME, event.topic, event.session, words))
    for subscriber in history.subscribers:
        found.extend(_received(subscriber))
        for topic, log in history.logs.items():
            found.extend(_counted(subscriber, topic, log))
    return found


def _received(subscriber: Subscriber) -> Iterator[Violation]:
    for event in subscriber.deliveries:
        if event.expires_ms and event.as_of_ms >= event.expires_ms:
            late = event.as_of_ms - event.expires_ms
            words = f"{event.id} was in a frame that was made {late} ms after its end"
            yield Violation(NAME, event.topic, subscriber.name, words)


def _counted(subscriber: Subscriber, topic: str, log: Log) -> Iterator[Violation]:
    """A run calls expired what has an end that is past, and nothing else; all of it."""
    words = [word for word in subscriber.of(topic) if word.epoch == log.epoch]
    seen = {word.id for word in words if isinstance(word, Delivery)}
    for run in words:
        if not isinstance(run, Omitted) or run.count is None or run.after < log.floor:
            continue
        missing = [
            event
            for event in log.events
            if run.after < event.offset <= run.through and event.id not in seen
        ]
        past = sum(0 < event.expires_ms <= run.as_of_ms for event in missing)
        # Of what was taken out nobody knows any more when it would have ended.
        if run.expired > past + sum(event.withdrawn for event in missing):
            said = f"a run of ({run.after}, {run.through}] calls {run.expired} expired"
            yield Violation(NAME, topic, subscriber.name, f"{said}; {past} were")
        elif past > run.count:
            said = f"{past} of ({run.after}, {run.through}] were past their end"
            yield Violation(NAME, topic, subscriber.name, f"{said}, and {run.count} are counted")
