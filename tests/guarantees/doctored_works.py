"""A sound record of a work subscription, and the marks of a hub that breaks E1."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from tests.guarantees.works import Handout, Works

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.guarantees.history import History

TOPIC = "meeting/1"
WORK = "analyse"


def sound_works() -> Works:
    """Two members: one event is acknowledged, one put back, one lost with its member."""
    handouts = [
        Handout(WORK, TOPIC, 1, "e1", 1, "ann", 1.0, 1.5),
        Handout(WORK, TOPIC, 2, "e2", 1, "ann", 2.0),
        Handout(WORK, TOPIC, 3, "e3", 1, "bob", 2.0),
        Handout(WORK, TOPIC, 2, "e2", 2, "bob", 3.0, 3.1),
        Handout(WORK, TOPIC, 3, "e3", 2, "ann", 9.0, 9.5),
    ]
    return Works(handouts, {(WORK, TOPIC): 3})


def hands_out_what_was_confirmed(history: History) -> None:
    handouts = history.works.handouts
    handouts.append(replace(handouts[0], attempt=2, member="bob", at=1.6, confirmed_at=None))


def confirms_to_two(history: History) -> None:
    history.works.handouts[1].confirmed_at = 4.0


def counts_no_attempt(history: History) -> None:
    history.works.handouts[3].attempt = 1


def never_hands_one_out(history: History) -> None:
    del history.works.handouts[0]


WORKED: dict[str, tuple[Callable[[History], None], ...]] = {
    "E1": (
        hands_out_what_was_confirmed,
        confirms_to_two,
        counts_no_attempt,
        never_hands_one_out,
    ),
}
