"""A practice session's publisher: what gives way, what is never lost, mistakes."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest

from shipspeak.realtime.v1 import event_pb2, meeting_pb2, practice_pb2
from shipspeak_realtime import DeadlineError, NetworkError, Outcome, PracticePublisher, Receipt
from tests.unit.sdk.manual_clock import ManualClock, settle

if TYPE_CHECKING:
    from google.protobuf.message import Message


class Recorder:
    """Stands where the client stands."""

    def __init__(self) -> None:
        self.sent: list[tuple[Message, dict[str, Any]]] = []
        self.error: Exception | None = None

    async def publish(self, topic: str, news: Message, **options: Any) -> Receipt:
        if self.error is not None:
            raise self.error
        copy = type(news)()
        copy.CopyFrom(news)
        self.sent.append((copy, options))
        return Receipt(topic, "", Outcome.STORED, 1, len(self.sent), duplicate=False)

    def of(self, kind: type[Any]) -> list[Any]:
        return [news for news, _ in self.sent if isinstance(news, kind)]


@pytest.fixture
def recorder() -> Recorder:
    return Recorder()


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
def practice(recorder: Recorder, clock: ManualClock) -> PracticePublisher:
    return PracticePublisher(recorder, "7", clock=clock)  # type: ignore[arg-type]


async def test_a_hint_has_an_end_and_an_urgent_one_goes_first(
    practice: PracticePublisher, recorder: Recorder
) -> None:
    """B1."""
    await practice.hint("pace", "Slower.", level="urgent", within=2, at=1.5)
    await practice.hint("fillers", "Fewer of them.")
    (_, first), (_, second) = recorder.sent
    urgent, _ = recorder.of(practice_pb2.CoachingHint)
    assert (urgent.level, urgent.at.ToMilliseconds()) == (practice_pb2.HINT_LEVEL_URGENT, 1500)
    assert (first["ttl"], first["timeout"], first["key"]) == (2, 2, "hint:pace")
    assert first["priority"] == event_pb2.PRIORITY_HIGH
    assert (second["key"], second["priority"]) == ("hint:fillers", event_pb2.PRIORITY_NORMAL)


async def test_a_hint_that_the_hub_did_not_take_in_time_is_given_up(
    practice: PracticePublisher, recorder: Recorder
) -> None:
    """B1: never late."""
    recorder.error = DeadlineError("no receipt")
    assert await practice.hint("pace", "Slower.") is None


async def test_scores_tell_their_change_since_what_was_published_last(
    practice: PracticePublisher, recorder: Recorder, clock: ManualClock
) -> None:
    """B2."""
    practice.score(50, {"clarity": 40})
    await settle()
    practice.score(55, {"clarity": 60})
    practice.score(60, {"clarity": 70, "pace": 30})
    await clock.advance(1)
    await settle()
    first, second = recorder.of(practice_pb2.PracticeScore)
    assert [(one.dimension, one.trend) for one in first.dimensions] == [("clarity", 0)]
    assert [(one.dimension, one.trend) for one in second.dimensions] == [
        ("clarity", 30),
        ("pace", 0),
    ]


async def test_what_is_never_left_out_has_no_key_and_the_same_id_each_time(
    practice: PracticePublisher, recorder: Recorder
) -> None:
    """B3, B4."""
    await practice.milestone("first-minute", "One minute")
    practice.analytics(30)
    await practice.finish(60, [meeting_pb2.Figure(label="pace", value=120)])
    options = [more for _, more in recorder.sent]
    assert [more.get("id") for more in options] == [
        "practice:milestone:first-minute",
        None,
        "practice:summary",
    ]
    assert [more.get("key", "") for more in options] == ["", "analytics", ""]
    rolling, final = recorder.of(practice_pb2.SessionAnalytics)
    assert (rolling.final, final.final, final.elapsed.seconds) == (False, True, 60)
    assert options[2]["timeout"] is None
    with pytest.raises(ValueError, match="has ended"):
        practice.score(1)


@pytest.mark.parametrize("error", [None, ValueError("mistake"), asyncio.CancelledError()])
async def test_the_last_figures_become_the_summary_at_the_end_of_the_block(
    practice: PracticePublisher, recorder: Recorder, error: BaseException | None
) -> None:
    """B4: also after a mistake; a cancelled worker leaves it to the next one."""

    async def session() -> None:
        async with practice:
            practice.analytics(30)
            await settle()
            practice.analytics(40)
            if error is not None:
                raise error

    (outcome,) = await asyncio.gather(session(), return_exceptions=True)
    assert type(outcome) is type(error)
    last = recorder.of(practice_pb2.SessionAnalytics)[-1]
    cancelled = isinstance(error, asyncio.CancelledError)
    assert (last.final, last.elapsed.seconds) == ((False, 30) if cancelled else (True, 40))


async def test_the_error_of_the_block_is_seen_before_that_of_the_summary(
    practice: PracticePublisher, recorder: Recorder
) -> None:
    async def session() -> None:
        async with practice:
            practice.analytics(30)
            await settle()
            recorder.error = NetworkError("away")
            message = "mistake"
            raise ValueError(message)

    with pytest.raises(ValueError, match="mistake"):
        await session()


async def test_an_unknown_level_is_refused_with_words(practice: PracticePublisher) -> None:
    with pytest.raises(ValueError, match="one of info, praise, nudge, urgent"):
        await practice.hint("pace", "Slower.", level="loud")  # type: ignore[arg-type]
