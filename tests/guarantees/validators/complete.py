"""G2: a subscriber gets every event after its start, or a run that counts it, or a GAP or RESET."""

from __future__ import annotations

from tests.guarantees.history import Delivery, History, Log, Omitted, Subscriber, Told, Word
from tests.guarantees.validators.violation import Violation


def complete(history: History) -> list[Violation]:
    """Judge G2 for every subscriber, from where it asked to begin to where it had time to read."""
    found = []
    for subscriber in history.subscribers:
        for topic, owed in subscriber.owed.items():
            log = history.logs.get(topic)
            if log is None:
                continue
            missing = _missing(subscriber, log, owed)
            if missing:
                words = f"{len(missing)} never came and were not accounted for: {_few(missing)}"
                found.append(Violation("G2 complete", topic, subscriber.name, words))
    return found


def _missing(subscriber: Subscriber, log: Log, owed: int) -> list[str]:
    words = subscriber.of(log.topic)
    start = _start(words, log, subscriber.started.get(log.topic), owed)
    seen = {word.id for word in words if isinstance(word, Delivery) and word.epoch == log.epoch}
    excused = _excused(words, log.epoch, start)
    return [
        f"{event.id} at {event.offset}"
        for event in log.events
        if max(start, log.floor) < event.offset <= owed
        and event.id not in seen
        and not any(after < event.offset <= through for after, through in excused)
    ]


def _start(words: list[Word], log: Log, asked: int | None, owed: int) -> int:
    told = [word for word in words if isinstance(word, Told)]
    resets = [word for word in told if word.kind == "reset" and word.epoch == log.epoch]
    if resets:
        # Another log, another numbering: what was asked for in the old one says nothing.
        return resets[0].position
    if asked is not None:
        return asked
    return told[0].position if told else owed


def _excused(words: list[Word], epoch: int, start: int) -> list[tuple[int, int]]:
    """Stretches of the log that the hub said it leaves out."""
    stretches, position = [], start
    for word in words:
        if word.epoch != epoch:
            continue
        match word:
            case Delivery():
                position = max(position, word.offset)
            case Omitted():
                stretches.append((word.after, word.through))
                position = max(position, word.through)
            case Told(kind="gap"):
                stretches.append((position, word.position))
                position = max(position, word.position)
            case _:
                pass
    return stretches


def _few(names: list[str]) -> str:
    return ", ".join(names[:5]) + (", ..." if len(names) > 5 else "")
