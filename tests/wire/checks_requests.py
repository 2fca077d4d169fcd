"""Checks of bad input: headers, timeouts, frames, text mode, injected lines."""

from __future__ import annotations

import base64
import json
import struct

from tests.wire.raw import PREFIX, TEXT, ask, call, frame, post
from tests.wire.registry import mends
from tests.wire.servers import MESSAGE_BYTES, Server


@mends(6)
async def several_messages_are_refused(server: Server) -> None:
    body = frame(b"a") + frame(b"b") + frame(b"c")
    answer = await ask(server.port, post("/echo.Echo/unary", body))
    assert answer.status_message()[0] == "3"
    assert server.echo.calls == 0


@mends(18)
async def http_1_0_without_host_is_served(server: Server) -> None:
    raw = post("/echo.Echo/unary", frame(b"x"), host=None).replace(b"HTTP/1.1", b"HTTP/1.0", 1)
    answer = await ask(server.port, raw)
    assert answer.messages() == [b"x"]
    assert answer.trailers()["grpc-status"] == "0"


@mends(18)
async def non_ascii_header_is_refused(server: Server) -> None:
    answer = await call(server.port, "unary", b"x", ("x-name", "größe"))
    status, message = answer.status_message()
    assert status == "3"
    assert "x-name" in message


@mends(18)
async def binary_headers_may_be_unpadded_or_joined(server: Server) -> None:
    answer = await call(server.port, "metadata", b"", ("x-a-bin", "AQI"), ("x-b-bin", "AQ==,Ag"))
    pairs = json.loads(answer.messages()[0])
    assert ["x-a-bin", "0102"] in pairs
    assert ["x-b-bin", "01"] in pairs
    assert ["x-b-bin", "02"] in pairs


@mends(18)
async def bad_binary_header_is_refused(server: Server) -> None:
    answer = await call(server.port, "unary", b"x", ("x-a-bin", "!!!"))
    assert answer.status_message()[0] == "3"
    assert server.echo.calls == 0


async def _bad_timeout(server: Server, *values: str) -> None:
    headers = [("grpc-timeout", value) for value in values]
    answer = await call(server.port, "unary", b"x", *headers)
    assert answer.status_message()[0] == "3", values
    assert server.echo.calls == 0


@mends(18)
async def malformed_timeouts_are_refused(server: Server) -> None:
    for value in ("", "15", "abc", "S", "1.5S"):
        await _bad_timeout(server, value)


@mends(18)
async def negative_timeout_is_refused(server: Server) -> None:
    await _bad_timeout(server, "-1S")


@mends(18)
async def endless_timeout_is_refused(server: Server) -> None:
    await _bad_timeout(server, "12345678901234S")


@mends(18)
async def repeated_timeout_is_refused(server: Server) -> None:
    await _bad_timeout(server, "5S", "6S")


async def _malformed(server: Server, body: bytes, status: str = "3") -> None:
    answer = await ask(server.port, post("/echo.Echo/unary", body))
    assert answer.status_message()[0] == status
    assert server.echo.calls == 0


@mends(19)
async def empty_body_is_refused(server: Server) -> None:
    await _malformed(server, b"")


@mends(19)
async def cut_prefix_is_refused(server: Server) -> None:
    await _malformed(server, b"\x00\x00\x00")


@mends(19)
async def cut_message_is_refused(server: Server) -> None:
    await _malformed(server, PREFIX.pack(0, 100) + b"short")


@mends(19)
async def huge_length_is_refused(server: Server) -> None:
    await _malformed(server, struct.pack(">BI", 0, 0xFFFFFFFF) + b"x")


@mends(19)
async def extra_bytes_are_refused(server: Server) -> None:
    await _malformed(server, frame(b"x") + b"y")


@mends(19)
async def trailer_frame_is_no_message(server: Server) -> None:
    await _malformed(server, frame(b"grpc-status: 0\r\n", flags=0x80))


@mends(19)
async def compressed_message_is_unimplemented(server: Server) -> None:
    await _malformed(server, frame(b"x", flags=1), "12")


@mends(19)
async def oversize_message_is_refused(server: Server) -> None:
    await _malformed(server, frame(b"x" * (MESSAGE_BYTES + 1)), "8")


@mends(20)
async def bad_base64_is_refused(server: Server) -> None:
    good = base64.b64encode(frame(b"hello")).decode()
    for body in (good[:-1], good[:4] + "!" + good[4:], "=" + good, good[:6] + "\n" + good[6:]):
        answer = await ask(server.port, post("/echo.Echo/unary", body.encode(), content_type=TEXT))
        assert answer.status_message(text=True)[0] == "3", body
    assert server.echo.calls == 0


@mends(21)
async def trailing_metadata_cannot_write_lines(server: Server) -> None:
    for note in (b"a\r\ngrpc-status: 0", b"a\nx-injected: yes", b"\xff"):
        answer = await call(server.port, "inject", note)
        assert answer.status_message() == ("13", "invalid metadata")
        assert b"x-injected" not in answer.body
