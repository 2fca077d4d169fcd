from __future__ import annotations

import base64

import grpc
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.errors import HubError, InvalidArgument, Unimplemented
from web_bridge.framing import data_frame, decode_text, encode_text, single_message, trailer_frame
from web_bridge.metadata import MetadataError
from web_bridge.status import OK, Status


@given(st.binary())
def test_a_written_frame_is_read_back(message: bytes) -> None:
    assert single_message(data_frame(message)) == message
    assert single_message(decode_text(encode_text(data_frame(message)))) == message


@given(st.lists(st.binary(min_size=1), max_size=20))
def test_text_may_be_joined_from_padded_pieces(pieces: list[bytes]) -> None:
    assert decode_text(b"".join(base64.b64encode(piece) for piece in pieces)) == b"".join(pieces)


@given(st.binary(max_size=64))
def test_garbage_is_refused_with_a_typed_error_or_is_a_frame(body: bytes) -> None:
    try:
        message = single_message(body)
    except HubError:
        return
    assert data_frame(message) == body


@given(st.binary(max_size=64))
def test_garbage_text_is_refused_or_is_base64(body: bytes) -> None:
    try:
        decoded = decode_text(body)
    except InvalidArgument:
        return
    # Unused bits of a last group may differ; the text's length may not.
    assert len(body) % 4 == 0
    assert len(decoded) <= len(body) * 3 // 4


def test_many_pieces_are_refused() -> None:
    with pytest.raises(InvalidArgument):
        decode_text(b"AA==" * 65)


def test_compressed_is_unimplemented() -> None:
    with pytest.raises(Unimplemented):
        single_message(b"\x01\x00\x00\x00\x00")


def test_trailer_frame_bytes() -> None:
    assert trailer_frame(OK) == b"\x80\x00\x00\x00\x10grpc-status: 0\r\n"
    status = Status(grpc.StatusCode.NOT_FOUND, "ü%", (("x-a-bin", b"\x01"),))
    block = b"grpc-status: 5\r\ngrpc-message: %C3%BC%25\r\nx-a-bin: AQ\r\n"
    assert trailer_frame(status) == b"\x80\x00\x00\x00" + bytes([len(block)]) + block


@given(st.text(), st.text())
def test_trailers_never_hold_lines_of_their_own(message: str, value: str) -> None:
    status = Status(grpc.StatusCode.ABORTED, message, (("x-note", value),))
    try:
        frame = trailer_frame(status)
    except MetadataError:
        return
    names = [line.split(b":")[0] for line in frame[5:].removesuffix(b"\r\n").split(b"\r\n")]
    assert names == [b"grpc-status", *([b"grpc-message"] if message else []), b"x-note"]
