"""G8: CRITICAL goes first, LOW never starves, the order inside a topic is kept."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from tests.guarantees.validators.violation import Violation

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.guarantees.history import History
    from tests.guarantees.observed import Turn

NAME = "G8 prompt"
CRITICAL = 1
# One turn in so many may go to the topic that has waited longest, whatever its priority.
FAIR_SHARE = 8


def prompt(history: History) -> list[Violation]:
    """Judge G8 by the turns of each session."""
    sessions: dict[str, list[Turn]] = {}
    for turn in history.turns:
        sessions.setdefault(turn.session, []).append(turn)
    return [
        violation
        for turns in sessions.values()
        for judged in (_passed_over(turns), _starved(turns), _out_of_order(turns))
        for violation in judged
    ]


def _passed_over(turns: list[Turn]) -> Iterator[Violation]:
    last_exception = -FAIR_SHARE
    for number, turn in enumerate(turns):
        chosen = next(each.priority for each in turn.waiting if each.topic == turn.chosen)
        if not turn.window_open and chosen != CRITICAL:
            words = f"priority {chosen} went into a full window"
            yield Violation(NAME, turn.chosen, turn.session, words)
        urgent = [each.topic for each in turn.waiting if each.priority == CRITICAL]
        if not urgent or chosen == CRITICAL:
            continue
        if number - last_exception < FAIR_SHARE:
            words = f"priority {chosen} went before CRITICAL of {urgent[0]}"
            yield Violation(NAME, turn.chosen, turn.session, words)
        last_exception = number


def _starved(turns: list[Turn]) -> Iterator[Violation]:
    """Each that waits is the longest waiting one after so many fair turns as others wait."""
    passed: Counter[str] = Counter()
    for turn in turns:
        if not turn.window_open:
            continue
        waiting = {each.topic for each in turn.waiting}
        for topic in [topic for topic in passed if topic not in waiting]:
            del passed[topic]
        passed.update(waiting - {turn.chosen})
        passed.pop(turn.chosen, None)
        limit = FAIR_SHARE * (len(waiting) + 1)
        for topic, times in passed.items():
            if times == limit + 1:
                words = f"it was passed over {times} times while {len(waiting)} waited"
                yield Violation(NAME, topic, turn.session, words)


def _out_of_order(turns: list[Turn]) -> Iterator[Violation]:
    through: dict[tuple[str, int], int] = {}
    for turn in turns:
        if turn.after is None:
            continue
        place = (turn.chosen, turn.place)
        if turn.after < through.get(place, 0):
            words = f"a run after {turn.after} was sent behind one through {through[place]}"
            yield Violation(NAME, turn.chosen, turn.session, words)
        through[place] = turn.through
