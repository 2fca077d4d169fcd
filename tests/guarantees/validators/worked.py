"""E1: every event is handed out until its acknowledgement is confirmed, and then never again."""

from __future__ import annotations

from collections import defaultdict
from itertools import pairwise
from typing import TYPE_CHECKING

from tests.guarantees.validators.violation import Violation

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.guarantees.history import History
    from tests.guarantees.works import Handout

NAME = "E1 worked"


def worked(history: History) -> list[Violation]:
    """Judge E1: members' records against each other and against the log."""
    by_event: dict[tuple[str, str, int, str], list[Handout]] = defaultdict(list)
    for handout in history.works.handouts:
        key = (handout.work, handout.topic, handout.offset, handout.id)
        by_event[key].append(handout)
    found = [
        Violation(NAME, topic, work, words)
        for (work, topic, *_), handouts in by_event.items()
        for words in _repeats(handouts)
    ]
    for (work, topic), owed in history.works.owed.items():
        handed = {(offset, id_) for w, t, offset, id_ in by_event if (w, t) == (work, topic)}
        found += [
            Violation(NAME, topic, work, words) for words in _missing(history, topic, owed, handed)
        ]
    return found


def _repeats(handouts: list[Handout]) -> Iterator[str]:
    for before, handout in pairwise(handouts):
        if handout.attempt <= before.attempt:
            yield (
                f"{handout.id} was handed to {handout.member} as attempt {handout.attempt} "
                f"behind attempt {before.attempt}"
            )
    confirmed = [one for one in handouts if one.confirmed_at is not None]
    for one in confirmed:
        assert one.confirmed_at is not None
        for other in handouts:
            if other.at > one.confirmed_at:
                yield (
                    f"{other.id} was handed to {other.member} at {other.at:.2f}, and its "
                    f"acknowledgement was confirmed at {one.confirmed_at:.2f}"
                )
    if len(confirmed) > 1:
        yield f"{handouts[0].id} was confirmed to {len(confirmed)} holders"


def _missing(
    history: History, topic: str, owed: int, handed: set[tuple[int, str]]
) -> Iterator[str]:
    log = history.logs.get(topic)
    for event in log.events if log is not None else ():
        # What has an end may have come to it first; that is counted elsewhere.
        if event.offset <= owed and not event.expires_ms and (event.offset, event.id) not in handed:
            yield f"{event.id} at offset {event.offset} was never handed out"
