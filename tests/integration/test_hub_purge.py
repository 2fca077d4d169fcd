"""A purge that comes while a poll waits, or while a reader's place is judged, over real gRPC.

The hub runs in the test's own process, so that the test knows when a poll waits and can hold the
store's answer back; everything else is as it is served.
"""

from __future__ import annotations

import asyncio
import secrets
from typing import TYPE_CHECKING

import pytest
from google.protobuf import duration_pb2

from hub.app import Hub
from hub.settings import Settings
from shipspeak.realtime.v1 import admin_service_pb2, event_pb2, frame_pb2
from tests.support.raw_client import RawClient, Stream, draft
from tests.support.until import until

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from hub.engine.contract import Resume
    from hub.model.cursor import Cursor

LONG = duration_pb2.Duration(seconds=30)


@pytest.fixture
async def hub(tmp_path: Path) -> AsyncIterator[Hub]:
    hub = Hub(
        Settings(
            dev=True,
            data_dir=tmp_path / "data",
            grpc_port=0,
            http_port=0,
            ready_file=tmp_path / "ready.json",
            drain_spread=0.0,
            overload_lag=0.0,
        )
    )
    hub.port, _ = await hub.start()  # type: ignore[attr-defined]
    try:
        yield hub
    finally:
        await hub.stop()


@pytest.fixture
async def client(hub: Hub) -> AsyncIterator[RawClient]:
    async with RawClient(f"127.0.0.1:{hub.port}") as client:  # type: ignore[attr-defined]
        yield client


@pytest.fixture
def topic() -> str:
    return f"meeting/{secrets.token_hex(4)}"


def _at(topic: str, cursor: bytes) -> frame_pb2.Subscribe:
    return frame_pb2.Subscribe(topic=topic, position=event_pb2.Position(cursor=cursor))


async def _cursor(client: RawClient, topic: str) -> bytes:
    """The place behind all that is stored."""
    answer = await client.poll(frame_pb2.Subscribe(topic=topic))
    return bytes(answer.frames[0].subscribed.position.cursor)


async def _purge(client: RawClient, topic: str) -> int:
    request = admin_service_pb2.PurgeTopicRequest(topic=topic)
    removed: int = (await client.admin("PurgeTopic", request)).removed
    return removed


def _check_gap(told: frame_pb2.Subscribed, at: int, lost: int) -> None:
    assert (told.verdict, told.position.handled_offset) == (frame_pb2.VERDICT_GAP, at)
    assert told.lost == lost


async def test_a_poll_that_waits_is_told_once(hub: Hub, client: RawClient, topic: str) -> None:
    """E2, G6: though it has read everything; then it waits for what comes."""
    await client.publish(draft(topic, 1), draft(topic, 2))
    waiting = asyncio.ensure_future(
        client.poll(_at(topic, await _cursor(client, topic)), wait=LONG)
    )
    await _waits(hub, topic)
    assert await _purge(client, topic) == 2
    (frame,) = (await waiting).frames
    _check_gap(frame.subscribed, at=2, lost=0)

    again = asyncio.ensure_future(
        client.poll(_at(topic, frame.subscribed.position.cursor), wait=LONG)
    )
    await _waits(hub, topic)
    await client.publish(draft(topic, 3))
    (frame,) = (await again).frames
    assert [event.id for event in frame.runs[0].events] == ["e3"]


async def _waits(hub: Hub, topic: str) -> None:
    def has_watcher() -> bool:
        live = hub.registry.live(topic)
        return live is not None and bool(live.watchers)

    await until(has_watcher)


class _Judging:
    """Holds the store's answer about a reader's place back."""

    def __init__(self, hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
        self.judged, self.told = asyncio.Event(), asyncio.Event()
        self._resume = hub.engine.resume
        monkeypatch.setattr(hub.engine, "resume", self._judge)

    async def _judge(self, topic: str, cursor: Cursor) -> Resume:
        answer = await self._resume(topic, cursor)
        self.judged.set()
        await self.told.wait()
        return answer


async def _by_connect(client: RawClient, start: frame_pb2.Subscribe) -> Stream:
    stream, _ = await client.session()
    await stream.send(request_id=7, subscribe=start)
    return stream


async def _by_listen(client: RawClient, start: frame_pb2.Subscribe) -> Stream:
    stream = client.listen(start)
    assert (await stream.read()).HasField("welcome")
    return stream


@pytest.mark.parametrize("begin", [_by_connect, _by_listen])
async def test_a_stream_whose_place_is_judged_is_told_once(
    hub: Hub,
    client: RawClient,
    topic: str,
    begin: object,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """E2, G6: judged before the purge, it is told of it in mid-stream."""
    cursor = await _cursor(client, topic)
    await client.publish(draft(topic, 1), draft(topic, 2))
    judging = _Judging(hub, monkeypatch)
    stream: Stream = await begin(client, _at(topic, cursor))  # type: ignore[operator]
    await judging.judged.wait()
    assert await _purge(client, topic) == 2
    judging.told.set()
    await client.publish(draft(topic, 3))
    told, ids = list[frame_pb2.Subscribed](), list[str]()
    while not ids:
        frame = await stream.read()
        told += [frame.subscribed] if frame.HasField("subscribed") else []
        ids += [event.id for run in frame.runs for event in run.events]
    assert [one.verdict for one in told] == [frame_pb2.VERDICT_OK, frame_pb2.VERDICT_GAP]
    _check_gap(told[1], at=2, lost=2)
    assert ids == ["e3"]
    stream.cancel()


async def test_a_poll_whose_place_is_judged_is_told_once(
    hub: Hub, client: RawClient, topic: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """E2, G6: judged before the purge, its answer tells of it."""
    cursor = await _cursor(client, topic)
    await client.publish(draft(topic, 1), draft(topic, 2))
    judging = _Judging(hub, monkeypatch)
    polling = asyncio.ensure_future(client.poll(_at(topic, cursor)))
    await judging.judged.wait()
    assert await _purge(client, topic) == 2
    judging.told.set()
    (frame,) = (await polling).frames
    _check_gap(frame.subscribed, at=2, lost=2)
    assert not (await client.poll(_at(topic, frame.subscribed.position.cursor))).frames
