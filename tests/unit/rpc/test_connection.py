"""Commands of one client: side by side, but in order where order matters."""

from __future__ import annotations

import asyncio
from functools import partial

import pytest

from hub.auth.grants import RIGHTS
from hub.errors import NotFound, PermissionDenied
from hub.rpc.connection import MAX_COMMANDS_IN_FLIGHT, Connection
from hub.telemetry.metrics import Metrics
from shipspeak.realtime.v1 import error_reason_pb2 as reasons
from tests.support.fake_sink import FakeSink
from tests.support.sessions import open_session


def _connection(metrics: Metrics | None = None) -> tuple[Connection, FakeSink]:
    sink = FakeSink(automatic=True)
    return Connection(open_session(sink=sink), metrics or Metrics()), sink


async def test_before_its_hello_a_connection_may_do_nothing() -> None:
    principal = _connection()[0].principal
    for right in RIGHTS:
        with pytest.raises(PermissionDenied):
            principal.require(right, "meeting/1")
    with pytest.raises(PermissionDenied):
        principal.require_admin()


async def test_commands_start_in_order_and_run_side_by_side() -> None:
    connection, _ = _connection()
    begun: list[int] = []
    go = asyncio.Event()

    async def command(number: int) -> None:
        begun.append(number)
        await go.wait()

    for number in range(10):
        await connection.run(partial(command, number), request_id=number)
    await asyncio.sleep(0)
    assert begun == list(range(10))
    go.set()
    await connection.settle()


async def test_commands_of_one_topic_run_one_after_the_other() -> None:
    connection, _ = _connection()
    log: list[str] = []

    async def command(name: str) -> None:
        log.append(f"{name} begins")
        await asyncio.sleep(0)
        log.append(f"{name} ends")

    for name in ("subscribe", "unsubscribe", "subscribe again"):
        await connection.run(partial(command, name), request_id=0, topic="a/1")
    await connection.settle()
    assert log == [
        f"{name} {what}"
        for name in ("subscribe", "unsubscribe", "subscribe again")
        for what in ("begins", "ends")
    ]
    assert not connection._last


async def test_a_refusal_is_an_error_frame_and_the_next_command_runs() -> None:
    metrics = Metrics()
    connection, sink = _connection(metrics)
    ran = asyncio.Event()

    async def refuse() -> None:
        raise NotFound(reasons.ERROR_REASON_NOT_SUBSCRIBED, "no")

    async def fail() -> None:
        raise RuntimeError("hunter2")

    async def work() -> None:
        ran.set()

    await connection.run(refuse, request_id=1, topic="a/1")
    await connection.run(fail, request_id=2, topic="a/1")
    await connection.run(work, request_id=3, topic="a/1")
    await connection.settle()
    await asyncio.sleep(0)
    assert ran.is_set()
    answers = [(frame.error.request_id, frame.error.reason) for frame in sink.messages]
    assert answers == [
        (1, reasons.ERROR_REASON_NOT_SUBSCRIBED),
        (2, reasons.ERROR_REASON_INTERNAL),
    ]
    assert b"hunter2" not in b"".join(sink.frames)
    counted = metrics.render()[0].decode()
    for reason in ("NOT_SUBSCRIBED", "INTERNAL"):
        assert f'rthub_refused_total{{reason="{reason}"}} 1.0' in counted


async def test_too_many_commands_hold_back_the_reader() -> None:
    connection, _ = _connection()
    go = asyncio.Event()

    async def command() -> None:
        await go.wait()

    for number in range(MAX_COMMANDS_IN_FLIGHT):
        await connection.run(command, request_id=number)
    one_more = asyncio.ensure_future(connection.run(command, request_id=0))
    await asyncio.sleep(0)
    assert not one_more.done()
    go.set()
    await one_more
    await connection.settle()


async def test_cancelling_ends_all_and_leaves_nothing() -> None:
    connection, sink = _connection()
    for number in range(5):
        await connection.run(asyncio.Event().wait, request_id=number, topic="a/1")  # type: ignore[arg-type]
    await asyncio.sleep(0)
    connection.cancel()
    await connection.settle()
    assert not connection._tasks
    assert not connection._last
    assert sink.frames == []
