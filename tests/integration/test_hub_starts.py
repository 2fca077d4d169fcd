"""Where a reader begins, and resumes, on every transport: the same frames and the same cursors."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING

import pytest

from shipspeak.realtime.v1 import event_pb2, frame_pb2, realtime_service_pb2
from shipspeak_realtime import RealtimeClient
from tests.support.raw_client import RawClient, Stream, draft

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from tests.support.hub_process import HubProcess

ROUNDS = 12
KEYS = ("progress", "", "progress", "note", "", "progress", "note")


@pytest.fixture
async def client(shared_hub: HubProcess) -> AsyncIterator[RawClient]:
    async with RawClient(shared_hub.grpc) as client:
        yield client


@pytest.fixture
def topic() -> str:
    return f"meeting/{secrets.token_hex(4)}"


async def _store(client: RawClient, topic: str) -> None:
    drafts = [draft(topic, number) for number in range(1, len(KEYS) + 1)]
    for one, key in zip(drafts, KEYS, strict=True):
        one.content.key = key
    await client.publish(*drafts)


class _Taken:
    """What a reader has of one topic: events, and where to go on."""

    def __init__(self, cursor: bytes) -> None:
        self.cursor = cursor
        self.events: list[event_pb2.Event] = []
        self.accounted = 0

    def take(self, frame: frame_pb2.ServerFrame) -> None:
        for run in frame.runs:
            self.events += run.events
            self.accounted += len(run.events) + run.conflated
            self.cursor = run.cursor or self.cursor

    async def until(self, stream: Stream, accounted: int) -> None:
        while self.accounted < accounted:
            self.take(await stream.read())


async def _by_connect(client: RawClient, start: frame_pb2.Subscribe, new: int) -> _Taken:
    stream, _ = await client.session()
    await stream.send(request_id=1, subscribe=start)
    told = await stream.control("subscribed")
    assert told.verdict == frame_pb2.VERDICT_OK
    taken = _Taken(told.position.cursor)
    await taken.until(stream, new)
    stream.cancel()
    return taken


async def _by_listen(client: RawClient, start: frame_pb2.Subscribe, new: int) -> _Taken:
    stream = client.listen(start)
    told = await stream.control("subscribed")
    assert told.verdict == frame_pb2.VERDICT_OK
    taken = _Taken(told.position.cursor)
    await taken.until(stream, new)
    stream.cancel()
    return taken


async def _by_poll(client: RawClient, start: frame_pb2.Subscribe, _new: int) -> _Taken:
    answer = await client.poll(start)
    taken = _Taken(start.position.cursor)
    for frame in answer.frames:
        taken.cursor = frame.subscribed.position.cursor or taken.cursor
        taken.take(frame)
    return taken


WAYS = {"connect": _by_connect, "listen": _by_listen, "poll": _by_poll}


@pytest.mark.parametrize("way", WAYS)
async def test_a_snapshot(client: RawClient, topic: str, way: str) -> None:
    """G4r: the latest of each key and all without one; the rest is counted."""
    await _store(client, topic)
    start = frame_pb2.Subscribe(topic=topic, at=frame_pb2.START_SNAPSHOT)
    taken = await WAYS[way](client, start, len(KEYS))
    assert [event.offset for event in taken.events] == [2, 5, 6, 7]
    assert taken.accounted == len(KEYS)


async def test_what_comes_before_the_first_frame_of_a_snapshot_is_none_of_it(
    client: RawClient, topic: str
) -> None:
    """G2, G4r: published between the snapshot's head and its first frame, it comes whole."""
    await _store(client, topic)
    stream, welcome = await client.session(window_bytes=1)
    other = f"{topic}/other"
    await stream.subscribe(other)
    wide = draft(other, 1)
    wide.content.other.type_url = "type.example/bulk"
    wide.content.other.value = bytes(welcome.window_bytes)
    await client.publish(wide)
    filled = await stream.until(lambda frame: frame.runs)
    told = await stream.subscribe(topic, at=frame_pb2.START_SNAPSHOT)
    # The window is full: no frame goes out until its bytes are reported as handled.
    drafts = [draft(topic, number) for number in range(len(KEYS) + 1, len(KEYS) + 31)]
    for one in drafts:
        one.content.key = "progress"
    await client.publish(*drafts)
    handled, offsets, accounted = filled.ByteSize(), list[int](), told.position.handled_offset
    while accounted < len(KEYS) + 30:
        await stream.send(window=frame_pb2.Window(handled_bytes=handled))
        frame = await stream.until(lambda frame: frame.runs)
        handled += frame.ByteSize()
        for run in frame.runs:
            offsets += [event.offset for event in run.events]
            accounted += len(run.events) + run.conflated
    assert offsets == [2, 5, 6, 7, *range(len(KEYS) + 1, len(KEYS) + 31)]
    assert told.head == len(KEYS)


@pytest.mark.parametrize("way", WAYS)
async def test_the_last_events(client: RawClient, topic: str, way: str) -> None:
    await _store(client, topic)
    taken = await WAYS[way](client, frame_pb2.Subscribe(topic=topic, last=3), 3)
    assert [event.offset for event in taken.events] == [5, 6, 7]


async def test_resuming_again_and_again_over_every_transport(client: RawClient, topic: str) -> None:
    """G5: any number of times in a row, with nothing in between, after each change of transport."""
    start = frame_pb2.Subscribe(topic=topic, at=frame_pb2.START_EARLIEST)
    cursor = (await _by_connect(client, start, 0)).cursor
    offsets: list[int] = []
    published = 0
    for number in range(ROUNDS):
        new = number % 3
        for _ in range(new):
            published += 1
            await client.publish(draft(topic, published))
        for repeat in range(3):
            way = list(WAYS)[(number + repeat) % len(WAYS)]
            position = event_pb2.Position(cursor=cursor)
            start = frame_pb2.Subscribe(topic=topic, position=position)
            taken = await WAYS[way](client, start, new if repeat == 0 else 0)
            cursor = taken.cursor
            offsets += [event.offset for event in taken.events]
    assert offsets == list(range(1, published + 1))


async def test_history_with_the_latest_of_each_key(client: RawClient, topic: str) -> None:
    await _store(client, topic)
    request = realtime_service_pb2.ReadHistoryRequest(topic=topic, latest_per_key=True)
    (run,) = (await client.call("ReadHistory", request)).runs
    assert [event.offset for event in run.events] == [2, 5, 6, 7]
    assert run.conflated == 3


async def test_the_sdk_begins_with_a_snapshot_or_the_last(
    shared_hub: HubProcess, client: RawClient, topic: str
) -> None:
    await _store(client, topic)
    async with RealtimeClient(shared_hub.grpc) as sdk:
        for start, expected in (({"start": "snapshot"}, [2, 5, 6, 7]), ({"last": 2}, [6, 7])):
            got: list[int] = []
            async for event in sdk.subscribe(topic, **start):
                got.append(event.offset)
                if event.offset == len(KEYS):
                    break
            assert got == expected
        page = await sdk.read_history(topic, latest_per_key=True)
        assert [event.offset for event in page.events] == [2, 5, 6, 7]


@pytest.mark.parametrize("how", ["latest", "last", "cursor", "earliest"])
async def test_every_answer_tells_the_oldest_that_is_kept(
    client: RawClient, topic: str, how: str
) -> None:
    """G6: also where memory alone proves the place, and nothing is read from the log."""
    await _store(client, topic)
    start = _earliest(topic)
    (told, page) = (await client.poll(start)).frames[:2]
    oldest = page.runs[0].events[0].published_at
    assert told.subscribed.oldest_at == oldest
    asked = {
        "latest": frame_pb2.Subscribe(topic=topic),
        "last": frame_pb2.Subscribe(topic=topic, last=2),
        "cursor": frame_pb2.Subscribe(
            topic=topic, position=event_pb2.Position(cursor=page.runs[-1].cursor)
        ),
        "earliest": start,
    }[how]
    stream, _ = await client.session()
    await stream.send(request_id=5, subscribe=asked)
    answer = await stream.control("subscribed")
    assert answer.verdict == frame_pb2.VERDICT_OK
    assert answer.oldest_at == oldest


async def test_the_first_event_is_the_oldest(client: RawClient, topic: str) -> None:
    """G6: a topic that was opened while it was empty, too."""
    stream, _ = await client.session()
    await stream.send(request_id=5, subscribe=frame_pb2.Subscribe(topic=topic))
    assert not (await stream.control("subscribed")).HasField("oldest_at")
    await _store(client, topic)
    again, _ = await client.session()
    await again.send(request_id=5, subscribe=frame_pb2.Subscribe(topic=topic, last=1))
    answer = await again.control("subscribed")
    (_, page) = (await client.poll(_earliest(topic))).frames[:2]
    assert answer.oldest_at == page.runs[0].events[0].published_at


def _earliest(topic: str) -> frame_pb2.Subscribe:
    return frame_pb2.Subscribe(topic=topic, at=frame_pb2.START_EARLIEST)
