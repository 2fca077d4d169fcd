"""Drafts in, one result each; what is refused stops its topic and nothing else."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import pytest
from google.protobuf import duration_pb2, timestamp_pb2

from hub.auth.grants import Grants, Principal
from hub.engine.sqlite import SqliteEngine, SqliteSchedule
from hub.engine.sqlite.engine import wall_clock_ms
from hub.errors import InvalidArgument
from hub.pipeline.publish import Publisher, PublishLimits
from hub.topics.namespaces import Namespaces
from shipspeak.realtime.v1 import error_reason_pb2 as reasons
from shipspeak.realtime.v1 import event_pb2, frame_pb2
from tests.support.pipelines import ALICE, PipelineBench, draft

if TYPE_CHECKING:
    from pathlib import Path

STORED, ACCEPTED = frame_pb2.OUTCOME_STORED, frame_pb2.OUTCOME_ACCEPTED
REFUSED, NOT_ATTEMPTED = frame_pb2.OUTCOME_REFUSED, frame_pb2.OUTCOME_NOT_ATTEMPTED


@pytest.fixture
async def bench() -> PipelineBench:
    return PipelineBench()


def _outcomes(results: list[frame_pb2.PublishResult]) -> list[int]:
    return [result.outcome for result in results]


async def test_what_is_stored_is_the_draft_and_what_only_the_hub_may_say(
    bench: PipelineBench,
) -> None:
    sent = draft("e1")
    sent.ttl.FromMilliseconds(1500)
    (result,) = await bench.publish(sent)
    assert (result.outcome, result.offset, result.id) == (STORED, 1, "e1")
    (stored,) = bench.engine.log("meeting/1").events
    event = event_pb2.Event.FromString(stored.data)
    now_ms = int(bench.clock.now * 1000)
    assert event.content == sent.content
    assert (event.id, event.offset) == ("e1", 1)
    assert (event.publisher, event.publisher_device) == ("alice", "phone")
    assert event.published_at.ToMilliseconds() == now_ms
    assert event.expires_at.ToMilliseconds() == now_ms + 1500
    assert (stored.priority, stored.expires_ms) == (event_pb2.PRIORITY_NORMAL, now_ms + 1500)


async def test_a_topic_stops_at_its_first_refusal_and_others_go_on(bench: PipelineBench) -> None:
    large = draft("e2", size=1001)
    results = await bench.publish(draft("e1"), large, draft("e3"), draft("e4", "meeting/2"))
    assert _outcomes(results) == [STORED, REFUSED, NOT_ATTEMPTED, STORED]
    assert results[1].error.reason == reasons.ERROR_REASON_EVENT_TOO_LARGE
    assert results[2].error.reason == reasons.ERROR_REASON_EARLIER_DRAFT_FAILED
    assert bench.engine.log("meeting/1").head == 1


async def test_a_draft_for_later_stops_with_its_topic_too(
    bench: PipelineBench, tmp_path: Path
) -> None:
    """Behind a refusal by the engine it is not attempted; before one or elsewhere it is taken."""
    engine = SqliteEngine(tmp_path / "data", shards=1)
    await engine.start()
    schedule = SqliteSchedule(engine, wall_clock_ms)
    schedule.start()
    limits = PublishLimits(max_event_bytes=1000, max_batch_events=10, max_batch_bytes=5000)
    publisher = Publisher(
        engine, bench.registry, Namespaces(), limits, bench.metrics, time.time, schedule
    )
    drafts = [draft(f"e{number}", "meeting/1") for number in range(4)]
    drafts += [draft("e4", "meeting/2"), draft("e5", "meeting/2")]
    drafts[1].expected_offset = 99
    for index in (0, 2, 5):
        drafts[index].deliver_at.FromMilliseconds(wall_clock_ms() + 60_000)
    request = frame_pb2.PublishRequest(drafts=drafts)

    results = await publisher.publish(request, ALICE, "")

    await schedule.stop()
    await engine.stop()
    scheduled = frame_pb2.OUTCOME_SCHEDULED
    assert _outcomes(results[:4]) == [scheduled, REFUSED, NOT_ATTEMPTED, NOT_ATTEMPTED]
    assert _outcomes(results[4:]) == [STORED, scheduled]


async def test_a_refusal_by_the_engine_stops_its_topic_too(bench: PipelineBench) -> None:
    wrong = draft("e1")
    wrong.expected_offset = 7
    results = await bench.publish(wrong, draft("e2"), draft("e3", "meeting/2"))
    assert _outcomes(results) == [REFUSED, NOT_ATTEMPTED, STORED]
    assert results[0].error.reason == reasons.ERROR_REASON_OFFSET_MISMATCH


async def test_all_or_nothing_is_nothing_when_one_is_refused(bench: PipelineBench) -> None:
    bad = draft("e2", size=1001)
    results = await bench.publish(draft("e1"), bad, all_or_nothing=True)
    assert _outcomes(results) == [NOT_ATTEMPTED, REFUSED]
    assert bench.engine.log("meeting/1").head == 0


async def test_all_or_nothing_holds_for_volatile_topics(bench: PipelineBench) -> None:
    live = await bench.registry.open("signal/1")
    bad = draft("e2", "signal/1", size=1001)
    results = await bench.publish(draft("e1", "signal/1"), bad, all_or_nothing=True)
    assert _outcomes(results) == [NOT_ATTEMPTED, REFUSED]
    assert live.ring.next_slot == 0
    results = await bench.publish(draft("e1", "signal/1"), draft("e2", "signal/1"))
    assert _outcomes(results) == [ACCEPTED, ACCEPTED]
    assert live.ring.next_slot == 2


async def test_a_volatile_event_without_readers_goes_nowhere(bench: PipelineBench) -> None:
    (result,) = await bench.publish(draft("e1", "signal/1"))
    assert (result.outcome, result.epoch, result.offset) == (ACCEPTED, 0, 0)
    assert bench.registry.live("signal/1") is None


async def test_rights_are_asked_for_each_draft(bench: PipelineBench) -> None:
    bob = Principal("bob", Grants(publish=("meeting/1",)))
    results = await bench.publish(draft("e1"), draft("e2", "meeting/2"), principal=bob)
    assert _outcomes(results) == [STORED, REFUSED]
    assert results[1].error.reason == reasons.ERROR_REASON_RIGHT_MISSING


async def test_the_same_id_of_two_publishers_is_two_events(bench: PipelineBench) -> None:
    bob = Principal("bob", Grants(publish=("**",)))
    offsets = [
        (await bench.publish(draft("e1")))[0].offset,
        (await bench.publish(draft("e1"), principal=bob))[0].offset,
        (await bench.publish(draft("e1")))[0].offset,
    ]
    assert offsets == [1, 2, 1]


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"topic": "nothing/1"}, reasons.ERROR_REASON_NAMESPACE_UNKNOWN),
        ({"topic": "meeting"}, reasons.ERROR_REASON_TOPIC_INVALID),
        ({"topic": "group/1", "metrics": True}, reasons.ERROR_REASON_PAYLOAD_NOT_ALLOWED),
        (
            {"deliver_at": timestamp_pb2.Timestamp(seconds=1)},  # the engine keeps no schedule
            reasons.ERROR_REASON_FEATURE_UNAVAILABLE,
        ),
        ({"topic": "signal/1", "expected_offset": 0}, reasons.ERROR_REASON_FIELD_INVALID),
    ],
)
async def test_refused(
    bench: PipelineBench, change: dict[str, object], reason: reasons.ErrorReason.ValueType
) -> None:
    bad = draft("e1", str(change.pop("topic", "meeting/1")))
    if change.pop("metrics", False):
        bad.content.metrics.metrics.add(name="n")
    bad.MergeFrom(event_pb2.Draft(**change))  # type: ignore[arg-type]
    (result,) = await bench.publish(bad)
    assert result.outcome == REFUSED
    assert reasons.ErrorReason.Name(result.error.reason) == reasons.ErrorReason.Name(reason)


async def test_batches_that_are_too_large_are_refused_as_a_whole(bench: PipelineBench) -> None:
    for drafts in (
        [draft(f"e{n}") for n in range(11)],
        [draft(f"e{n}", size=900) for n in range(6)],
    ):
        with pytest.raises(InvalidArgument) as caught:
            await bench.publish(*drafts)
        assert caught.value.reason_name == "BATCH_TOO_LARGE"
    assert bench.engine.log("meeting/1").head == 0


async def test_an_event_that_is_worth_nothing_any_more_is_stored_and_expires(
    bench: PipelineBench,
) -> None:
    brief = draft("e1")
    brief.ttl.CopyFrom(duration_pb2.Duration(nanos=1))
    assert _outcomes(await bench.publish(brief)) == [STORED]
    (stored,) = bench.engine.log("meeting/1").events
    assert stored.expires_ms == int(bench.clock.now * 1000)


async def test_outcomes_are_counted_by_namespace(bench: PipelineBench) -> None:
    await bench.publish(draft("e1"), draft("e2", "nothing/1"))
    text = bench.metrics.render()[0].decode()
    assert 'rthub_publish_results_total{namespace="meeting",outcome="OUTCOME_STORED"} 1.0' in text
    assert "nothing" not in text, "a caller must not be able to make labels"
