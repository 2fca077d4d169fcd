"""A cursor comes back as it went, and any damage is refused."""

from __future__ import annotations

import struct
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.errors import InvalidArgument
from hub.model.cursor import VERSION, Cursor, decode_cursor, encode_cursor

TOPIC = "meeting/42"
_U64 = st.integers(0, 2**64 - 1)
_ID = st.from_regex(r"[A-Za-z0-9._:-]{0,64}", fullmatch=True)


@given(epoch=_U64, offset=_U64, as_of=_U64, event_id=_ID)
def test_it_comes_back_as_it_went(epoch: int, offset: int, as_of: int, event_id: str) -> None:
    cursor = Cursor(epoch, offset, event_id, as_of)
    token = encode_cursor(TOPIC, cursor)
    assert decode_cursor(TOPIC, token) == cursor
    assert len(token) == 33 + len(event_id)


def test_every_damaged_byte_is_refused() -> None:
    token = encode_cursor(TOPIC, Cursor(77, 12, "0190-abc", 1_700_000_000_000))
    for place in range(len(token)):
        for mask in (0x01, 0x80, 0xFF):
            damaged = bytearray(token)
            damaged[place] ^= mask
            _refused(TOPIC, bytes(damaged))


def test_every_cut_and_every_addition_is_refused() -> None:
    token = encode_cursor(TOPIC, Cursor(77, 12, "0190-abc", 1))
    for size in range(len(token)):
        _refused(TOPIC, token[:size])
        _refused(TOPIC, token[len(token) - size :])
    _refused(TOPIC, token + b"\0")
    _refused(TOPIC, token + token)


@given(st.binary(max_size=512))
def test_garbage_is_refused(token: bytes) -> None:
    _refused(TOPIC, token)


def test_another_topics_cursor_is_refused() -> None:
    assert "another topic" in _refused(TOPIC, encode_cursor("meeting/43", Cursor(1, 1)))


def test_another_version_is_refused() -> None:
    payload = struct.pack(">BIQQQ", VERSION + 1, zlib.crc32(TOPIC.encode()), 1, 2, 3)
    token = payload + struct.pack(">I", zlib.crc32(payload))
    assert f"version {VERSION + 1}" in _refused(TOPIC, token)


def test_an_id_that_is_no_text_is_refused() -> None:
    payload = struct.pack(">BIQQQ", VERSION, zlib.crc32(TOPIC.encode()), 1, 2, 3) + b"\xff\xfe"
    token = payload + struct.pack(">I", zlib.crc32(payload))
    assert "no readable event id" in _refused(TOPIC, token)


def _refused(topic: str, token: bytes) -> str:
    with pytest.raises(InvalidArgument) as caught:
        decode_cursor(topic, token)
    assert caught.value.reason_name == "CURSOR_INVALID"
    assert caught.value.topic == topic
    return caught.value.message
