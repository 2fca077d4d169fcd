"""G6: trimmed, expired, conflated, reset, refused: always told, and what is told is true."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.guarantees.history import Delivery, History, Omitted, Outcome, Subscriber, Told
from tests.guarantees.validators.conflated import conflated
from tests.guarantees.validators.violation import Violation

if TYPE_CHECKING:
    from collections.abc import Iterator

NAME = "G6 honest"


def honest(history: History) -> list[Violation]:
    """Judge G6: outcomes of publishes, counts of what was left out, and verdicts."""
    found = [*_outcomes(history), *_repeats(history), *_schedules(history)]
    for subscriber in history.subscribers:
        found.extend(_counts(history, subscriber))
        found.extend(_epochs(history, subscriber))
        found.extend(conflated(history, subscriber))
    return found


def _outcomes(history: History) -> Iterator[Violation]:
    """Every publish ends with a word, and a refusal is a refusal."""
    stored = {(log.topic, event.id) for log in history.logs.values() for event in log.events}
    accepted = {(publish.topic, publish.id) for publish in history.acknowledged}
    for publish in history.publishes:
        if publish.outcome is Outcome.PENDING:
            words = f"nobody ever said what became of {publish.id}"
            yield Violation(NAME, publish.topic, publish.client, words)
        elif publish.outcome is Outcome.REFUSED:
            name = (publish.topic, publish.id)
            if not publish.reason:
                words = f"{publish.id} was refused without a reason"
                yield Violation(NAME, publish.topic, publish.client, words)
            if name in stored and name not in accepted:
                words = f"{publish.id} was refused ({publish.reason}), and the log has it"
                yield Violation(NAME, publish.topic, publish.client, words)


def _schedules(history: History) -> Iterator[Violation]:
    """Nothing is stored before it is due, nor when it was taken back."""
    for publish in history.publishes:
        log = history.logs.get(publish.topic)
        if not publish.deliver_ms or log is None:
            continue
        for event in log.events:
            if event.id != publish.id:
                continue
            if publish.taken_back and not log.lost:
                words = f"{publish.id} was taken back, and the log has it"
                yield Violation(NAME, publish.topic, publish.client, words)
            if 0 < event.published_ms < publish.deliver_ms:
                early = publish.deliver_ms - event.published_ms
                words = f"{publish.id} was stored {early} ms before it was due"
                yield Violation(NAME, publish.topic, publish.client, words)


def _repeats(history: History) -> Iterator[Violation]:
    """An id that was acknowledged before the call began can only be a duplicate."""
    ended: dict[tuple[str, str, str, int], float] = {}
    for publish in sorted(history.acknowledged, key=lambda publish: publish.called_at):
        key = (publish.client, publish.topic, publish.id, publish.epoch)
        before = ended.get(key)
        if before is not None and before < publish.called_at and not publish.duplicate:
            words = f"{publish.id} was stored already, and the repeat was called new"
            yield Violation(NAME, publish.topic, publish.client, words)
        if publish.ended_at is not None:
            ended[key] = min(publish.ended_at, before or publish.ended_at)


def _counts(history: History, subscriber: Subscriber) -> Iterator[Violation]:
    """A run counts exactly what it leaves out."""
    seen = {(event.topic, event.epoch, event.id) for event in subscriber.deliveries}
    for run in subscriber.words:
        log = history.logs.get(run.topic)
        if not isinstance(run, Omitted) or run.count is None or log is None:
            continue
        if run.epoch != log.epoch or run.after < log.floor:
            continue
        missing = sum(
            run.after < event.offset <= run.through and (run.topic, run.epoch, event.id) not in seen
            for event in log.events
        )
        if missing != run.count:
            words = (
                f"a run of ({run.after}, {run.through}] counts {run.count} left out; "
                f"{missing} are missing"
            )
            yield Violation(NAME, run.topic, subscriber.name, words)


def _epochs(history: History, subscriber: Subscriber) -> Iterator[Violation]:
    """Another log begins with RESET; GAP names at least what is lost; a log is no live topic."""
    current: dict[str, int] = {}
    position: dict[str, int] = {}
    for word in subscriber.words:
        topic, known = word.topic, current.get(word.topic)
        if known is not None and word.epoch != known and not _is_reset(word):
            words = f"epoch {word.epoch} follows {known} without a RESET"
            yield Violation(NAME, topic, subscriber.name, words)
        if word.epoch != known:
            position.pop(topic, None)
        current[topic] = word.epoch
        if isinstance(word, Told):
            problem = _problem(history, word, position.get(topic))
            if problem:
                yield Violation(NAME, topic, subscriber.name, problem)
            position[topic] = max(position.get(topic, 0), word.position)
        else:
            through = word.offset if isinstance(word, Delivery) else word.through
            position[topic] = max(position.get(topic, 0), through)


def _is_reset(word: object) -> bool:
    return isinstance(word, Told) and word.kind == "reset"


def _problem(history: History, told: Told, position: int | None) -> str:
    if told.kind == "live" and told.topic in history.logs:
        return "the topic has a log, and the hub called it LIVE"
    if told.kind == "gap" and told.lost is not None and position is not None:
        lost = told.position - position
        if lost > told.lost:
            return f"GAP names at most {told.lost} lost, and {lost} offsets were left out"
    return ""
