"""G1: every event that was acknowledged or handed over is in the log, at its offset and epoch."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.guarantees.history import Outcome
from tests.guarantees.validators.violation import Violation

if TYPE_CHECKING:
    from tests.guarantees.history import History, Log, Publish


def durable(history: History) -> list[Violation]:
    """Judge G1; what retention trimmed, or went with a lost file, is not missed."""
    by_offset = {
        topic: {event.offset: event.id for event in log.events}
        for topic, log in history.logs.items()
    }
    found = []
    for publish in history.acknowledged:
        log = history.logs.get(publish.topic)
        problem = _problem(publish, log, by_offset.get(publish.topic, {}))
        if problem:
            found.append(Violation("G1 durable", publish.topic, publish.client, problem))
    return found + _unreleased(history) + _vanished(history, by_offset)


def _unreleased(history: History) -> list[Violation]:
    """What was scheduled, and not taken back, is in the log: all of it was due before the end."""
    found = []
    for publish in history.publishes:
        log = history.logs.get(publish.topic)
        if publish.outcome is not Outcome.SCHEDULED or log is None or log.lost or log.floor:
            continue
        mine = publish.taken_back is False or not publish.asked_back
        if mine and all(event.id != publish.id for event in log.events):
            words = f"{publish.id} was scheduled, and never stored"
            found.append(Violation("G1 durable", publish.topic, publish.client, words))
    return found


def _vanished(history: History, by_offset: dict[str, dict[int, str]]) -> list[Violation]:
    """What a subscriber was given before it was safe, and the log then lost."""
    found = []
    for subscriber in history.subscribers:
        for event in subscriber.deliveries:
            log = history.logs.get(event.topic)
            if log is None or event.epoch != log.epoch or event.offset <= log.floor:
                continue
            if by_offset[event.topic].get(event.offset) != event.id:
                words = f"{event.id} was handed over at {event.offset}, and the log has it not"
                found.append(Violation("G1 durable", event.topic, subscriber.name, words))
    return found


def _problem(publish: Publish, log: Log | None, stored: dict[int, str]) -> str:
    receipt = f"{publish.id} was acknowledged at offset {publish.offset}"
    if log is None:
        return f"{receipt}, and the topic has no log"
    if publish.epoch in log.lost:
        return ""
    if publish.epoch != log.epoch:
        return f"{receipt} of epoch {publish.epoch}, and the log's epoch is {log.epoch}"
    if publish.offset <= log.floor:
        return ""
    there = stored.get(publish.offset)
    if there is None:
        return f"{receipt}, and nothing is there: lost"
    if there != publish.id:
        return f"{receipt}, and {there} is there"
    return ""
