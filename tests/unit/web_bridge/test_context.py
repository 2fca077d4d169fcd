from __future__ import annotations

from typing import Any

import grpc
import grpc.aio
import pytest
from google.rpc import status_pb2
from grpc_status import rpc_status

from tests.wire.scripted import ScriptedServer
from web_bridge.context import BridgeContext
from web_bridge.response import Response, ResponseHead

HEAD = ResponseHead(text=False, cors=lambda _: [], text_header_bytes=2048)


def make_context(*, streaming: bool = False, deadline: float | None = None) -> BridgeContext:
    return BridgeContext(
        Response(ScriptedServer("/x").send, HEAD),
        serializer=None,
        metadata=(),
        peer="ipv4:127.0.0.1:1",
        deadline=deadline,
        clock=lambda: 100.0,
        streaming=streaming,
    )


def test_it_is_a_grpc_aio_context() -> None:
    assert isinstance(make_context(), grpc.aio.ServicerContext)


async def test_abort_raises_what_grpc_aio_raises() -> None:
    context = make_context()
    context.set_details("kept when abort has none")
    with pytest.raises(grpc.aio.AbortError):
        await context.abort(grpc.StatusCode.ABORTED)
    status = context.final_status()
    assert (status.code, status.message) == (grpc.StatusCode.ABORTED, "kept when abort has none")
    with pytest.raises(grpc.aio.UsageError):
        await context.abort(grpc.StatusCode.ABORTED)


async def test_abort_needs_an_error() -> None:
    with pytest.raises(TypeError):
        await make_context().abort(grpc.StatusCode.OK)


async def test_abort_with_a_rich_status() -> None:
    rich = status_pb2.Status(code=8, message="slower")
    context = make_context()
    with pytest.raises(grpc.aio.AbortError):
        await context.abort_with_status(rpc_status.to_status(rich))
    status = context.final_status()
    assert status.number == 8
    assert dict(status.trailing)["grpc-status-details-bin"] == rich.SerializeToString()


async def test_usage_errors() -> None:
    context: Any = make_context()
    with pytest.raises(grpc.aio.UsageError):
        await context.write(b"x")
    assert await context.read() is grpc.aio.EOF
    streaming = make_context(streaming=True)
    await streaming.send_initial_metadata((("x-a", "1"),))
    with pytest.raises(grpc.aio.UsageError):
        await streaming.send_initial_metadata((("x-a", "1"),))
    streaming.finish()
    with pytest.raises(grpc.aio.UsageError):
        await streaming.write(b"x")


def test_time_remaining_is_never_negative() -> None:
    assert make_context().time_remaining() is None
    assert make_context(deadline=103.0).time_remaining() == 3.0
    assert make_context(deadline=99.0).time_remaining() == 0.0


def test_codes_by_number() -> None:
    context = make_context()
    assert context.code() is None
    context.set_code(5)
    assert context.code() is grpc.StatusCode.NOT_FOUND
    context.set_code(99)
    assert context.code() is grpc.StatusCode.UNKNOWN
