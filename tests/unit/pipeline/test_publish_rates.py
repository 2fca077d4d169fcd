"""I2: a batch that is stored whole or not at all is counted so, too."""

from __future__ import annotations

import pytest

from hub.errors import InvalidArgument
from hub.limits.rates import Rates
from hub.pipeline.publish import Publisher, PublishLimits
from hub.settings import Settings
from hub.topics.namespaces import Namespaces
from shipspeak.realtime.v1 import error_reason_pb2 as reasons
from shipspeak.realtime.v1 import event_pb2, frame_pb2
from tests.support.pipelines import ALICE, PipelineBench, draft

STORED, REFUSED = frame_pb2.OUTCOME_STORED, frame_pb2.OUTCOME_REFUSED
NOT_ATTEMPTED = frame_pb2.OUTCOME_NOT_ATTEMPTED


class Bench(PipelineBench):
    """A topic may get 2 events a second and 4 at once, a user publish 3 a second and 6 at once."""

    def __init__(self) -> None:
        super().__init__()
        settings = Settings(dev=True, rate_drafts_per_topic=2.0, rate_drafts_per_user=3.0)
        self.publisher = Publisher(
            self.engine,
            self.registry,
            Namespaces(),
            PublishLimits(max_event_bytes=1000, max_batch_events=10, max_batch_bytes=5000),
            self.metrics,
            self.clock,
            rates=Rates(settings, self.clock),
        )

    async def together(self, *drafts: event_pb2.Draft) -> list[int]:
        results = await self.publish(*drafts, all_or_nothing=True)
        return [result.outcome for result in results]

    async def alone(self, topic: str, count: int) -> int:
        """How many of so many drafts pass, one after the other."""
        passed = 0
        for number in range(count):
            (result,) = await self.publish(draft(f"alone{number}", topic))
            passed += result.outcome == STORED
        return passed


@pytest.fixture
async def bench() -> Bench:
    return Bench()


def batch(count: int, topic: str = "meeting/1", *, size: int = 0) -> list[event_pb2.Draft]:
    return [draft(f"e{number}", topic, size=size) for number in range(count)]


async def test_a_batch_that_no_wait_lets_through_is_refused_for_good(bench: Bench) -> None:
    """It was told to come back, came back, and took the tokens of the others each time."""
    with pytest.raises(InvalidArgument) as refused:
        await bench.together(*batch(5))
    assert refused.value.reason == reasons.ERROR_REASON_BATCH_TOO_LARGE
    assert refused.value.retry_after is None
    assert refused.value.metadata["max_events"] == "4"
    assert "RTHUB_RATE_DRAFTS_PER_TOPIC" in str(refused.value)
    assert await bench.alone("meeting/1", 5) == 4


async def test_a_batch_too_large_for_its_user_is_told_so(bench: Bench) -> None:
    settings = Settings(dev=True, rate_drafts_per_user=1.0)
    bench.publisher._rates = Rates(settings, bench.clock)
    with pytest.raises(InvalidArgument, match="RTHUB_RATE_DRAFTS_PER_USER"):
        await bench.together(*batch(3))


async def test_a_batch_waits_for_all_its_tokens_and_takes_none_meanwhile(bench: Bench) -> None:
    assert await bench.together(*batch(3)) == [STORED] * 3
    again = [draft(f"f{number}") for number in range(3)]
    results = await bench.publish(*again, all_or_nothing=True)
    assert [result.outcome for result in results] == [REFUSED, NOT_ATTEMPTED, NOT_ATTEMPTED]
    assert results[0].error.reason == reasons.ERROR_REASON_RATE_LIMITED
    # One token is there, two are missing.
    assert results[0].error.retry_after.ToMilliseconds() == 1000
    assert await bench.alone("meeting/1", 2) == 1
    bench.clock.now += 1.5
    assert await bench.together(*again) == [STORED] * 3


async def test_a_batch_that_is_refused_gives_its_tokens_back(bench: Bench) -> None:
    drafts = [*batch(2), draft("large", size=1001)]
    assert await bench.together(*drafts) == [NOT_ATTEMPTED, NOT_ATTEMPTED, REFUSED]
    assert await bench.alone("meeting/1", 5) == 4
    assert await bench.alone("meeting/2", 5) == 2
    assert ALICE.subject == "alice"


async def test_a_batch_that_the_topics_head_refuses_gives_its_tokens_back(bench: Bench) -> None:
    drafts = batch(3)
    drafts[0].expected_offset = 99
    assert STORED not in await bench.together(*drafts)
    assert await bench.alone("meeting/1", 5) == 4
