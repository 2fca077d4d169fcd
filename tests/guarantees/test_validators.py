"""Each validator passes a sound history and catches a hub that breaks its guarantee."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, cast

import pytest

from tests.guarantees import doctored_conflation
from tests.guarantees.doctored import (
    EPOCH,
    MOVED,
    REPEATED,
    STILL_SOUND,
    TOPIC,
    delivery,
    expired,
    sound,
    trimmed,
)
from tests.guarantees.doctored_conflation import CONFLATED
from tests.guarantees.doctored_presence import PRESENCE
from tests.guarantees.doctored_removals import RECEIPTED, RELEASED, UNRELEASED, USER
from tests.guarantees.doctored_rights import RIGHTS
from tests.guarantees.doctored_sessions import OBSERVED
from tests.guarantees.doctored_works import WORKED
from tests.guarantees.history import (
    History,
    Omitted,
    Outcome,
    Publish,
    Stored,
    Told,
)
from tests.guarantees.validators import VALIDATORS, judge

if TYPE_CHECKING:
    from collections.abc import Callable

# G1


def loses_an_acknowledged_event(history: History) -> None:
    del history.logs[TOPIC].events[4]


def stores_another_event_there(history: History) -> None:
    history.logs[TOPIC].events[4] = Stored(5, "another")


def forgets_the_topic(history: History) -> None:
    del history.logs[TOPIC]


def makes_the_log_anew(history: History) -> None:
    history.logs[TOPIC].epoch = EPOCH + 1


def delivers_before_it_stores(history: History) -> None:
    history.subscribers[0].words.append(replace(delivery(11), id="ghost"))


# G2


def skips_an_event(history: History) -> None:
    del history.subscribers[0].words[5]


def stops_before_the_end(history: History) -> None:
    del history.subscribers[0].words[-2:]


def delivers_nothing(history: History) -> None:
    history.subscribers[0].words.clear()


def leaves_out_more_than_the_run(history: History) -> None:
    expired(history)
    del history.subscribers[0].words[6]


def loses_more_than_the_gap(history: History) -> None:
    trimmed(history)
    del history.subscribers[0].words[2]


# G3


def swaps_two_deliveries(history: History) -> None:
    words = history.subscribers[0].words
    words[3], words[4] = words[4], words[3]


def goes_back(history: History) -> None:
    history.subscribers[0].words.append(delivery(2))


def swaps_two_drafts(history: History) -> None:
    first, second = history.publishes[2], history.publishes[3]
    first.sequence, second.sequence = second.sequence, first.sequence


def answers_out_of_order(history: History) -> None:
    events = history.logs[TOPIC].events
    events[2], events[3] = events[3], events[2]


# G4


def hands_over_twice(history: History) -> None:
    history.subscribers[0].words.insert(5, delivery(4))


def hands_over_another_at_the_same_place(history: History) -> None:
    history.subscribers[0].words.insert(5, replace(delivery(4), id="twin"))


def stores_a_repeat(history: History) -> None:
    log = history.logs[TOPIC]
    log.head += 1
    log.events.append(Stored(log.head, f"e{REPEATED}"))


def gives_a_repeat_another_offset(history: History) -> None:
    history.publishes[-1].offset += 1


def tells_a_reader_another_offset(history: History) -> None:
    history.subscribers[0].words[-1] = replace(delivery(10), offset=11)


# G5


def repeats_at_the_seam(history: History) -> None:
    history.subscribers[1].words.insert(MOVED + 1, delivery(MOVED, "poll"))


def leaves_out_at_the_seam(history: History) -> None:
    del history.subscribers[1].words[MOVED + 1]


# G6


def never_answers(history: History) -> None:
    history.publishes[0].outcome = Outcome.PENDING


def refuses_and_stores(history: History) -> None:
    history.publishes[0].outcome = Outcome.REFUSED
    history.publishes[0].reason = "RATE_LIMITED"


def refuses_without_a_reason(history: History) -> None:
    history.publishes.append(Publish("writer", TOPIC, "big", 99, outcome=Outcome.REFUSED))


def calls_a_repeat_new(history: History) -> None:
    history.publishes[-1].duplicate = False


def counts_too_few(history: History) -> None:
    history.subscribers[0].words[5:7] = [Omitted(TOPIC, EPOCH, 4, 6, 1)]


def counts_what_it_delivered(history: History) -> None:
    history.subscribers[0].words.append(Omitted(TOPIC, EPOCH, 4, 6, 2))


def changes_the_epoch_in_silence(history: History) -> None:
    words = history.subscribers[0].words
    words[6:] = [replace(word, epoch=EPOCH + 1) for word in words[6:]]


def understates_a_gap(history: History) -> None:
    trimmed(history)
    words = history.subscribers[0].words
    words[1] = replace(cast("Told", words[1]), lost=2)


def calls_a_log_live(history: History) -> None:
    history.subscribers[0].words.insert(1, Told(TOPIC, "live", EPOCH, 0, "connect"))


DOCTORED: dict[str, tuple[Callable[[History], None], ...]] = {
    "G1": (
        loses_an_acknowledged_event,
        stores_another_event_there,
        forgets_the_topic,
        makes_the_log_anew,
        delivers_before_it_stores,
        *UNRELEASED,
    ),
    "G2": (
        skips_an_event,
        stops_before_the_end,
        delivers_nothing,
        leaves_out_more_than_the_run,
        loses_more_than_the_gap,
    ),
    "G3": (swaps_two_deliveries, goes_back, swaps_two_drafts, answers_out_of_order),
    "G4": (
        hands_over_twice,
        hands_over_another_at_the_same_place,
        stores_a_repeat,
        gives_a_repeat_another_offset,
        tells_a_reader_another_offset,
    ),
    "G5": (repeats_at_the_seam, leaves_out_at_the_seam),
    "G6": (
        never_answers,
        refuses_and_stores,
        refuses_without_a_reason,
        calls_a_repeat_new,
        counts_too_few,
        counts_what_it_delivered,
        changes_the_epoch_in_silence,
        understates_a_gap,
        calls_a_log_live,
        *CONFLATED,
        *RELEASED,
    ),
    **OBSERVED,
    **PRESENCE,
    **WORKED,
    **RIGHTS,
    **RECEIPTED,
}


@pytest.mark.parametrize(
    ("guarantee", "doctor"),
    [
        pytest.param(name, doctor, id=f"{name}-{doctor.__name__}")
        for name, doctors in DOCTORED.items()
        for doctor in doctors
    ],
)
def test_a_broken_promise_is_caught(guarantee: str, doctor: Callable[[History], None]):
    history = sound()
    doctor(history)
    found = VALIDATORS[guarantee](history)
    assert found
    assert all(violation.guarantee.startswith(guarantee) for violation in found)
    assert all(violation.words for violation in found)
    # What is a session's own is of no topic.
    topics = {"", *(event.topic for turn in history.turns for event in turn.waiting)}
    assert {violation.topic for violation in found} <= topics | {TOPIC, USER}


@pytest.mark.parametrize("guarantee", VALIDATORS)
def test_a_sound_history_passes(guarantee: str):
    assert VALIDATORS[guarantee](sound()) == []


@pytest.mark.parametrize("happen", [*STILL_SOUND, *doctored_conflation.STILL_SOUND])
def test_what_was_told_is_no_violation(happen: Callable[[History], None]):
    history = sound()
    happen(history)
    assert judge(history) == []


def test_every_validator_is_caught_failing():
    assert DOCTORED.keys() == VALIDATORS.keys()


def test_a_reader_that_began_at_the_end_is_owed_only_what_came_later():
    history = sound()
    late = history.subscribers[0]
    late.started[TOPIC] = None
    late.words[:6] = [Told(TOPIC, "ok", EPOCH, 5, "connect")]
    assert judge(history) == []
    del late.words[1]
    assert [violation.guarantee for violation in judge(history)] == ["G2 complete"]


def test_a_violation_reads_as_a_sentence():
    history = sound()
    loses_an_acknowledged_event(history)
    assert str(VALIDATORS["G1"](history)[0]) == (
        "G1 durable: meeting/1 (writer): "
        "e5 was acknowledged at offset 5, and nothing is there: lost"
    )
