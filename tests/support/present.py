"""Sessions on a real hub that are present somewhere, or watch."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from hub.auth import tokens
from shipspeak.realtime.v1 import frame_pb2
from shipspeak.realtime.v1 import realtime_service_pb2 as messages

if TYPE_CHECKING:
    from tests.support.raw_client import RawClient, Stream


SECRET = "presence-secret-0123456789abcdef"


async def announce(stream: Stream, topic: str, **facts: Any) -> None:
    await stream.send(request_id=7, presence=frame_pb2.SetPresence(topic=topic, **facts))


async def joined(client: RawClient, topic: str, name: str) -> Stream:
    """A session that is present."""
    stream, _ = await client.session(client_id=name)
    await announce(stream, topic)
    await stream.send(ping=frame_pb2.Ping(nonce=1))
    await stream.control("pong")
    return stream


async def watching(client: RawClient, topic: str, name: str = "watcher") -> Stream:
    """A session that has asked to watch; its first presence frame is still to be read."""
    stream, _ = await client.session(client_id=name)
    subscribed = await stream.subscribe(topic, presence=True)
    assert subscribed.topic == topic
    return stream


def names(frame: frame_pb2.PresenceFrame) -> dict[str, int]:
    return {member.client_id: member.state for member in frame.members}


async def read(client: RawClient, topic: str, **changes: Any) -> Any:
    return await client.call("ReadPresence", messages.ReadPresenceRequest(topic=topic, **changes))


def secret() -> dict[str, str]:
    """The environment of a hub that wants tokens."""
    return {"RTHUB_AUTH_HS256_SECRET": SECRET}


def mint(subject: str, **grants: Any) -> str:
    """A token for that hub."""
    return tokens.mint(
        SECRET,
        subject=subject,
        issuer="shipspeak",
        audience="shipspeak-realtime",
        lifetime=60,
        **(grants or {"publish": []}),
    )
