"""What a client is made of while it is open."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from shipspeak_realtime.connection import Connection
    from shipspeak_realtime.durable.open import OpenOutbox
    from shipspeak_realtime.publish import Publisher
    from shipspeak_realtime.session import Identity
    from shipspeak_realtime.transport import Transport
    from shipspeak_realtime.unary import UnaryCalls


@dataclass(frozen=True, slots=True)
class Parts:
    """What lives between the beginning and the end of `async with`."""

    transport: Transport
    calls: UnaryCalls
    publisher: Publisher
    connection: Connection
    durable: OpenOutbox | None


class HasParts:
    """What the faces of a client have in common: each speaks by the parts of the open client."""

    _parts: Parts | None = None
    _identity: Identity

    @property
    def opened(self) -> bool:
        """Whether its `async with` has begun, or is over."""
        return self._parts is not None

    def _open_parts(self) -> Parts:
        """The parts.

        Raises:
            RuntimeError: the client is used before its `async with`.
        """
        if self._parts is None:
            message = "use the client inside `async with`"
            raise RuntimeError(message)
        return self._parts
