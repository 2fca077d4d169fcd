"""Defects that need exact timing: our application keeps the promise, stock sonora's breaks it."""

from __future__ import annotations

import asyncio
import base64
from collections.abc import Awaitable, Callable
from typing import Any

import grpc
import pytest
from sonora import protocol

from tests.wire.echo import Echo
from tests.wire.raw import PATIENCE, TEXT, Answer, frame
from tests.wire.scripted import App, ScriptedServer
from tests.wire.servers import LIMITS, Stock
from tests.wire.stock import BROKEN, mended_pack_trailers
from web_bridge.app import make_app

Check = Callable[[App], Awaitable[None]]


class Curious(grpc.GenericRpcHandler):
    """Chooses by the call's metadata, as a handler may."""

    def service(self, handler_call_details: Any) -> Any:
        if handler_call_details.method != "/curious.Curious/ask":
            return None
        dict(handler_call_details.invocation_metadata or (("", ""),))["x-version"]
        return grpc.unary_unary_rpc_method_handler(Echo().unary, bytes, bytes)


def ours() -> App:
    return make_app(
        handlers=(Echo().handler(),),
        interceptors=(),
        push={},
        allowed_origins=(),
        page_dir=None,
        readiness=lambda: True,
        metrics=lambda: (b"", "text/plain"),
        limits=LIMITS,
    )


def stock() -> App:
    app = Stock()
    app.add_generic_rpc_handlers((Echo().handler(),))
    return app


async def turns(count: int = 50) -> None:
    """So many turns of the loop: all that is ready gets done."""
    for _ in range(count):
        await asyncio.sleep(0)


async def answered(server: ScriptedServer, task: asyncio.Future[None]) -> Answer:
    """The answer of an application that ends; one that fails raises here."""
    complete = asyncio.ensure_future(server.complete.wait())
    waited: set[asyncio.Future[Any]] = {task, complete}
    async with asyncio.timeout(PATIENCE):
        await asyncio.wait(waited, return_when=asyncio.FIRST_COMPLETED)
        complete.cancel()
        server.disconnect()
        await task
    return server.answer()


async def late_body_end_cancels_no_send(app: App) -> None:
    """Defect 4: the body's end comes while a send waits for a slow reader."""
    server = ScriptedServer("/echo.Echo/count")
    server.hold(3)
    server.body(frame(b"20"), more=True)
    task = asyncio.ensure_future(app(server.scope, server.receive, server.send))
    await server.reading.wait()  # stock is sending by now, ours waits for the body's end
    server.body(b"")
    await turns()
    server.release()
    answer = await answered(server, task)
    assert answer.messages() == [b"%d" % number for number in range(20)]


async def send_need_not_be_a_coroutine(app: App) -> None:
    """Defect 5: some servers give an awaitable object."""
    server = ScriptedServer("/echo.Echo/count")
    server.body(frame(b"3"))
    task = asyncio.ensure_future(app(server.scope, server.receive, server.send_object))
    answer = await answered(server, task)
    assert answer.messages() == [b"0", b"1", b"2"]


async def leaving_in_the_body_is_quiet(app: App) -> None:
    """Defect 7: the client leaves before its body is complete."""
    server = ScriptedServer("/echo.Echo/unary")
    server.body(frame(b"hello")[:6], more=True)
    server.disconnect()
    await app(server.scope, server.receive, server.send)
    assert server.sent == []


async def text_chunks_may_split_anywhere(app: App) -> None:
    """Defect 20: chunks need not be aligned to base64."""
    body = base64.b64encode(frame(b"hello"))
    for size in (1, 2, 3, 5, 7):
        server = ScriptedServer("/echo.Echo/unary", TEXT)
        server.body(*(body[at : at + size] for at in range(0, len(body), size)))
        await app(server.scope, server.receive, server.send)
        assert server.answer().messages(text=True) == [b"hello"]


async def handlers_see_metadata_at_lookup(app: App) -> None:
    """Defect 26: routing passes no metadata."""
    app.add_generic_rpc_handlers((Curious(),))  # type: ignore[attr-defined]
    server = ScriptedServer("/curious.Curious/ask")
    server.scope["headers"].append((b"x-version", b"2"))
    server.body(frame(b"hello"))
    await app(server.scope, server.receive, server.send)
    assert server.answer().messages() == [b"hello"]


CHECKS = (
    late_body_end_cancels_no_send,
    send_need_not_be_a_coroutine,
    leaving_in_the_body_is_quiet,
    text_chunks_may_split_anywhere,
    handlers_see_metadata_at_lookup,
)


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__)
async def test_bridge_keeps(check: Check) -> None:
    await check(ours())


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__)
async def test_stock_sonora_breaks(check: Check, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(protocol, "pack_trailers", mended_pack_trailers)
    with pytest.raises((*BROKEN, TypeError)):
        await check(stock())
