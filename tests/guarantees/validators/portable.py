"""G5: where a reader goes on by another transport, nothing is left out and nothing comes again."""

from __future__ import annotations

from itertools import pairwise

from tests.guarantees.history import Delivery, History, Log, Omitted, Told, Word
from tests.guarantees.validators.violation import Violation


def portable(history: History) -> list[Violation]:
    """Judge G5: at each change of transport, the next event is the log's next event."""
    found: list[Violation] = []
    for subscriber in history.subscribers:
        for topic, log in history.logs.items():
            found.extend(
                Violation("G5 portable", topic, subscriber.name, words)
                for words in _seams(subscriber.of(topic), log)
            )
    return found


def _seams(words: list[Word], log: Log) -> list[str]:
    words = [word for word in words if word.epoch == log.epoch]
    left_out = [(word.after, word.through) for word in words if isinstance(word, Omitted)]
    due = [
        event
        for event in log.events
        if not any(after < event.offset <= through for after, through in left_out)
    ]
    after = {earlier.id: later for earlier, later in pairwise(due)}
    found: list[str] = []
    last: Delivery | None = None
    for word in words:
        if isinstance(word, Omitted) or (isinstance(word, Told) and word.kind != "ok"):
            # What the hub said it leaves out is no seam: G2 and G6 judge it.
            last = None
        elif isinstance(word, Delivery):
            if last is not None and last.transport != word.transport and last.id in after:
                expected = after[last.id]
                if word.id != expected.id:
                    found.append(
                        f"from {last.transport} at {last.offset} to {word.transport}: "
                        f"{expected.offset} was due and {word.offset} came"
                    )
            last = word
    return found
