"""Cursors as text."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shipspeak_realtime import Cursor, InvalidRequestError

topics = st.from_regex(r"[a-z]{1,8}/[a-z0-9@._-]{1,8}(/[a-z0-9]{1,8})?", fullmatch=True)


ids = st.from_regex(r"[A-Za-z0-9._:-]{0,64}", fullmatch=True)


@given(topics, st.binary(max_size=100), st.integers(0, 2**64 - 1), ids)
def test_what_is_written_is_read_back(topic: str, token: bytes, offset: int, handled_id: str):
    cursor = Cursor(topic, token, offset, handled_id)
    assert Cursor.parse(str(cursor)) == cursor


@pytest.mark.parametrize("text", ["", "meeting/1", "meeting/1@x.AA", "@1.AA", "a/b@1.!!", "a/b@1"])
def test_other_text_is_refused(text: str):
    with pytest.raises(InvalidRequestError) as caught:
        Cursor.parse(text)
    assert caught.value.reason == "CURSOR_INVALID"
