"""The marks of a hub that breaks what can only be seen inside: G7, G8, G9 and G11."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, cast

from tests.guarantees.doctored import BOUND, END_MS, HEARTBEAT, MORTAL, TOPIC, expired
from tests.guarantees.history import Delivery
from tests.guarantees.observed import Turn, Waiting, Watch

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.guarantees.history import History, Omitted

# G7


def holds_more_than_its_bound(history: History) -> None:
    history.samples[-1] = replace(history.samples[-1], in_flight=BOUND + 1)


def parks_a_frame_for_every_event(history: History) -> None:
    history.samples[:] = [
        replace(sample, parked=sample.parked + int(sample.at)) for sample in history.samples
    ]


def sends_on_past_a_full_window(history: History) -> None:
    history.samples[:] = [
        replace(sample, in_flight=500 + 10 * number, window=500)
        for number, sample in enumerate(history.samples)
        if sample.stall
    ]


# G8


def lets_low_go_before_critical(history: History) -> None:
    history.turns[9] = replace(history.turns[9], chosen="meeting/low", after=None)


def sends_data_into_a_full_window(history: History) -> None:
    history.turns[7] = replace(history.turns[7], window_open=False)


def starves_low(history: History) -> None:
    history.turns[:] = [turn for turn in history.turns if turn.chosen == TOPIC]
    waiting = history.turns[0].waiting
    history.turns += [Turn("s1", waiting, TOPIC, after=n, through=n) for n in range(40, 50)]


def starves_high_for_critical(history: History) -> None:
    waiting = (*history.turns[0].waiting, Waiting("meeting/high", 2))
    history.turns[:] = [replace(turn, waiting=waiting) for turn in history.turns * 2]


def sends_a_topic_out_of_order(history: History) -> None:
    history.turns[4], history.turns[5] = history.turns[5], history.turns[4]


# G9


def hands_over_what_has_expired(history: History) -> None:
    history.handed[MORTAL - 1] = replace(history.handed[MORTAL - 1], at_ms=END_MS)


def frames_what_has_expired(history: History) -> None:
    words = history.subscribers[0].words
    index = next(i for i, w in enumerate(words) if isinstance(w, Delivery) and w.offset == MORTAL)
    words[index] = replace(cast("Delivery", words[index]), as_of_ms=END_MS + 1)


def calls_a_fresh_one_expired(history: History) -> None:
    expired(history)
    run = cast("Omitted", history.subscribers[0].words[5])
    history.subscribers[0].words[5] = replace(run, as_of_ms=5_500)


def drops_an_expired_one_uncounted(history: History) -> None:
    expired(history)
    run = cast("Omitted", history.subscribers[0].words[5])
    history.subscribers[0].words[5] = replace(run, count=1, expired=1)


# G11


def notices_silence_late(history: History) -> None:
    history.watches[0] = replace(history.watches[0], until=16.5)


def never_notices_silence(history: History) -> None:
    history.watches.append(Watch("client", "hub", HEARTBEAT, 10.0, 60.0, noticed=False))


def holds_a_living_peer_for_dead(history: History) -> None:
    history.watches[0] = replace(history.watches[0], heard_at=13.0)


def claims_what_it_has_not_sent(history: History) -> None:
    claims = history.subscribers[0].claims
    claims[3] = replace(claims[3], as_of_ms=5_001)


OBSERVED: dict[str, tuple[Callable[[History], None], ...]] = {
    "G7": (
        holds_more_than_its_bound,
        parks_a_frame_for_every_event,
        sends_on_past_a_full_window,
    ),
    "G8": (
        lets_low_go_before_critical,
        sends_data_into_a_full_window,
        starves_low,
        starves_high_for_critical,
        sends_a_topic_out_of_order,
    ),
    "G9": (
        hands_over_what_has_expired,
        frames_what_has_expired,
        calls_a_fresh_one_expired,
        drops_an_expired_one_uncounted,
    ),
    "G11": (
        notices_silence_late,
        never_notices_silence,
        holds_a_living_peer_for_dead,
        claims_what_it_has_not_sent,
    ),
}
