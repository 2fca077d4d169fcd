"""The general path on the wire, where stock sonora is no measure."""

from __future__ import annotations

import asyncio
import base64
import dataclasses
from typing import Any

import grpc
import grpc.aio
import pytest
from grpc_health.v1 import health_pb2

from hub.errors import ResourceExhausted
from shipspeak.realtime.v1 import error_reason_pb2 as reasons
from tests.wire.raw import TEXT, Raw, ask, call, frame, post
from tests.wire.servers import LIMITS, MESSAGE_BYTES, ORIGIN, running_bridge


async def test_thousand_messages_in_order_when_the_body_ends_late() -> None:
    body = frame(b"1000")
    head = post("/echo.Echo/count", b"").replace(
        b"content-length: 0", b"transfer-encoding: chunked"
    )
    async with running_bridge() as server:
        for text in (False, True):
            sent = base64.b64encode(body) if text else body
            start = head.replace(b"application/grpc-web+proto", TEXT) if text else head
            answer = await ask(
                server.port, start, b"%x\r\n%s" % (len(sent), sent), b"\r\n0\r\n", b"\r\n"
            )
            assert answer.messages(text=text) == [b"%d" % number for number in range(1000)]
            assert answer.trailers(text=text) == {"grpc-status": "0"}


async def test_unary_answer_has_a_length_and_keeps_the_connection() -> None:
    async with running_bridge() as server:
        client = await Raw.connect(server.port)
        for number in range(3):
            await client.send(post("/echo.Echo/unary", frame(b"%d" % number)))
            answer = await client.read_answer()
            assert answer.header("content-length") == str(len(answer.body))
            assert answer.messages() == [b"%d" % number]
        client.close()


@pytest.mark.parametrize("method", ["hang", "idle"])
async def test_deadline_cancels_the_handler(method: str) -> None:
    async with running_bridge() as server:
        answer = await call(server.port, method, b"", ("grpc-timeout", "500m"))
        assert answer.status_message() == ("4", "deadline exceeded")
        assert await server.echo.seen.get() == "started"
        assert await server.echo.seen.get() == "CancelledError"


async def test_deadline_after_messages_is_a_trailer() -> None:
    async with running_bridge() as server:
        answer = await call(server.port, "idle", b"one", ("grpc-timeout", "500m"))
        assert answer.messages() == [b"one"]
        assert answer.status_message()[0] == "4"
        assert answer.header("grpc-status") is None


async def test_handler_that_ignores_its_cancellation_is_reported_and_not_waited_for(
    caplog: pytest.LogCaptureFixture,
) -> None:
    limits = dataclasses.replace(LIMITS, cancel_seconds=0.05)
    async with running_bridge(limits=limits) as server:
        try:
            answer = await call(server.port, "stubborn", b"", ("grpc-timeout", "500m"))
        finally:
            server.echo.released.set()
        assert answer.messages() == [b"first"]
        assert answer.status_message()[0] == "4"
        assert "/echo.Echo/stubborn did not end" in caplog.text
        while await server.echo.seen.get() != "ended":
            pass


async def test_deadline_that_has_passed() -> None:
    async with running_bridge() as server:
        answer = await call(server.port, "hang", b"", ("grpc-timeout", "0S"))
        assert answer.status_message()[0] == "4"


async def test_initial_metadata_is_in_the_headers_and_exposed() -> None:
    async with running_bridge() as server:
        answer = await call(server.port, "initial", b"", ("origin", ORIGIN))
        assert answer.header("x-served-by") == "echo"
        assert answer.header("x-raw-bin") == "AQI"
        exposed = (answer.header("access-control-expose-headers") or "").split(", ")
        assert {"x-served-by", "x-raw-bin"} <= set(exposed)


@pytest.mark.parametrize(
    "name", [b"content-length", b"set-cookie", b"access-control-allow-origin", b"Upper", b"a b"]
)
async def test_initial_metadata_cannot_set_our_headers(name: bytes) -> None:
    async with running_bridge() as server:
        answer = await call(server.port, "initial_bad", name)
        assert (answer.status_message()[0], answer.reason()) == ("13", "INTERNAL")
        assert answer.header("set-cookie") is None


async def test_unknown_method_is_unimplemented() -> None:
    async with running_bridge() as server:
        for path in ("/echo.Echo/nothing", "/nobody.Nothing/unary", "/"):
            answer = await ask(server.port, post(path, frame(b"")))
            assert answer.status_message()[0] == "12", path
            assert answer.reason() == "FEATURE_UNAVAILABLE"


async def test_client_stream_is_unimplemented() -> None:
    async with running_bridge() as server:
        answer = await call(server.port, "upload", b"x")
        status, message = answer.status_message()
        assert status == "12"
        assert "client stream" in message
        assert server.echo.calls == 0


async def test_compression_is_refused_and_identity_named() -> None:
    async with running_bridge() as server:
        body = frame(b"\x1f\x8b", flags=1)
        answer = await ask(server.port, post("/echo.Echo/unary", body, ("grpc-encoding", "gzip")))
        assert answer.status_message()[0] == "12"
        assert answer.header("grpc-accept-encoding") == "identity"


async def test_unparsable_message_is_refused() -> None:
    async with running_bridge() as server:
        answer = await ask(server.port, post("/grpc.health.v1.Health/Check", frame(b"\xff\xff")))
        assert answer.status_message()[0] == "3"
        assert answer.reason() == "FRAME_MALFORMED"


async def test_oversize_body_is_read_away_and_answered() -> None:
    async with running_bridge() as server:
        client = await Raw.connect(server.port)
        await client.send(post("/echo.Echo/unary", frame(bytes(3 * MESSAGE_BYTES))))
        answer = await client.read_answer()
        assert answer.status_message()[0] == "8"
        assert answer.reason() == "FRAME_TOO_LARGE"
        await client.send(post("/echo.Echo/unary", frame(b"small")))
        assert (await client.read_answer()).messages() == [b"small"]
        client.close()


async def test_endless_body_is_answered_and_cut() -> None:
    async with running_bridge() as server:
        client = await Raw.connect(server.port)
        await client.send(post("/echo.Echo/unary", b"", length=1 << 30))
        chunk = bytes(64 * 1024)
        for _ in range((LIMITS.discard_bytes + MESSAGE_BYTES) // len(chunk) + 2):
            await client.send(chunk)
        answer = await client.read_answer()
        assert answer.status_message()[0] == "8"
        assert answer.header("connection") == "close"
        client.close()


async def test_slow_body_is_answered_408() -> None:
    async with running_bridge() as server:
        client = await Raw.connect(server.port)
        await client.send(post("/echo.Echo/unary", b"\x00", length=100))
        answer = await client.read_answer()
        assert answer.status == 408
        assert answer.header("connection") == "close"
        assert await client.ended() == b""
        assert server.echo.calls == 0
        client.close()


async def test_slow_head_is_answered_408() -> None:
    async with running_bridge(head_seconds=0.1) as server:
        for sent in (b"", b"POST /echo.Echo/unary HTTP/1.1\r\nhost: hub.te"):
            client = await Raw.connect(server.port)
            await client.send(sent)
            assert (await client.ended()).startswith(b"HTTP/1.1 408 ")
            client.close()


async def test_time_for_the_head_does_not_bound_the_answer() -> None:
    async with running_bridge(head_seconds=1.0) as server:
        answer = await call(server.port, "idle", b"x", ("grpc-timeout", "1500m"))
        assert answer.messages() == [b"x"]
        assert answer.status_message()[0] == "4"


async def test_endless_head_is_refused() -> None:
    async with running_bridge() as server:
        client = await Raw.connect(server.port)
        await client.send(b"GET / HTTP/1.1\r\n" + b"x-padding: %s\r\n" % (b"a" * 1000) * 70)
        assert (await client.ended()).startswith(b"HTTP/1.1 400 ")
        client.close()


async def test_streams_are_capped() -> None:
    limits = dataclasses.replace(LIMITS, streams=2)
    async with running_bridge(limits=limits) as server:
        clients = [await Raw.connect(server.port) for _ in range(2)]
        for client in clients:
            await client.send(post("/echo.Echo/idle", frame(b"x")))
            await client.read_head()
        answer = await call(server.port, "idle", b"x")
        assert answer.status_message()[0] == "8"
        assert answer.reason() == "CONNECTION_LIMIT"
        assert (await call(server.port, "unary", b"x")).messages() == [b"x"]
        for client in clients:
            client.close()


class Recording(grpc.aio.ServerInterceptor):
    """Sees each call; refuses one method, breaks on another."""

    def __init__(self, name: str, seen: list[str]) -> None:
        self._name = name
        self._seen = seen

    async def intercept_service(self, continuation: Any, handler_call_details: Any) -> Any:
        metadata = dict(handler_call_details.invocation_metadata)
        self._seen.append(f"{self._name} {handler_call_details.method} {metadata.get('x-user')}")
        if metadata.get("x-user") == "flood":
            raise ResourceExhausted(reasons.ERROR_REASON_RATE_LIMITED, "slower", retry_after=2)
        if metadata.get("x-user") == "break":
            raise RuntimeError("a secret")
        handler = await continuation(handler_call_details)
        if metadata.get("x-user") != "nobody":
            return handler

        async def deny(request: Any, context: grpc.aio.ServicerContext[Any, Any]) -> None:
            await context.abort(grpc.StatusCode.UNAUTHENTICATED, "who are you?")

        return grpc.unary_unary_rpc_method_handler(deny)


async def test_interceptors_see_calls_in_order_and_may_refuse() -> None:
    seen: list[str] = []
    chain = (Recording("outer", seen), Recording("inner", seen))
    async with running_bridge(interceptors=chain) as server:
        answer = await call(server.port, "unary", b"x", ("x-user", "alice"))
        assert answer.messages() == [b"x"]
        assert seen == ["outer /echo.Echo/unary alice", "inner /echo.Echo/unary alice"]
        answer = await call(server.port, "unary", b"x", ("x-user", "nobody"))
        assert answer.status_message() == ("16", "who are you?")
        answer = await call(server.port, "unary", b"x", ("x-user", "flood"))
        assert answer.status_message() == ("8", "slower")
        assert answer.reason() == "RATE_LIMITED"
        answer = await call(server.port, "unary", b"x", ("x-user", "break"))
        assert (answer.status_message()[0], answer.reason()) == ("13", "INTERNAL")
        assert server.echo.calls == 1


async def test_health_check_and_watch_in_text_mode() -> None:
    message = health_pb2.HealthCheckRequest(service="").SerializeToString()
    body = base64.b64encode(frame(message))
    async with running_bridge() as server:
        answer = await ask(
            server.port, post("/grpc.health.v1.Health/Check", body, content_type=TEXT)
        )
        health = health_pb2.HealthCheckResponse.FromString(answer.messages(text=True)[0])
        assert health.status == health_pb2.HealthCheckResponse.SERVING
        assert answer.trailers(text=True) == {"grpc-status": "0"}


async def test_two_calls_do_not_wait_for_each_other() -> None:
    async with running_bridge() as server:
        slow = asyncio.create_task(call(server.port, "hang", b"", ("grpc-timeout", "60S")))
        assert await server.echo.seen.get() == "started"
        assert (await call(server.port, "unary", b"x")).messages() == [b"x"]
        assert not slow.done()
        slow.cancel()
        assert await server.echo.seen.get() == "CancelledError"
