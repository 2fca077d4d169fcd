"""A sound record of presence, and the marks of a hub that breaks G12."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from tests.guarantees.presence import Life, Presence, Shown, Viewer

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.guarantees.history import History

ROOM = "meeting/1"
HEARTBEAT = 4.0
DEATH = 20.0


def sound_presence() -> Presence:
    """One stays and changes its word, one leaves, one dies; a crowd comes at the end."""
    lives = [
        Life(ROOM, "stays", 1.0, ((1.0, "online"), (12.0, "away"))),
        Life(ROOM, "leaves", 2.0, ((2.0, "online"),), left_at=10.0),
        Life(ROOM, "dies", 3.0, ((3.0, "active"),), left_at=DEATH, clean=False),
        *(Life(ROOM, f"c{n}", 40.0, ((40.0, "online"),)) for n in range(100)),
    ]
    shown = [
        Shown(0.1, {}, 0),
        Shown(1.1, {"stays": "online"}, 1),
        Shown(2.3, {"stays": "online", "leaves": "online"}, 2),
        Shown(3.2, {"stays": "online", "leaves": "online", "dies": "active"}, 3),
        Shown(10.2, {"stays": "online", "dies": "active"}, 2),
        Shown(12.1, {"stays": "away", "dies": "active"}, 2),
        Shown(DEATH + 9.5, {"stays": "away"}, 1),
        Shown(40.2, None, 101),
    ]
    return Presence(HEARTBEAT, 1.0, lives, [Viewer("watcher", ROOM, 0.0, 50.0, shown)])


def _drop(history: History, index: int) -> None:
    del history.presence.viewers[0].shown[index]


def never_shows_a_join(history: History) -> None:
    for index in (2, 3):
        shown = history.presence.viewers[0].shown[index]
        members = {name: state for name, state in (shown.members or {}).items() if name != "leaves"}
        history.presence.viewers[0].shown[index] = replace(
            shown, members=members, sessions=len(members)
        )


def shows_a_leaver_on(history: History) -> None:
    _drop(history, 4)


def shows_the_dead_on(history: History) -> None:
    shown = history.presence.viewers[0].shown
    shown[6] = replace(shown[6], at=DEATH + 2.5 * HEARTBEAT + 2)


def lets_a_client_flap(history: History) -> None:
    shown = history.presence.viewers[0].shown
    shown[6:6] = [Shown(15.0, {"dies": "active"}, 1), replace(shown[5], at=15.5)]


def shows_an_old_word(history: History) -> None:
    shown = history.presence.viewers[0].shown
    shown[5] = replace(shown[5], members={"stays": "online", "dies": "active"})


def shows_nobody_we_know(history: History) -> None:
    shown = history.presence.viewers[0].shown
    shown[6] = replace(shown[6], members={"stays": "away", "ghost": "online"}, sessions=2)


def counts_wrong(history: History) -> None:
    shown = history.presence.viewers[0].shown
    shown[3] = replace(shown[3], sessions=4)


def lists_a_crowd(history: History) -> None:
    shown = history.presence.viewers[0].shown
    members = {"stays": "away", **{f"c{n}": "online" for n in range(100)}}
    shown[7] = replace(shown[7], members=members)


def hides_a_few(history: History) -> None:
    shown = history.presence.viewers[0].shown
    shown[3] = replace(shown[3], members=None)


def shows_nothing_at_first(history: History) -> None:
    del history.presence.viewers[0].shown[:3]


PRESENCE: dict[str, tuple[Callable[[History], None], ...]] = {
    "G12": (
        never_shows_a_join,
        shows_a_leaver_on,
        shows_the_dead_on,
        lets_a_client_flap,
        shows_an_old_word,
        shows_nobody_we_know,
        counts_wrong,
        lists_a_crowd,
        hides_a_few,
        shows_nothing_at_first,
    )
}
