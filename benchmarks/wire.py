"""Bytes of gRPC on HTTP/2 and grpc-web on HTTP/1.1, as far as the load generator sends them.

Sources: RFC 9113 (HTTP/2), RFC 7541 (HPACK; literals without indexing, no Huffman), the
gRPC-over-HTTP/2 and grpc-web protocol descriptions.
"""

from __future__ import annotations

from struct import pack
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

WINDOW_MAX = 2**31 - 1

_PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
_DATA, _HEADERS, _SETTINGS, _WINDOW_UPDATE = 0x0, 0x1, 0x4, 0x8
_END_HEADERS = 0x4
_SETTING_ENABLE_PUSH, _SETTING_INITIAL_WINDOW, _SETTING_MAX_FRAME = 0x2, 0x4, 0x5
_MAX_FRAME = 1 << 20
_DEFAULT_WINDOW = 65_535
_STREAM = 1
FRAME_HEAD_BYTES = 9
_MESSAGE_HEAD_BYTES = 5
_BROWSER = (
    "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) "
    "Chrome/140.0 Safari/537.36"
)


def grpc_message(body: bytes) -> bytes:
    """One length-prefixed, uncompressed gRPC message."""
    return b"\x00" + pack(">I", len(body)) + body


def split_messages(data: bytes) -> list[bytes]:
    """The bodies of all whole gRPC messages at the start of ``data``; the rest is left out."""
    bodies = []
    while len(data) >= _MESSAGE_HEAD_BYTES:
        end = _MESSAGE_HEAD_BYTES + int.from_bytes(data[1:_MESSAGE_HEAD_BYTES], "big")
        if len(data) < end:
            break
        bodies.append(data[_MESSAGE_HEAD_BYTES:end])
        data = data[end:]
    return bodies


def data_frame(messages: Iterable[bytes]) -> bytes:
    """One DATA frame on stream 1 with the given message bodies; does not end the stream."""
    return _frame(_DATA, 0, _STREAM, b"".join(map(grpc_message, messages)))


def h2_call(
    path: str, authority: str, messages: Iterable[bytes], metadata: Iterable[tuple[str, str]] = ()
) -> bytes:
    """What a client sends to open one streaming call by prior knowledge, with its first messages.

    Args:
        path: of the method, ``/package.Service/Method``.
        authority: host and port.
        messages: bodies to send in the first DATA frame.
        metadata: further headers, in lower case.

    Returns:
        Preface, SETTINGS with the largest windows, WINDOW_UPDATE, HEADERS and DATA.
    """
    settings = pack(">HI", _SETTING_ENABLE_PUSH, 0)
    settings += pack(">HI", _SETTING_INITIAL_WINDOW, WINDOW_MAX) + pack(
        ">HI", _SETTING_MAX_FRAME, _MAX_FRAME
    )
    headers = [
        (":method", "POST"),
        (":scheme", "http"),
        (":path", path),
        (":authority", authority),
        ("te", "trailers"),
        ("content-type", "application/grpc"),
        ("user-agent", "shipspeak-bench/1"),
        *metadata,
    ]
    return b"".join(
        (
            _PREFACE,
            _frame(_SETTINGS, 0, 0, settings),
            _frame(_WINDOW_UPDATE, 0, 0, pack(">I", WINDOW_MAX - _DEFAULT_WINDOW)),
            _frame(
                _HEADERS, _END_HEADERS, _STREAM, b"".join(_literal(*header) for header in headers)
            ),
            data_frame(messages),
        )
    )


def h1_call(
    path: str, authority: str, message: bytes, origin: str, metadata: Iterable[tuple[str, str]] = ()
) -> bytes:
    """A grpc-web call as a browser sends it over HTTP/1.1, with headers of a browser's size."""
    body = grpc_message(message)
    headers = [
        ("Host", authority),
        ("Connection", "keep-alive"),
        ("Content-Length", str(len(body))),
        ("Content-Type", "application/grpc-web+proto"),
        ("X-Grpc-Web", "1"),
        ("X-User-Agent", "shipspeak-bench/1"),
        ("Origin", origin),
        ("Referer", f"{origin}/"),
        ("Accept", "*/*"),
        ("Accept-Encoding", "gzip, deflate, br, zstd"),
        ("Accept-Language", "en-GB,en;q=0.9"),
        ("Sec-Fetch-Site", "same-origin"),
        ("Sec-Fetch-Mode", "cors"),
        ("Sec-Fetch-Dest", "empty"),
        (
            "User-Agent",
            _BROWSER,
        ),
        *metadata,
    ]
    head = "".join(f"{name}: {value}\r\n" for name, value in headers)
    return f"POST {path} HTTP/1.1\r\n{head}\r\n".encode("ascii") + body


def _frame(kind: int, flags: int, stream: int, payload: bytes) -> bytes:
    return pack(">I", len(payload))[1:] + pack(">BBI", kind, flags, stream) + payload


def _literal(name: str, value: str) -> bytes:
    return b"\x00" + _string(name) + _string(value)


def _string(text: str) -> bytes:
    data = text.encode("ascii")
    return _length(len(data)) + data


def _length(value: int) -> bytes:
    limit = 127
    if value < limit:
        return bytes((value,))
    out = [limit]
    value -= limit
    while value >= 128:
        out.append(value % 128 + 128)
        value //= 128
    return bytes((*out, value))
