"""What one row of the table is."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from tests.attacks.scene import Scene


class Door(Enum):
    """Where an attacker knocks."""

    GRPC = "grpc"
    GRPC_WEB = "grpc-web"
    WEBSOCKET = "websocket"
    POLL = "poll"
    JSON = "json"
    HTTP = "http"  # the browsers' door, below any of the others


# The same checks are made at each of these.
EVERY: Final = (Door.GRPC, Door.GRPC_WEB, Door.WEBSOCKET, Door.POLL, Door.JSON)
PUBLISHING: Final = (Door.GRPC, Door.GRPC_WEB, Door.WEBSOCKET, Door.JSON)
READING: Final = (Door.GRPC, Door.GRPC_WEB, Door.WEBSOCKET, Door.POLL)

UNHARMED: Final = "nothing lost, order held"

Act = Callable[["Scene", Door], Awaitable[str]]


@dataclass(frozen=True)
class Attack:
    """One row.

    Attributes:
        name: what docs and test ids call it.
        doors: where it is tried, one after the other.
        sent: what is sent.
        act: sends it at one door and says what came back.
        expected: what must come back: a status and a reason, or what became of the connection.
        bystanders: what the others may notice; in the full form also how late they may be.
        flood: it is about load: the hub's memory is looked at, and it is tried again.
        patient: it is begun before all others and ends by a timer of the hub.
    """

    name: str
    doors: tuple[Door, ...]
    sent: str
    act: Act
    expected: str
    bystanders: str = UNHARMED
    flood: bool = False
    patient: bool = False

    async def answers(self, scene: Scene) -> dict[str, str]:
        """Try it once at each door: what came back, by door; floods one after the other."""
        if self.flood:
            return {door.value: await self.act(scene, door) for door in self.doors}
        said = await asyncio.gather(*(self.act(scene, door) for door in self.doors))
        return {door.value: answer for door, answer in zip(self.doors, said, strict=True)}
