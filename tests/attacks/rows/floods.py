"""More than anybody should send, of what is allowed: from one address."""

from __future__ import annotations

import asyncio
import contextlib
from typing import TYPE_CHECKING, Any

from shipspeak.realtime.v1 import event_pb2, frame_pb2, realtime_service_pb2
from tests.attacks.attack import Act, Attack, Door
from tests.attacks.doors import said_by
from tests.attacks.http2 import ELSEWHERE
from tests.attacks.rows.shared import BOB
from tests.support.raw_client import SERVICE, hello
from tests.wire.raw import Answer, Raw, frame, post, request
from tests.wire.sockets import OFFER, handshake, message

if TYPE_CHECKING:
    from google.protobuf.message import Message

    from tests.attacks.scene import Scene

MANY = 600
AT_ONCE = 20
LIMITED = "RESOURCE_EXHAUSTED RATE_LIMITED"
# On a machine that is slow enough nothing is beyond the rate.
ANSWERED = f"taken, or {LIMITED}"
EVENT_BYTES = 50_000
EVENTS = 100
DEAF = 10


async def _elsewhere(scene: Scene) -> Raw:
    """A connection to the browsers' door from the attackers' own address."""
    reader, writer = await asyncio.open_connection(
        "127.0.0.1", scene.doors.port, local_addr=(ELSEWHERE, 0)
    )
    return Raw(reader, writer)


async def _each(count: int, one: Any) -> set[str]:
    """So many tries, some at a time; all that was said."""
    said: set[str] = set()
    numbers = iter(range(count))

    async def worker() -> None:
        for number in numbers:
            said.add(await one(number))

    await asyncio.gather(*(worker() for _ in range(AT_ONCE)))
    return said


def _calls(method: str, make: Any) -> Act:
    """Unary calls, on connections that are kept."""

    async def act(scene: Scene, _door: Door) -> str:
        token = ("authorization", f"Bearer {scene.keys.token('flooder')}")
        free = [await _elsewhere(scene) for _ in range(AT_ONCE)]

        async def one(number: int) -> str:
            client = free.pop()
            try:
                body = frame(make(number).SerializeToString())
                await client.send(post(f"/{SERVICE}/{method}", body, token))
                answer = await client.read_answer()
                return _said(answer)
            finally:
                free.append(client)

        try:
            said = await _each(MANY, one)
        finally:
            for client in free:
                client.abort()
        return ANSWERED if said <= {"OK", LIMITED} else str(said)

    return act


def _said(answer: Answer) -> str:
    status, _ = answer.status_message()
    if status == "0":
        return "OK"
    code = {"8": "RESOURCE_EXHAUSTED"}.get(status, status)
    return f"{code} {answer.reason()}"


def _history(_number: int) -> Message:
    return realtime_service_pb2.ReadHistoryRequest(topic="meeting/flood", limit=1)


def _poll(number: int) -> Message:
    wish = frame_pb2.Subscribe(topic=f"meeting/p{number % 7}", at=frame_pb2.START_LATEST)
    return realtime_service_pb2.PollRequest(hello=hello(), subscriptions=[wish])


async def _connects(scene: Scene, _door: Door) -> str:
    """Connections that say nothing, all held until the end."""
    held: list[Raw] = []

    async def one(_number: int) -> str:
        held.append(await _elsewhere(scene))
        return "OK"

    try:
        said = await _each(MANY, one)
        # The hub has room for another one.
        last = await _elsewhere(scene)
        held.append(last)
        await last.send(request("GET", "/healthz"))
        return f"{said.pop()} {(await last.read_answer()).status}"
    finally:
        for client in held:
            client.abort()


async def _handshakes(scene: Scene, _door: Door) -> str:
    """WebSockets that come and go."""

    async def one(_number: int) -> str:
        client = await _elsewhere(scene)
        try:
            await client.send(handshake(OFFER) + message(b""))
            return str((await client.read_head()).status)
        finally:
            client.abort()

    return " ".join(sorted(await _each(MANY // 3, one)))


async def _sessions(scene: Scene, _door: Door) -> str:
    """Listen streams from one address, all held."""
    token = ("authorization", f"Bearer {scene.keys.token('flooder')}")
    listen = realtime_service_pb2.ListenRequest(hello=hello()).SerializeToString()
    sent = post(f"/{SERVICE}/Listen", frame(listen), token)
    held: list[Raw] = []

    async def one(_number: int) -> str:
        client = await _elsewhere(scene)
        held.append(client)
        await client.send(sent)
        await client.read_head()
        await client.read_part()
        if client.answer.frames()[-1][0]:
            return _said_in(client.answer)
        first = frame_pb2.ServerFrame.FromString(client.answer.messages()[0])
        return "OK" if first.HasField("welcome") else said_by(first.error)

    try:
        said = await _each(MANY // 3, one)
    finally:
        for client in held:
            client.abort()
    return ANSWERED if said <= {"OK", LIMITED} else str(said)


def _said_in(answer: Answer) -> str:
    answer.complete = True
    return _said(answer)


async def _deaf(scene: Scene, door: Door) -> str:
    """Readers of five megabytes that read nothing: what they cost does not grow with it."""
    topic, before = scene.topic(), scene.rss()
    token = scene.keys.token("bob", **BOB)
    async with contextlib.AsyncExitStack() as stack:
        for _ in range(DEAF):
            client = await _deaf_reader(scene, door, topic, token)
            stack.callback(client.abort)
        draft = event_pb2.Draft(topic=topic)
        draft.content.other.type_url = "x/y"
        draft.content.other.value = bytes(EVENT_BYTES)
        for number in range(EVENTS):
            draft.id = f"big{number}"
            said = await scene.doors.publish(Door.GRPC, token, draft)
            if said in ("CANCELLED", "UNAVAILABLE"):
                # The call was cut on its way: as a publisher does, again with the same id.
                said = await scene.doors.publish(Door.GRPC, token, draft)
            assert said == "STORED", said
        return scene.bounded("bounded", before)


async def _deaf_reader(scene: Scene, door: Door, topic: str, token: str) -> Raw:
    client = await _elsewhere(scene)
    wish = frame_pb2.Subscribe(topic=topic, at=frame_pb2.START_LATEST)
    if door is Door.WEBSOCKET:
        frames = [
            frame_pb2.ClientFrame(hello=hello(token=token)),
            frame_pb2.ClientFrame(subscribe=wish),
        ]
        await client.send(handshake(OFFER))
        assert (await client.read_head()).status == 101
        await client.send(b"".join(message(one.SerializeToString()) for one in frames))
    else:
        listen = realtime_service_pb2.ListenRequest(hello=hello(), subscriptions=[wish])
        header = ("authorization", f"Bearer {token}")
        await client.send(post(f"/{SERVICE}/Listen", frame(listen.SerializeToString()), header))
        assert (await client.read_head()).status == 200
        # Welcome and the verdict; nothing from then on.
        while len(client.answer.messages()) < 2:
            await client.read_part()
    client.writer.transport.pause_reading()  # type: ignore[attr-defined]
    return client


ROWS = (
    Attack(
        "flood of calls",
        (Door.GRPC_WEB,),
        f"{MANY} ReadHistory",
        _calls("ReadHistory", _history),
        ANSWERED,
        flood=True,
    ),
    Attack(
        "flood of polls", (Door.POLL,), f"{MANY} Poll", _calls("Poll", _poll), ANSWERED, flood=True
    ),
    Attack(
        "flood of connects",
        (Door.HTTP,),
        f"{MANY} connections, held",
        _connects,
        "OK 200",
        flood=True,
    ),
    Attack(
        "flood of handshakes",
        (Door.WEBSOCKET,),
        f"{MANY // 3} WebSockets, dropped",
        _handshakes,
        "101",
        flood=True,
    ),
    Attack(
        "flood of sessions",
        (Door.GRPC_WEB,),
        f"{MANY // 3} Listen streams",
        _sessions,
        ANSWERED,
        flood=True,
    ),
    Attack(
        "readers that never read",
        (Door.WEBSOCKET, Door.GRPC_WEB),
        f"{DEAF} of 5 MB",
        _deaf,
        "bounded",
        flood=True,
    ),
)
