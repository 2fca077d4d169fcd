"""Each hand-written encoding against the generated code."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from hub.model.wire import RunHeader, delimited, event_data, framed_event, varint
from shipspeak.realtime.v1 import event_pb2, frame_pb2

_U64 = st.integers(0, 2**64 - 1)


@given(_U64)
def test_varint_is_protobufs(value: int) -> None:
    run = event_pb2.TopicRun(after_offset=value)
    assert (b"\x18" + varint(value) if value else b"") == run.SerializeToString()


@given(st.binary(max_size=400))
def test_delimited_is_protobufs(payload: bytes) -> None:
    run = event_pb2.TopicRun(cursor=payload)
    assert (delimited(0x32, payload) if payload else b"") == run.SerializeToString()


@given(_U64, st.text(max_size=20))
def test_an_event_with_its_offset_appended_is_the_whole_event(offset: int, name: str) -> None:
    body = event_pb2.Event(id=name, publisher="p")
    body.content.notification.title = "hello"
    whole = event_pb2.Event.FromString(event_data(body.SerializeToString(), offset))
    body.offset = offset
    assert whole == body


@given(
    topic=st.text(min_size=1, max_size=200),
    epoch=_U64,
    after=_U64,
    through=_U64,
    ids=st.lists(st.text(max_size=64), max_size=5),
    cursor=st.binary(max_size=120),
    conflated=st.integers(0, 2**32 - 1),
    expired=st.integers(0, 2**32 - 1),
)
def test_a_frame_with_a_run_reads_as_it_was_meant(
    topic: str,
    epoch: int,
    after: int,
    through: int,
    ids: list[str],
    cursor: bytes,
    conflated: int,
    expired: int,
) -> None:
    events = [event_pb2.Event(id=one, offset=7) for one in ids]
    frame = RunHeader(topic, epoch).frame(
        after=after,
        through=through,
        events=b"".join(framed_event(event.SerializeToString()) for event in events),
        cursor=cursor,
        conflated=conflated,
        expired=expired,
    )
    want = event_pb2.TopicRun(
        topic=topic,
        epoch=epoch,
        after_offset=after,
        through_offset=through,
        events=events,
        cursor=cursor,
        conflated=conflated,
        expired=expired,
    )
    assert frame_pb2.ServerFrame.FromString(frame) == frame_pb2.ServerFrame(runs=[want])
    assert frame == frame_pb2.ServerFrame(runs=[want]).SerializeToString()


def test_concatenated_frames_are_one_frame_with_all_runs() -> None:
    first = RunHeader("meeting/1", 5).frame(after=0, through=1, events=b"")
    second = RunHeader("meeting/2", 6).frame(after=3, through=4, events=b"")
    topics = [run.topic for run in frame_pb2.ServerFrame.FromString(first + second).runs]
    assert topics == ["meeting/1", "meeting/2"]
