"""Sound rights, and the marks of a hub that breaks G10."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from tests.guarantees.rights import EVERYWHERE, Right

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.guarantees.history import History

# The sound history's events come at 1 to 10 s; what ends before this is too early for the last.
TOO_EARLY_MS = 4_999
JUST_RIGHT_MS = 5_010


def sound_rights() -> list[Right]:
    """One has a new token in time, one has just lost its right, one may publish everywhere."""
    return [
        Right("stays", "subscribe", "meeting/1", 0, 4_000),
        Right("stays", "subscribe", "meeting/1", 3_000, 60_000),
        Right("moves", "subscribe", EVERYWHERE, 500, JUST_RIGHT_MS),
        Right("writer", "publish", EVERYWHERE, 0, 60_000),
    ]


def _change(history: History, principal: str, **changes: int | str) -> None:
    history.rights[:] = [
        replace(right, **changes) if right.principal == principal else right  # type: ignore[arg-type]
        for right in history.rights
    ]


def hands_over_after_the_right_ended(history: History) -> None:
    _change(history, "moves", until_ms=TOO_EARLY_MS)


def hands_over_a_little_later(history: History) -> None:
    history.handed[-1] = replace(history.handed[-1], at_ms=JUST_RIGHT_MS + 5_001)


def hands_over_without_a_right(history: History) -> None:
    history.rights[:] = [right for right in history.rights if right.principal != "moves"]


def hands_over_before_the_right_began(history: History) -> None:
    _change(history, "moves", from_ms=1_500)


def hands_over_what_another_right_is_for(history: History) -> None:
    _change(history, "moves", topic="meeting/2")


def takes_the_right_to_publish_for_one_to_read(history: History) -> None:
    _change(history, "moves", action="publish")


def accepts_after_the_right_ended(history: History) -> None:
    _change(history, "writer", until_ms=TOO_EARLY_MS - 10)


def accepts_without_a_right(history: History) -> None:
    _change(history, "writer", action="subscribe")


RIGHTS: dict[str, tuple[Callable[[History], None], ...]] = {
    "G10": (
        hands_over_after_the_right_ended,
        hands_over_a_little_later,
        hands_over_without_a_right,
        hands_over_before_the_right_began,
        hands_over_what_another_right_is_for,
        takes_the_right_to_publish_for_one_to_read,
        accepts_after_the_right_ended,
        accepts_without_a_right,
    )
}
