"""One call on the general path: a task for the handler, one that watches for the client leaving."""

from __future__ import annotations

import asyncio
import contextlib
import inspect
import logging
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any

import grpc
import grpc.aio

from web_bridge.context import BridgeContext
from web_bridge.status import DEADLINE_EXCEEDED, Status, failure_status

if TYPE_CHECKING:
    from web_bridge.asgi import Receive
    from web_bridge.limits import Limits
    from web_bridge.response import Response

logger = logging.getLogger(__name__)

_UNWRITTEN = Status(grpc.StatusCode.UNIMPLEMENTED, "method not implemented")

Handler = Callable[[Any, BridgeContext], Any]


class ReaderStalled(Exception):
    """The client does not read, so the end of its call cannot be written."""


class Call:
    """Runs one handler to its end, whoever ends it.

    Args:
        method: the full method name, for logs.
        handler: the servicer's method.
        request: the decoded request.
        context: what the handler gets.
        response: where the answer goes.
        limits: times.
    """

    def __init__(
        self,
        method: str,
        handler: Handler,
        request: Any,
        context: BridgeContext,
        response: Response,
        limits: Limits,
        *,
        streaming: bool,
    ) -> None:
        self._method = method
        self._handler = handler
        self._request = request
        self._context = context
        self._response = response
        self._limits = limits
        self._streaming = streaming
        self._ending: asyncio.Future[Status] = asyncio.get_running_loop().create_future()

    def end(self, status: Status) -> None:
        """End the call from outside: its handler is cancelled and this status sent. Idempotent."""
        if not self._ending.done():
            self._ending.set_result(status)

    async def run(self, receive: Receive) -> None:
        """Run the handler to its return, the client's leaving, the deadline, or a call of `end`.

        Raises:
            ReaderStalled: the end could not be written; the connection must be cut.
        """
        work = asyncio.create_task(self._work(), name=f"rpc {self._method}")
        watcher = asyncio.create_task(_disconnected(receive), name=f"watch {self._method}")
        try:
            status, message = await self._outcome(work, watcher)
            if status is not None:
                await self._finish(status, message)
        finally:
            self._ending.cancel()
            watcher.cancel()
            if not work.done():
                # This very task was cancelled, or the handler ignores its cancellation.
                self._context.mark_cancelled()
                work.cancel()
            self._run_callbacks()

    async def _finish(self, status: Status, message: bytes | None) -> None:
        try:
            async with asyncio.timeout(self._limits.linger_seconds):
                await self._response.finish(status, message)
        except TimeoutError:
            raise ReaderStalled from None

    async def _outcome(
        self, work: asyncio.Task[tuple[Status, bytes | None]], watcher: asyncio.Task[None]
    ) -> tuple[Status | None, bytes | None]:
        """How the call ended; no status when nobody is there to read it."""
        waited: set[asyncio.Future[Any]] = {work, watcher, self._ending}
        done = await self._wait(waited)
        if work in done:
            return work.result()
        self._context.mark_cancelled()
        await self._cancel(work)
        if watcher in done:
            if (error := watcher.exception()) is not None:
                logger.warning("watching for the client of %s failed", self._method, exc_info=error)
            return None, None
        if self._ending in done:
            return self._ending.result(), None
        return DEADLINE_EXCEEDED, None

    async def _wait(self, waited: set[asyncio.Future[Any]]) -> set[asyncio.Future[Any]]:
        first = asyncio.FIRST_COMPLETED
        remaining = self._context.time_remaining()
        if self._streaming:
            idle = self._limits.header_idle_seconds
            short = idle if remaining is None else min(idle, remaining)
            done, _ = await asyncio.wait(waited, timeout=short, return_when=first)
            if done:
                return done
            await self._response.start()
            remaining = self._context.time_remaining()
        done, _ = await asyncio.wait(waited, timeout=remaining, return_when=first)
        return done

    async def _cancel(self, work: asyncio.Task[Any]) -> None:
        work.cancel()
        _, pending = await asyncio.wait({work}, timeout=self._limits.cancel_seconds)
        if pending:
            logger.error("%s did not end within its time after cancellation", self._method)

    async def _work(self) -> tuple[Status, bytes | None]:
        """Run the handler; its status, and for a unary method its message."""
        try:
            message = await (self._stream() if self._streaming else self._unary())
        except grpc.aio.AbortError:
            return self._context.final_status(), None
        except asyncio.CancelledError:
            if not self._context.cancelled():
                # The handler's own doing, not ours: the client is told.
                return Status(grpc.StatusCode.CANCELLED, "the call was cancelled"), None
            raise
        except NotImplementedError:
            # What generated servicers raise for a method that is not written yet.
            return self._context.final_status() if self._context.code() else _UNWRITTEN, None
        except Exception as failure:  # noqa: BLE001 - unknown ones are logged and become INTERNAL
            return failure_status(failure, self._method), None
        status = self._context.final_status()
        return status, None if status.number else message

    async def _unary(self) -> bytes | None:
        result = await self._handler(self._request, self._context)
        if result is None and self._context.code() not in (None, grpc.StatusCode.OK):
            return None
        return self._context.serialize(result)

    async def _stream(self) -> None:
        result = self._handler(self._request, self._context)
        if inspect.isawaitable(result):
            # The handler writes through the context.
            await result
            return
        async with _closing(result) as messages:
            async for message in messages:
                await self._response.message(self._context.serialize(message))

    def _run_callbacks(self) -> None:
        for callback in self._context.finish():
            try:
                callback(self._context)
            except Exception:
                logger.exception("a done callback of %s failed", self._method)


@contextlib.asynccontextmanager
async def _closing(messages: Any) -> Any:
    """Close a generator at once when the call ends; left to the collector it would linger."""
    try:
        yield messages
    finally:
        close: Callable[[], Awaitable[None]] | None = getattr(messages, "aclose", None)
        if close is not None:
            await close()


async def _disconnected(receive: Receive) -> None:
    """Return when the client has left; other events (the late end of a body) are passed over."""
    while (await receive())["type"] != "http.disconnect":
        pass
