"""Presence that is not one's own."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from shipspeak.realtime.v1 import (
    frame_pb2,
    realtime_service_pb2,
)
from tests.attacks.attack import Attack, Door
from tests.attacks.doors import said_by
from tests.attacks.rows.shared import BOB, CALLS, DENIED, STREAMS, on_stream, told
from tests.support.raw_client import RawClient

if TYPE_CHECKING:
    from tests.attacks.scene import Scene


LATEST = frame_pb2.START_LATEST


async def _presence(scene: Scene, door: Door) -> str:
    """Shows itself where it has no right to be seen."""

    async def talk(stream: Any) -> str:
        await stream.send(request_id=3, presence=frame_pb2.SetPresence(topic="practice/b"))
        return said_by(await stream.control("error"))

    return await on_stream(scene, door, talk)


async def _presence_as_another(scene: Scene, door: Door) -> str:
    """Claims another's name in its Hello and its metadata; the member is the token's user."""
    topic = scene.topic()
    async with RawClient(scene.hub.grpc, scene.keys.token("bob", **BOB)) as bob:
        watcher, _ = await bob.session()
        await watcher.subscribe(topic, at=LATEST, presence=True)

        async def talk(stream: Any) -> str:
            await stream.send(
                presence=frame_pb2.SetPresence(
                    topic=topic,
                    state=frame_pb2.PRESENCE_STATE_ACTIVE,
                    metadata={"user": "bob", "name": "bob"},
                )
            )
            shown = await watcher.until(
                lambda frame: frame.presence.members if frame.HasField("presence") else None
            )
            return f"shown as {shown.presence.members[0].user}"

        return await on_stream(scene, door, talk)


async def _presence_text(scene: Scene, door: Door) -> str:
    async def talk(stream: Any) -> str:
        wish = frame_pb2.SetPresence(topic="meeting/b", metadata={"name": "bob\u202egnp.exe"})
        await stream.send(request_id=3, presence=wish)
        return said_by(await stream.control("error"))

    return await on_stream(scene, door, talk)


async def _presence_list(scene: Scene, door: Door) -> str:
    request = realtime_service_pb2.ReadPresenceRequest(topic="practice/b")
    return told(await scene.doors.call(door, "ReadPresence", request, scene.keys.token()))


ROWS = (
    Attack("presence without the right", STREAMS, "presence in practice/b", _presence, DENIED),
    Attack(
        "presence spoofed",
        STREAMS,
        "bob's name in the metadata",
        _presence_as_another,
        "shown as mallory",
    ),
    Attack(
        "presence that shows as another",
        STREAMS,
        "a bidi override in a name",
        _presence_text,
        "INVALID_ARGUMENT TEXT_UNSAFE",
    ),
    Attack("presence of strangers", CALLS, "ReadPresence of practice/b", _presence_list, DENIED),
)
