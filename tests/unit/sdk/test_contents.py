"""What may be published, and what becomes of it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest
from google.protobuf.any_pb2 import Any as AnyMessage
from google.protobuf.wrappers_pb2 import StringValue
from hypothesis import given
from hypothesis import strategies as st

from shipspeak.realtime.v1 import (
    event_pb2,
    meeting_pb2,
    metrics_pb2,
    notification_pb2,
    practice_pb2,
)
from shipspeak_realtime import make_content, make_draft
from shipspeak_realtime.contents import duration, seconds, timestamp

if TYPE_CHECKING:
    from google.protobuf.message import Message


def inner_messages(
    update: type[Message], oneof: str, member: str
) -> list[tuple[Message, str, str]]:
    # An unset message field gives an empty message of its type.
    return [
        (getattr(update(), field.name), member, field.name)
        for field in update.DESCRIPTOR.oneofs_by_name[oneof].fields
    ]


INNER = [
    *inner_messages(meeting_pb2.MeetingUpdate, "update", "meeting"),
    *inner_messages(practice_pb2.PracticeUpdate, "update", "practice"),
]


@pytest.mark.parametrize(("payload", "member", "name"), INNER, ids=[name for *_, name in INNER])
def test_every_inner_message_may_be_given_alone(payload: Message, member: str, name: str):
    content = make_content(payload)
    assert content.WhichOneof("payload") == member
    assert getattr(content, member).WhichOneof("update") == name


@pytest.mark.parametrize(
    ("payload", "member"),
    [
        (meeting_pb2.MeetingUpdate(attempt=3), "meeting"),
        (practice_pb2.PracticeUpdate(), "practice"),
        (notification_pb2.Notification(title="x"), "notification"),
        (metrics_pb2.MetricsUpdate(), "metrics"),
        (AnyMessage(type_url="x/y"), "other"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_every_typed_payload_is_kept_as_it_is(payload: Message, member: str):
    content = make_content(payload)
    assert content.WhichOneof("payload") == member
    assert getattr(content, member) == payload


def test_any_other_message_is_packed():
    content = make_content(StringValue(value="x"), key="k", attributes={"a": "b"})
    unpacked = StringValue()
    assert content.other.Unpack(unpacked)
    assert (unpacked.value, content.key, dict(content.attributes)) == ("x", "k", {"a": "b"})


def test_a_whole_content_takes_nothing_beside_it():
    content = event_pb2.Content(key="own")
    assert make_content(content) is content
    with pytest.raises(TypeError, match="carries its own"):
        make_content(content, key="other")


def test_a_draft_with_everything():
    at = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
    draft = make_draft(
        "meeting/1",
        event_pb2.Content(),
        draft_id="a",
        ttl=timedelta(minutes=1),
        deliver_at=at,
        expected_offset=0,
    )
    assert seconds(draft.ttl) == 60
    assert draft.deliver_at.ToDatetime(tzinfo=UTC) == at
    assert draft.HasField("expected_offset")
    with pytest.raises(TypeError, match="time zone"):
        make_draft(
            "meeting/1", event_pb2.Content(), draft_id="a", deliver_at=at.replace(tzinfo=None)
        )


@given(st.floats(0, 1e6))
def test_seconds_survive_the_way_to_the_microsecond(span: float):
    assert seconds(duration(span)) == pytest.approx(span, abs=1e-6)
    assert timestamp(span).ToNanoseconds() / 1e9 == pytest.approx(span, abs=1e-6)
