"""I2: which texts may be shown."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.model.text import is_unsafe, unsafe_field
from shipspeak.realtime.v1 import event_pb2, frame_pb2


@pytest.mark.parametrize(
    "text",
    ["", "two\nlines\tand a tab\r\n", "\u05d0\u200f1", "👩\u200d🚀", "Zoë", "\u2028", "a" * 4000],
)
def test_what_scripts_and_emoji_need_may_be_shown(text: str) -> None:
    assert not is_unsafe(text)


@pytest.mark.parametrize(
    "code", [0, 8, 0x0B, 0x1B, 0x7F, 0x85, 0x9F, 0x202A, 0x202E, 0x2066, 0x2069]
)
def test_what_steers_the_display_must_not(code: int) -> None:
    assert is_unsafe(f"a{chr(code)}b")


def test_the_path_of_the_field_is_told_wherever_it_is() -> None:
    bad = "\x1b[2J"
    content = event_pb2.Content()
    content.meeting.failed.options.add(label="ok")
    content.meeting.failed.options.add(label=bad)
    assert unsafe_field(content) == "meeting.failed.options[1].label"
    content = event_pb2.Content()
    content.meeting.stage_changed.stages.extend(["fine", bad])
    assert unsafe_field(content) == "meeting.stage_changed.stages[1]"
    assert unsafe_field(frame_pb2.SetPresence(metadata={"mood": bad})) == "metadata['mood']"
    assert unsafe_field(event_pb2.Content(key=bad)) == "key"


@given(st.text())
def test_a_notification_is_unsafe_iff_its_text_is(text: str) -> None:
    content = event_pb2.Content()
    content.notification.body = text
    assert (unsafe_field(content) != "") == is_unsafe(text)
