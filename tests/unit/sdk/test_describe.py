"""An event in a few words: every kind, and nothing that steers a terminal."""

from __future__ import annotations

import unicodedata
from typing import TYPE_CHECKING

import pytest
from google.protobuf.any_pb2 import Any as AnyMessage
from google.protobuf.duration_pb2 import Duration
from google.protobuf.wrappers_pb2 import BytesValue, StringValue
from hypothesis import given
from hypothesis import strategies as st

from shipspeak.realtime.v1 import (
    event_pb2,
    meeting_pb2,
    metrics_pb2,
    notification_pb2,
    practice_pb2,
)
from shipspeak_realtime import Event, describe, make_content

if TYPE_CHECKING:
    from google.protobuf.message import Message


def shown(payload: Message) -> str:
    return describe(Event("meeting/1", event_pb2.Event(content=make_content(payload)), None))


@pytest.mark.parametrize(
    ("payload", "words"),
    [
        (
            meeting_pb2.UploadProgress(sent_bytes=512, total_bytes=2048, file_name="a.vtt"),
            "upload 25% (512 B of 2.0 KiB) a.vtt",
        ),
        (meeting_pb2.UploadProgress(sent_bytes=3 * 1024**2), "upload 3.0 MiB"),
        (
            meeting_pb2.StageChanged(stage="b", previous="a", stages=["a", "b"]),
            "stage_changed b (2 of 2) after a",
        ),
        (
            meeting_pb2.StageProgress(
                stage="b", fraction=0.4, eta=Duration(seconds=12), detail="cue 2 of 5"
            ),
            'stage_progress b 40% eta 12s "cue 2 of 5"',
        ),
        (
            meeting_pb2.StageProgress(stage="b", fraction=0.4, eta=Duration(seconds=75)),
            "stage_progress b 40% eta 1m 15s",
        ),
        (
            meeting_pb2.MeetingCompleted(
                result_url="/r",
                summary="Good",
                figures=[
                    meeting_pb2.Figure(name="pace", value=142, unit="wpm", subject="Ann"),
                    meeting_pb2.Figure(name="share", value=61, unit="%"),
                    meeting_pb2.Figure(name="length", label="1 h"),
                    meeting_pb2.Figure(name="words", value=9),
                    meeting_pb2.Figure(name="more"),
                ],
            ),
            'completed /r "Good" | Ann pace 142 wpm, share 61%, length 1 h, words 9, and 1 more',
        ),
        (
            meeting_pb2.MeetingFailed(
                code="BROKEN",
                message="Not a transcript",
                stage="read",
                options=[meeting_pb2.RecoveryOption(label="Try again")],
            ),
            'failed BROKEN in read "Not a transcript" [Try again]',
        ),
        (
            meeting_pb2.MeetingUpdate(attempt=2, stage_changed=meeting_pb2.StageChanged(stage="a")),
            "stage_changed (attempt 2) a",
        ),
        (practice_pb2.CoachingHint(aspect="pace", text="slow"), 'hint pace "slow"'),
        (
            practice_pb2.PracticeScore(
                overall=70, dimensions=[practice_pb2.DimensionScore(dimension="pace", score=61)]
            ),
            "score 70 of 100 (pace 61)",
        ),
        (practice_pb2.PracticeMilestone(title="Half", fraction=0.5), 'milestone "Half" 50%'),
        (
            practice_pb2.SessionAnalytics(elapsed=Duration(seconds=30), final=True),
            "analytics final after 30s",
        ),
        (
            notification_pb2.Notification(
                severity=notification_pb2.SEVERITY_WARNING, title="Soon", body="At 5"
            ),
            'notification warning "Soon": At 5',
        ),
        (
            metrics_pb2.MetricsUpdate(
                metrics=[metrics_pb2.Metric(name="lag", value=2.5, unit="ms")]
            ),
            "metrics lag 2.5 ms",
        ),
        (StringValue(value="hello"), 'other "hello"'),
        (BytesValue(value=b"abc"), "other google.protobuf.BytesValue (5 B)"),
        (AnyMessage(), "other untyped (0 B)"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_words(payload: Message, words: str):
    assert shown(payload) == words


def test_a_receipt():
    receipt = notification_pb2.ReceiptUpdate(
        event_id="e1", state=notification_pb2.RECEIPT_STATE_READ
    )
    event = event_pb2.Event(content=event_pb2.Content(receipt=receipt))
    assert describe(Event("user/a", event, None)) == "receipt read e1"


def test_a_kind_of_a_later_version():
    assert "does not know" in describe(Event("meeting/1", event_pb2.Event(), None))
    assert shown(meeting_pb2.MeetingUpdate(attempt=1)) == "update"


@given(st.text(max_size=300))
def test_a_line_is_short_and_steers_no_terminal(text: str):
    line = shown(notification_pb2.Notification(title=text, body=text))
    assert len(line) < 300
    assert not any(unicodedata.category(character)[0] == "C" for character in line)
