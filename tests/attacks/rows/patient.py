"""Peers that take for ever."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from tests.attacks import patience
from tests.attacks.attack import Attack, Door

if TYPE_CHECKING:
    from tests.attacks.scene import Scene


def _row(name: str, door: Door, sent: str, expected: str) -> Attack:
    async def act(scene: Scene, _door: Door) -> str:
        return await asyncio.to_thread(scene.patience.end, name)

    return Attack(name, (door,), sent, act, expected, patient=True)


ROWS = (
    _row(patience.SILENT, Door.WEBSOCKET, "nothing on a WebSocket", "HEARTBEAT_MISSED"),
    _row(patience.PREFACES, Door.GRPC, "half a preface", "cut"),
    _row(patience.DEAF, Door.GRPC, "nothing behind the settings", "cut"),
    _row(patience.HEAD, Door.HTTP, "a head, byte by byte", "HTTP 408"),
    _row(patience.BODY, Door.HTTP, "a body, byte by byte", "HTTP 408"),
)
