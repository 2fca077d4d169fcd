"""ReadHistory: pages forward and backward, with honest verdicts."""

from __future__ import annotations

import pytest

from hub.auth.grants import Grants, Principal
from hub.errors import FailedPrecondition, PermissionDenied
from hub.model.cursor import Cursor, encode_cursor
from shipspeak.realtime.v1 import event_pb2, frame_pb2
from shipspeak.realtime.v1.realtime_service_pb2 import ReadHistoryRequest, ReadHistoryResponse
from tests.support.pipelines import ALICE, PipelineBench, draft

TOPIC = "meeting/1"


@pytest.fixture
async def bench() -> PipelineBench:
    made = PipelineBench()
    await made.publish(*(draft(f"e{number}") for number in range(1, 11)))
    return made


def _offsets(answer: ReadHistoryResponse) -> list[int]:
    return [event.offset for run in answer.runs for event in run.events]


def _position(cursor: bytes) -> event_pb2.Position:
    return event_pb2.Position(cursor=cursor)


async def test_pages_forward_join(bench: PipelineBench) -> None:
    request = ReadHistoryRequest(topic=TOPIC, limit=4)
    seen: list[int] = []
    after = 0
    while True:
        answer = await bench.history.read(request, ALICE)
        assert answer.runs[0].after_offset == after
        after = answer.runs[-1].through_offset
        seen += _offsets(answer)
        if not answer.more:
            break
        request.position.CopyFrom(_position(answer.runs[-1].cursor))
    assert seen == list(range(1, 11))
    assert answer.head == 10


async def test_backward_begins_at_the_head_and_ends_at_the_first(bench: PipelineBench) -> None:
    answer = await bench.history.read(ReadHistoryRequest(topic=TOPIC, limit=4, reverse=True), ALICE)
    assert _offsets(answer) == [7, 8, 9, 10]
    assert answer.more
    epoch = bench.engine.log(TOPIC).epoch
    request = ReadHistoryRequest(topic=TOPIC, limit=100, reverse=True)
    request.position.cursor = encode_cursor(TOPIC, Cursor(epoch, 6))
    assert _offsets(await bench.history.read(request, ALICE)) == [1, 2, 3, 4, 5, 6]
    request.position.cursor = encode_cursor(TOPIC, Cursor(epoch, 0))
    assert _offsets(await bench.history.read(request, ALICE)) == []


async def test_trimmed_history_is_a_gap(bench: PipelineBench) -> None:
    bench.engine.trim(TOPIC, 5)
    request = ReadHistoryRequest(topic=TOPIC)
    request.position.cursor = encode_cursor(TOPIC, Cursor(bench.engine.log(TOPIC).epoch, 2))
    answer = await bench.history.read(request, ALICE)
    assert answer.verdict == frame_pb2.VERDICT_GAP
    assert _offsets(answer) == [6, 7, 8, 9, 10]


async def test_refused(bench: PipelineBench) -> None:
    with pytest.raises(PermissionDenied):
        await bench.history.read(
            ReadHistoryRequest(topic=TOPIC), Principal("bob", Grants(publish=("**",)))
        )
    with pytest.raises(FailedPrecondition):
        await bench.history.read(ReadHistoryRequest(topic="signal/1"), ALICE)
