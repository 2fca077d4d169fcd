from __future__ import annotations

from urllib.parse import unquote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.errors import InvalidArgument
from web_bridge.metadata import (
    MetadataError,
    Metadatum,
    decode_metadata,
    decode_timeout,
    encode_initial_metadata,
    encode_metadata,
    percent_encode,
)


def test_browser_headers_are_no_metadata() -> None:
    headers = [
        (b"host", b"x"),
        (b"cookie", b"id=1"),
        (b"sec-fetch-mode", b"cors"),
        (b"grpc-timeout", b"1S"),
        (b"traceparent", b"00-1"),
        (b"user-agent", b"test"),
    ]
    assert decode_metadata(headers) == (
        Metadatum("traceparent", "00-1"),
        Metadatum("user-agent", "test"),
    )


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (b"AQI=", [b"\x01\x02"]),
        (b"AQI", [b"\x01\x02"]),
        (b"AQ, Ag", [b"\x01", b"\x02"]),
        (b"", [b""]),
    ],
)
def test_binary_values(value: bytes, expected: list[bytes]) -> None:
    pairs = decode_metadata([(b"x-bin", value)])
    assert [pair.value for pair in pairs] == expected


@given(st.binary())
def test_any_value_is_metadata_or_refused(value: bytes) -> None:
    for name in (b"x-a", b"x-a-bin"):
        try:
            pairs = decode_metadata([(name, value)])
        except InvalidArgument as error:
            named = {error.metadata["field"]}
        else:
            named = {pair.key for pair in pairs}
        assert named == {name.decode()}


@given(st.binary())
def test_binary_values_survive(value: bytes) -> None:
    ((name, text),) = encode_metadata([("x-bin", value)])
    (pair,) = decode_metadata([(name.encode(), text.encode())])
    assert pair.value == value


@pytest.mark.parametrize(
    ("value", "seconds"),
    [(b"2H", 7200), (b"3M", 180), (b"5S", 5), (b"250m", 0.25), (b"99999999n", 0.099999999)],
)
def test_timeouts(value: bytes, seconds: float) -> None:
    assert decode_timeout([(b"grpc-timeout", value)]) == pytest.approx(seconds)


def test_no_timeout() -> None:
    assert decode_timeout([]) is None


@pytest.mark.parametrize("value", [b"", b"5", b"S", b"-1S", b"1.5S", b"123456789S", b"5s", b" 5S"])
def test_bad_timeouts(value: bytes) -> None:
    with pytest.raises(InvalidArgument):
        decode_timeout([(b"grpc-timeout", value)])


def test_two_timeouts() -> None:
    with pytest.raises(InvalidArgument):
        decode_timeout([(b"grpc-timeout", b"1S"), (b"grpc-timeout", b"1S")])


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("x-a", "line\nbreak"),
        ("x-a", "größe"),
        ("x-a", b"bytes"),
        ("X-Upper", "a"),
        ("x a", "a"),
        ("", "a"),
        ("grpc-status", "0"),
        (":path", "/"),
    ],
)
def test_bad_metadata_never_leaves(key: str, value: str | bytes) -> None:
    with pytest.raises(MetadataError):
        encode_metadata([(key, value)])


@pytest.mark.parametrize("key", ["content-length", "set-cookie", "access-control-max-age", "vary"])
def test_headers_of_ours_cannot_be_set(key: str) -> None:
    with pytest.raises(MetadataError):
        encode_initial_metadata([(key, "1")])


@given(st.text(st.characters(exclude_categories=["Cs"])))
def test_messages_survive_as_printable_ascii(message: str) -> None:
    encoded = percent_encode(message)
    assert encoded.isascii()
    assert encoded.isprintable()
    assert unquote(encoded) == message
