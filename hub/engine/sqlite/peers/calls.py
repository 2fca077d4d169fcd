"""What one instance asks of another on behalf of a client, and how asking can fail."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from hub.engine.sqlite.peers.codec import from_value, to_value
from shipspeak.realtime.internal.v1 import peer_service_pb2 as wire

if TYPE_CHECKING:
    from hub.model.certificate import Certificate


class LinkLost(Exception):
    """The link ended before the answer; what was asked may have been done or not."""


class NotOwner(Exception):
    """The shard is not owned there: nothing was done."""


@dataclass(frozen=True, slots=True)
class PeerCall:
    """An RPC of a client, done by another instance than the one that it reached.

    Attributes:
        method: name of what is called.
        request: serialized.
        metadata, peer, transport, certificate: of the caller, as its door knows them.
    """

    method: str
    request: bytes
    metadata: dict[str, str] = field(default_factory=dict)
    peer: str = ""
    transport: str = ""
    certificate: Certificate | None = None

    def message(self, number: int) -> wire.Ask:
        """As it is asked."""
        call = wire.Call(
            id=number,
            method=self.method,
            request=self.request,
            metadata=self.metadata,
            peer=self.peer,
            transport=self.transport,
        )
        if self.certificate is not None:
            call.certificate.CopyFrom(to_value(self.certificate))
        return wire.Ask(call=call)


def call_of(message: wire.Call) -> PeerCall:
    """The inverse of ``PeerCall.message``."""
    return PeerCall(
        message.method,
        message.request,
        dict(message.metadata),
        message.peer,
        message.transport,
        from_value(message.certificate, lambda: 0) if message.HasField("certificate") else None,
    )
