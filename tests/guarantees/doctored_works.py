"""A sound record of a work subscription, and the marks of a hub that breaks E1."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from tests.guarantees.works import Handout, Letter, Works

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.guarantees.history import History

TOPIC = "meeting/1"
WORK = "analyse"


def sound_works() -> Works:
    """Two members: events are acknowledged, put back, lost with their member, and rejected."""
    handouts = [
        Handout(WORK, TOPIC, 1, "e1", 1, "ann", 1.0, 1.5, said="ack"),
        replace(
            Handout(WORK, TOPIC, 2, "e2", 1, "ann", 2.0, said="nack"),
            said_at=2.2,
            delay=0.5,
            returned_at=2.4,
        ),
        Handout(WORK, TOPIC, 3, "e3", 1, "bob", 2.0),
        Handout(WORK, TOPIC, 2, "e2", 2, "bob", 3.0, 3.1, said="ack"),
        Handout(WORK, TOPIC, 4, "e4", 1, "bob", 4.0, said="reject", said_at=4.1, rejected_at=4.2),
        Handout(WORK, TOPIC, 3, "e3", 2, "ann", 9.0, 9.5, said="ack"),
    ]
    letters = [Letter(WORK, TOPIC, 4, "e4", 1, "REJECTED_BY_MEMBER")]
    return Works(handouts, {(WORK, TOPIC): 4}, letters)


def hands_out_what_was_confirmed(history: History) -> None:
    handouts = history.works.handouts
    handouts.append(replace(handouts[0], attempt=2, member="bob", at=1.6, confirmed_at=None))


def confirms_to_two(history: History) -> None:
    history.works.handouts[1].confirmed_at = 4.0


def counts_no_attempt(history: History) -> None:
    history.works.handouts[3].attempt = 1


def never_hands_one_out(history: History) -> None:
    del history.works.handouts[0]


def hands_out_before_the_delay(history: History) -> None:
    history.works.handouts[3].at = 2.5


def forgets_what_was_put_back(history: History) -> None:
    del history.works.handouts[3]


def hands_out_what_was_rejected(history: History) -> None:
    handouts = history.works.handouts
    handouts.append(replace(handouts[4], attempt=2, at=5.0, said="", rejected_at=None))


def loses_a_letter(history: History) -> None:
    history.works.letters = []


def _letters(history: History) -> list[Letter]:
    assert history.works.letters is not None
    return history.works.letters


def buries_twice(history: History) -> None:
    _letters(history).append(_letters(history)[0])


def buries_what_was_done(history: History) -> None:
    _letters(history).append(Letter(WORK, TOPIC, 1, "e1", 4, "ATTEMPTS_EXHAUSTED"))


def rejects_by_itself(history: History) -> None:
    _letters(history).append(Letter(WORK, TOPIC, 5, "e5", 1, "REJECTED_BY_MEMBER"))


WORKED: dict[str, tuple[Callable[[History], None], ...]] = {
    "E1": (
        hands_out_what_was_confirmed,
        confirms_to_two,
        counts_no_attempt,
        never_hands_one_out,
        hands_out_before_the_delay,
        forgets_what_was_put_back,
        hands_out_what_was_rejected,
        loses_a_letter,
        buries_twice,
        buries_what_was_done,
        rejects_by_itself,
    ),
}
