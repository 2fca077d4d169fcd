"""E2: what was taken out on purpose is gone: from the log at once, and from every transport."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.guarantees.validators.violation import Violation

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.guarantees.history import History

NAME = "E2 removed"


def removed(history: History) -> list[Violation]:
    """Judge deletions, withdrawals, erasures and purges that the hub said are done."""
    return [*_kept(history), *_handed_over(history), *_unpurged(history)]


def _kept(history: History) -> Iterator[Violation]:
    there = {
        (log.topic, event.id)
        for log in history.logs.values()
        for event in log.events
        if not event.withdrawn
    }
    for one in history.removed:
        log = history.logs.get(one.topic)
        if (one.topic, one.id) in there and log is not None and not log.lost:
            yield Violation(NAME, one.topic, "", f"{one.id} was taken out, and the log has it")


def _handed_over(history: History) -> Iterator[Violation]:
    """What a poll answers was read a little before it is given to the transport."""
    done = {(one.topic, one.id): one.done_ms for one in history.removed}
    lost = {log.topic for log in history.logs.values() if log.lost}
    for event in history.handed:
        gone_ms = done.get((event.topic, event.id))
        if gone_ms is None or event.topic in lost or event.session.startswith("poll"):
            continue
        if event.at_ms > gone_ms:
            words = f"{event.id} was handed over {event.at_ms - gone_ms} ms after it was taken out"
            yield Violation(NAME, event.topic, event.session, words)


def _unpurged(history: History) -> Iterator[Violation]:
    for purge in history.purges:
        log = history.logs.get(purge.topic)
        if log is not None and log.epoch == purge.epoch and log.floor < purge.through:
            words = f"it was purged through {purge.through}, and its floor is {log.floor}"
            yield Violation(NAME, purge.topic, "", words)
