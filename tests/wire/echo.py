"""A small service over bytes, whose methods do what servicers do, good and bad."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING, Any

import grpc

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

SECRET = "the database password is hunter2"
DETAILS = b"\x00\x01\xfe\xff rich"


class Echo:
    """Also a witness: what happened to its calls is in `seen`."""

    def __init__(self) -> None:
        self.seen: asyncio.Queue[str] = asyncio.Queue()
        self.calls = 0
        self.released = asyncio.Event()

    async def unary(self, request: bytes, context: Any) -> bytes:
        self.calls += 1
        return bytes(request)

    async def count(self, request: bytes, context: Any) -> AsyncIterator[bytes]:
        for number in range(int(request)):
            yield b"%d" % number

    async def empty(self, request: bytes, context: Any) -> AsyncIterator[bytes]:
        for number in range(0):
            yield b"%d" % number

    async def abort(self, request: bytes, context: Any) -> bytes:
        trailing = (("x-reason", "gone"), ("grpc-status-details-bin", DETAILS))
        await context.abort(grpc.StatusCode.NOT_FOUND, "100% größer\n", trailing)
        return b""

    async def abort_late(self, request: bytes, context: Any) -> AsyncIterator[bytes]:
        yield b"first"
        await context.abort(grpc.StatusCode.NOT_FOUND, "no more")

    async def set_code(self, request: bytes, context: Any) -> bytes:
        context.set_code(grpc.StatusCode.FAILED_PRECONDITION)
        context.set_details("not now")
        return b""

    async def fail(self, request: bytes, context: Any) -> bytes:
        raise RuntimeError(SECRET)

    async def fail_late(self, request: bytes, context: Any) -> AsyncIterator[bytes]:
        yield b"first"
        raise RuntimeError(SECRET)

    def unwritten(self, request: bytes, context: Any) -> bytes:
        # As grpc_tools generates it.
        context.set_code(grpc.StatusCode.UNIMPLEMENTED)
        context.set_details("Method not implemented!")
        raise NotImplementedError("Method not implemented!")

    async def idle(self, request: bytes, context: Any) -> AsyncIterator[bytes]:
        if request:
            yield bytes(request)
        await self._wait_for_the_end()

    async def hang(self, request: bytes, context: Any) -> bytes:
        await self._wait_for_the_end()
        return b""

    async def stubborn(self, request: bytes, context: Any) -> AsyncIterator[bytes]:
        yield b"first"
        while not self.released.is_set():
            try:
                await self.released.wait()
            except asyncio.CancelledError:
                self.seen.put_nowait("ignored")
        yield b"too late"
        self.seen.put_nowait("ended")

    async def write(self, request: bytes, context: Any) -> None:
        await context.write(b"one")
        await context.write(b"two")

    async def metadata(self, request: bytes, context: Any) -> bytes:
        pairs = [
            [key, value.hex() if isinstance(value, bytes) else value]
            for key, value in context.invocation_metadata()
        ]
        return json.dumps(pairs).encode()

    async def inject(self, request: bytes, context: Any) -> bytes:
        context.set_trailing_metadata((("x-note", bytes(request).decode("latin-1")),))
        return b"answer"

    async def initial(self, request: bytes, context: Any) -> bytes:
        await context.send_initial_metadata((("x-served-by", "echo"), ("x-raw-bin", b"\x01\x02")))
        return b"answer"

    async def initial_bad(self, request: bytes, context: Any) -> bytes:
        await context.send_initial_metadata(((bytes(request).decode(), "value"),))
        return b"answer"

    async def facts(self, request: bytes, context: Any) -> bytes:
        facts = {
            "code": None if context.code() is None else context.code().name,
            "details": context.details(),
            "peer": context.peer(),
            "auth": dict(context.auth_context()),
            "identities": context.peer_identities(),
            "identity_key": context.peer_identity_key(),
            "trailing": list(context.trailing_metadata()),
            "cancelled": context.cancelled(),
            "done": context.done(),
            "remaining": context.time_remaining(),
        }
        context.add_done_callback(lambda done: self.seen.put_nowait(f"done {done.done()}"))
        return json.dumps(facts).encode()

    async def _wait_for_the_end(self) -> None:
        self.seen.put_nowait("started")
        try:
            await asyncio.Event().wait()
        except BaseException as error:
            self.seen.put_nowait(type(error).__name__)
            raise

    def handler(self) -> grpc.GenericRpcHandler:
        unary = (
            self.unary,
            self.abort,
            self.set_code,
            self.fail,
            self.unwritten,
            self.hang,
            self.metadata,
            self.inject,
            self.initial,
            self.initial_bad,
            self.facts,
        )
        streams = (
            self.count,
            self.empty,
            self.abort_late,
            self.fail_late,
            self.idle,
            self.stubborn,
            self.write,
        )
        methods = {
            method.__name__: grpc.unary_unary_rpc_method_handler(method, bytes, bytes)
            for method in unary
        }
        for stream in streams:
            handler = grpc.unary_stream_rpc_method_handler(stream, bytes, bytes)
            methods[stream.__name__] = handler
        unwritten = grpc.unary_stream_rpc_method_handler(self.unwritten, bytes, bytes)
        methods["unwritten_stream"] = unwritten
        methods["upload"] = grpc.stream_unary_rpc_method_handler(self.unary, bytes, bytes)
        return grpc.method_handlers_generic_handler("echo.Echo", methods)
