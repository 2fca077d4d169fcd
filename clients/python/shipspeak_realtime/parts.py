"""What a client is made of while it is open."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from shipspeak_realtime.connection import Connection
    from shipspeak_realtime.publish import Publisher
    from shipspeak_realtime.transport import Transport
    from shipspeak_realtime.unary import UnaryCalls


@dataclass(frozen=True, slots=True)
class Parts:
    """What lives between the beginning and the end of `async with`."""

    transport: Transport
    calls: UnaryCalls
    publisher: Publisher
    connection: Connection
