"""ReadHistory: pages forward and backward, with honest verdicts."""

from __future__ import annotations

import pytest

from hub.auth.grants import Grants, Principal
from hub.errors import FailedPrecondition, PermissionDenied
from hub.model.cursor import Cursor, decode_cursor, encode_cursor
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
    for offset, expected in ((6, [1, 2, 3, 4, 5]), (1, []), (0, [])):
        request.position.cursor = encode_cursor(TOPIC, Cursor(epoch, offset))
        answer = await bench.history.read(request, ALICE)
        assert (_offsets(answer), answer.more) == (expected, False)


@pytest.mark.parametrize("reverse", [False, True])
@pytest.mark.parametrize("limit", [1, 3, 10])
async def test_pages_join_by_next_in_both_directions(
    bench: PipelineBench, limit: int, reverse: bool
) -> None:
    request = ReadHistoryRequest(topic=TOPIC, limit=limit, reverse=reverse)
    seen: list[int] = []
    more = True
    while more:
        answer = await bench.history.read(request, ALICE)
        assert answer.verdict == frame_pb2.VERDICT_OK
        page = _offsets(answer)
        assert len(page) in (limit, 10 % limit)
        seen = page + seen if reverse else seen + page
        request.position.CopyFrom(answer.next)
        more = answer.more
    assert seen == list(range(1, 11))
    assert _offsets(await bench.history.read(request, ALICE)) == []


@pytest.mark.parametrize(("reverse", "at"), [(False, 4), (True, 7)])
async def test_next_proves_its_place_by_the_event_there(
    bench: PipelineBench, reverse: bool, at: int
) -> None:
    request = ReadHistoryRequest(topic=TOPIC, limit=4, reverse=reverse)
    answer = await bench.history.read(request, ALICE)
    cursor = decode_cursor(TOPIC, answer.next.cursor)
    epoch = bench.engine.log(TOPIC).epoch
    assert (cursor.epoch, cursor.offset, cursor.event_id) == (epoch, at, f"e{at}")
    assert answer.next.handled_offset == at


@pytest.mark.parametrize("reverse", [False, True])
async def test_an_empty_topic_has_a_next_too(bench: PipelineBench, reverse: bool) -> None:
    request = ReadHistoryRequest(topic="meeting/2", reverse=reverse)
    answer = await bench.history.read(request, ALICE)
    assert decode_cursor("meeting/2", answer.next.cursor).offset == 0
    request.position.CopyFrom(answer.next)
    again = await bench.history.read(request, ALICE)
    assert (again.verdict, len(again.runs), again.more) == (frame_pb2.VERDICT_OK, 0, False)


@pytest.mark.parametrize(("reverse", "page"), [(False, [1, 2]), (True, [9, 10])])
async def test_the_cursor_of_another_log_is_a_reset(
    bench: PipelineBench, reverse: bool, page: list[int]
) -> None:
    request = ReadHistoryRequest(topic=TOPIC, limit=2, reverse=reverse)
    request.position.cursor = encode_cursor(TOPIC, Cursor(77, 5))
    answer = await bench.history.read(request, ALICE)
    assert answer.verdict == frame_pb2.VERDICT_RESET
    assert _offsets(answer) == page


@pytest.mark.parametrize(
    ("reverse", "event_id", "page"),
    [
        (False, "e6", [7, 8, 9, 10]),
        (True, "e6", [1, 2, 3, 4, 5]),
        (False, "other", [4, 5, 6, 7, 8, 9, 10]),
        (False, "", [4, 5, 6, 7, 8, 9, 10]),
    ],
)
async def test_what_was_handled_inside_a_run_counts(
    bench: PipelineBench, reverse: bool, event_id: str, page: list[int]
) -> None:
    request = ReadHistoryRequest(topic=TOPIC, reverse=reverse)
    request.position.cursor = encode_cursor(TOPIC, Cursor(bench.engine.log(TOPIC).epoch, 3))
    request.position.handled_offset = 6
    request.position.handled_id = event_id
    assert _offsets(await bench.history.read(request, ALICE)) == page


async def test_backward_from_a_trimmed_place_is_a_gap_and_ends(bench: PipelineBench) -> None:
    bench.engine.trim(TOPIC, 5)
    request = ReadHistoryRequest(topic=TOPIC, reverse=True)
    request.position.cursor = encode_cursor(TOPIC, Cursor(bench.engine.log(TOPIC).epoch, 3))
    answer = await bench.history.read(request, ALICE)
    assert (answer.verdict, len(answer.runs)) == (frame_pb2.VERDICT_GAP, 0)
    assert not answer.more


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
