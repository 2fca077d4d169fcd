"""Checks of answers: statuses, trailers, streams, leaving, the context, health."""

from __future__ import annotations

import asyncio
import base64
import json

from grpc_health.v1 import health_pb2

from tests.wire.echo import DETAILS, SECRET
from tests.wire.raw import BINARY, Raw, ask, call, frame, post
from tests.wire.registry import mends
from tests.wire.servers import ORIGIN, Server


@mends(1)
async def unary_answer_has_a_readable_trailer(server: Server) -> None:
    answer = await call(server.port, "unary", b"hello")
    assert answer.messages() == [b"hello"]
    assert answer.trailers() == {"grpc-status": "0"}


@mends(1)
async def set_code_reaches_the_client(server: Server) -> None:
    answer = await call(server.port, "set_code")
    assert answer.status_message() == ("9", "not now")


@mends(2)
async def abort_after_a_message_is_a_trailer(server: Server) -> None:
    answer = await call(server.port, "abort_late")
    assert answer.messages() == [b"first"]
    assert answer.status_message() == ("5", "no more")


@mends(3)
async def empty_stream_ends_well(server: Server) -> None:
    answer = await call(server.port, "empty")
    assert answer.status == 200
    assert answer.messages() == []
    assert answer.trailers() == {"grpc-status": "0"}


@mends(3)
async def unwritten_stream_is_unimplemented(server: Server) -> None:
    answer = await call(server.port, "unwritten_stream")
    assert answer.status_message() == ("12", "Method not implemented!")


@mends(8)
async def unhandled_exception_is_internal(server: Server) -> None:
    answer = await call(server.port, "fail", b"", ("origin", ORIGIN))
    assert answer.status == 200
    assert (answer.status_message()[0], answer.reason()) == ("13", "INTERNAL")
    assert SECRET.encode() not in answer.body
    assert answer.header("access-control-allow-origin") == ORIGIN


@mends(8)
async def unhandled_exception_in_a_stream_is_internal(server: Server) -> None:
    answer = await call(server.port, "fail_late")
    assert answer.messages() == [b"first"]
    assert (answer.status_message()[0], answer.reason()) == ("13", "INTERNAL")


async def _leave_and_see(server: Server, method: str) -> None:
    client = await Raw.connect(server.port)
    await client.send(post(f"/echo.Echo/{method}", frame(b"")))
    async with asyncio.timeout(server.patience):
        assert await server.echo.seen.get() == "started"
    client.close()
    async with asyncio.timeout(server.patience):
        assert await server.echo.seen.get() == "CancelledError"


@mends(9)
async def leaving_an_idle_stream_cancels_its_handler(server: Server) -> None:
    await _leave_and_see(server, "idle")


@mends(9)
async def leaving_a_unary_call_cancels_its_handler(server: Server) -> None:
    await _leave_and_see(server, "hang")


@mends(9)
async def leaving_many_idle_streams_cancels_them_all(server: Server) -> None:
    clients = [await Raw.connect(server.port) for _ in range(50)]
    for client in clients:
        await client.send(post("/echo.Echo/idle", frame(b"x")))
        assert (await client.read_head()).status == 200
        await client.read_frames(1)
    for client in clients:
        client.abort()
    async with asyncio.timeout(server.patience):
        seen = [await server.echo.seen.get() for _ in range(100)]
    assert seen.count("CancelledError") == 50


@mends(11)
async def idle_stream_shows_its_headers(server: Server) -> None:
    client = await Raw.connect(server.port)
    try:
        await client.send(post("/echo.Echo/idle", frame(b"")))
        async with asyncio.timeout(server.patience):
            answer = await client.read_head()
        assert answer.status == 200
    finally:
        client.close()


@mends(22)
async def abort_keeps_its_trailing_metadata(server: Server) -> None:
    answer = await call(server.port, "abort")
    fields = answer.trailers()
    details = fields["grpc-status-details-bin"]
    assert answer.status_message() == ("5", "100% größer\n")
    assert fields["x-reason"] == "gone"
    assert base64.b64decode(details + "=" * (-len(details) % 4)) == DETAILS


@mends(22)
async def error_before_any_message_is_in_the_headers_too(server: Server) -> None:
    answer = await call(server.port, "abort")
    assert answer.header("grpc-status") == answer.trailers()["grpc-status"] == "5"
    assert answer.header("grpc-message") == answer.trailers()["grpc-message"]


@mends(24)
async def context_answers_as_grpc_aio_does(server: Server) -> None:
    answer = await call(server.port, "facts")
    facts = json.loads(answer.messages()[0])
    assert facts.pop("peer").startswith("ipv4:127.0.0.1:")
    assert facts == {
        "code": None,
        "details": "",
        "auth": {},
        "identities": None,
        "identity_key": None,
        "trailing": [],
        "cancelled": False,
        "done": False,
        "remaining": None,
    }
    async with asyncio.timeout(server.patience):
        assert await server.echo.seen.get() == "done True"


@mends(24)
async def handler_may_write_through_its_context(server: Server) -> None:
    answer = await call(server.port, "write")
    assert answer.messages() == [b"one", b"two"]
    assert answer.trailers() == {"grpc-status": "0"}


def _health(method: str, service: str) -> bytes:
    message = health_pb2.HealthCheckRequest(service=service).SerializeToString()
    return post(f"/grpc.health.v1.Health/{method}", frame(message), content_type=BINARY)


@mends(25)
async def health_check_of_an_unknown_service_is_not_found(server: Server) -> None:
    answer = await ask(server.port, _health("Check", "nobody"))
    assert answer.status_message()[0] == "5"


@mends(25)
async def health_watch_streams_changes(server: Server) -> None:
    client = await Raw.connect(server.port)
    try:
        await client.send(_health("Watch", "shard-0"))
        assert (await client.read_head()).status == 200
        await client.read_frames(1)
        await server.health.set("shard-0", health_pb2.HealthCheckResponse.SERVING)
        messages = await client.read_frames(2)
    finally:
        client.close()
    seen = [health_pb2.HealthCheckResponse.FromString(message).status for message in messages]
    assert seen == [
        health_pb2.HealthCheckResponse.SERVICE_UNKNOWN,
        health_pb2.HealthCheckResponse.SERVING,
    ]
