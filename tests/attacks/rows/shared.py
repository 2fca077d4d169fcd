"""What rows share."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from tests.attacks.attack import Door
from tests.support.raw_client import RawClient
from tests.wire.raw import Raw

if TYPE_CHECKING:
    from tests.attacks.scene import Scene

CALLS = (Door.GRPC, Door.GRPC_WEB)
STREAMS = (Door.GRPC, Door.WEBSOCKET)
DENIED = "PERMISSION_DENIED RIGHT_MISSING"
# What another user may do: nearly all.
BOB: dict[str, Any] = {"publish": ["**"], "subscribe": ["**"], "presence": ["**"], "work": ["**"]}


async def on_stream(scene: Scene, door: Door, talk: Any, token: str = "") -> str:
    token = token or scene.keys.token()
    if door is Door.WEBSOCKET:
        return await scene.doors.on_socket(token, talk)
    async with RawClient(scene.hub.grpc, token) as client:
        stream, _ = await client.session()
        told: str = await talk(stream)
        return told


def told(answer: Any) -> str:
    return answer if isinstance(answer, str) else "OK"


async def exchange(scene: Scene, data: bytes, *, seconds: float = 20.0) -> bytes:
    """Bytes to the browsers' door, and what came back until it closed or fell silent."""
    client = await Raw.connect(scene.doors.port)
    heard = b""
    try:
        await client.send(data)
        async with asyncio.timeout(seconds):
            while b"\r\n\r\n" not in heard and (more := await client.reader.read(65_536)):
                heard += more
    except ConnectionError:
        pass  # it was cut off while it was still speaking
    finally:
        client.abort()
    scene.doors.heard.append(heard.decode("latin-1"))
    return heard
