"""G10: what the authorizer allows goes on while it says so, and ends when it does not."""

from __future__ import annotations

import asyncio

import pytest

from hub.auth.authorizer import Authorizer
from hub.auth.grants import Grants, Principal
from shipspeak.realtime.v1 import frame_pb2
from tests.support.fake_sink import FakeSink
from tests.support.pipelines import PipelineBench, draft
from tests.support.sessions import open_session
from tests.support.until import until

TOPIC = "meeting/1"
KEEP = 30.0
BARE = Principal("alice", Grants(), issued_at=1_699_999_000)


class Bench(PipelineBench):
    """A subscriber whose authorizer answers as the test says; None = not at all."""

    def __init__(self) -> None:
        super().__init__()
        self.answer: bool | None = True
        self.asked = 0
        authorizer = Authorizer(
            self._ask, self.clock, timeout=30, keep=KEEP, count=lambda _outcome: None
        )
        self.grants._authorizer = authorizer
        self.sink = FakeSink(automatic=True)
        self.session = open_session(self.clock, self.sink)

    async def _ask(self, *_question: str) -> bool:
        self.asked += 1
        if self.answer is None:
            raise OSError("gone")
        return self.answer

    async def subscribe(self) -> None:
        request = frame_pb2.Subscribe(topic=TOPIC, at=frame_pb2.START_LATEST)
        await self.subscriber.subscribe(self.session, lambda: BARE, request)

    async def second(self, seconds: float) -> None:
        """Time passes, and the hub looks."""
        self.clock.advance(seconds)
        self.subscriber.end_grants()
        await until(lambda: not self.subscriber._asking)

    @property
    def subscribed(self) -> bool:
        return TOPIC in self.session.subscriptions


@pytest.fixture
async def bench() -> Bench:
    made = Bench()
    await made.subscribe()
    assert made.asked == 1
    return made


async def test_it_is_asked_again_in_time_and_the_topic_goes_on(bench: Bench) -> None:
    for asked in range(2, 6):
        await bench.second(KEEP / 2)
        assert bench.asked == asked - 1
        await bench.second(KEEP / 4)
        assert bench.asked == asked
        assert bench.subscribed
    before = len(bench.sink.messages)
    await bench.publish(draft("e1"))
    await until(lambda: len(bench.sink.messages) > before)


async def test_a_no_ends_the_topic_at_once(bench: Bench) -> None:
    bench.answer = False
    await bench.second(KEEP - 5)
    assert not bench.subscribed
    assert bench.sink.controls[-1] == "unsubscribed"


async def test_without_an_answer_it_ends_when_the_last_one_does(bench: Bench) -> None:
    bench.answer = None
    for _ in range(5):
        await bench.second(KEEP / 6)
        assert bench.subscribed
    await bench.second(KEEP / 6)
    assert not bench.subscribed


async def test_a_topic_that_is_left_meanwhile_stays_so(bench: Bench) -> None:
    bench.clock.advance(KEEP - 5)
    bench.subscriber.end_grants()
    bench.subscriber.unsubscribe(bench.session, TOPIC)
    await asyncio.sleep(0)
    await until(lambda: not bench.subscriber._asking)
    assert not bench.subscribed
