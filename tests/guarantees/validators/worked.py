"""E1: every event is handed out until its acknowledgement is confirmed, and then never again."""

from __future__ import annotations

from collections import defaultdict
from itertools import pairwise
from typing import TYPE_CHECKING, TypeAlias

from tests.guarantees.validators.violation import Violation

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from tests.guarantees.history import History
    from tests.guarantees.works import Handout, Letter

NAME = "E1 worked"
REJECTED = "REJECTED_BY_MEMBER"
# The hub tells times in milliseconds.
EPSILON = 2e-3

Key: TypeAlias = "tuple[str, str, int, str]"
Events: TypeAlias = "dict[Key, list[Handout]]"


def worked(history: History) -> list[Violation]:
    """Judge E1: members' records against each other and against the log."""
    by_event: Events = defaultdict(list)
    for handout in history.works.handouts:
        key = (handout.work, handout.topic, handout.offset, handout.id)
        by_event[key].append(handout)
    found = [
        Violation(NAME, topic, work, words)
        for (work, topic, *_), handouts in by_event.items()
        for words in _repeats(handouts)
    ]
    found += _buried(history, by_event)
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
    yield from _returns(handouts)


def _returns(handouts: list[Handout]) -> Iterator[str]:
    """What is put back comes again, and not before its delay; what is rejected does not."""
    for before, handout in pairwise(handouts):
        due = before.said_at + before.delay
        if before.returned_at is not None and handout.at < due - EPSILON:
            yield f"{handout.id} came again at {handout.at:.2f}, and was due at {due:.2f}"
    for one in handouts:
        for other in handouts:
            if one.rejected_at is not None and other.at > one.rejected_at:
                yield f"{other.id} came at {other.at:.2f}, rejected at {one.rejected_at:.2f}"


def _buried(history: History, by_event: Events) -> Iterator[Violation]:
    """Letters tell of events that are dead, each once; who is put back for good has one."""
    letters = history.works.letters
    if letters is None:
        return
    seen: set[Key] = set()
    for letter in letters:
        key = (letter.work, letter.topic, letter.offset, letter.id)
        problem = _problem(letter, by_event.get(key, ()), again=key in seen)
        seen.add(key)
        if problem:
            yield Violation(NAME, letter.topic, letter.work, f"the letter of {letter.id} {problem}")
    for key, handouts in by_event.items():
        work, topic, *_ = key
        if key not in seen and (work, topic) in history.works.owed:
            yield from (
                Violation(NAME, topic, work, words) for words in _without_letter(history, handouts)
            )


def _problem(letter: Letter, handouts: Sequence[Handout], *, again: bool) -> str:
    if again:
        return "is there twice"
    if any(one.confirmed_at is not None for one in handouts):
        return "came after its acknowledgement"
    if letter.reason == REJECTED and not any(one.said == "reject" for one in handouts):
        return "calls it rejected, and nobody did"
    return ""


def _without_letter(history: History, handouts: list[Handout]) -> Iterator[str]:
    name, log = handouts[0].id, history.logs.get(handouts[0].topic)
    if any(one.rejected_at is not None for one in handouts):
        yield f"{name} was rejected, and there is no letter of it"
    mortal = log is None or any(e.expires_ms for e in log.events if e.offset == handouts[0].offset)
    if not mortal and not any(one.is_over for one in handouts):
        yield f"{name} is neither done nor dead, and was handed out {len(handouts)} times only"


def _missing(
    history: History, topic: str, owed: int, handed: set[tuple[int, str]]
) -> Iterator[str]:
    log = history.logs.get(topic)
    for event in log.events if log is not None else ():
        # What has an end may have come to it first; that is counted elsewhere.
        if event.offset <= owed and not event.expires_ms and (event.offset, event.id) not in handed:
            yield f"{event.id} at offset {event.offset} was never handed out"
