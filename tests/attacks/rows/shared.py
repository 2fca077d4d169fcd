"""What rows share."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tests.attacks.attack import Door
from tests.support.raw_client import RawClient

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
