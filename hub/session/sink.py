"""The only place that knows a transport: where a session's frames go out."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable

    from hub.errors import HubError
    from hub.model.certificate import Certificate


@dataclass(frozen=True, slots=True)
class Caller:
    """What a door knows of one call.

    Attributes:
        metadata: request metadata with lower-case keys; for a repeated key the last value.
        peer: the client's address, as ``ipv4:127.0.0.1:5000``.
        transport: the door's name, for logs and metrics: "grpc", "grpc-web", "websocket" or
            "http".
        certificate: the client's, where the door asks for one.
    """

    metadata: dict[str, str] = field(default_factory=dict)
    peer: str = ""
    transport: str = "grpc"
    certificate: Certificate | None = None


class FrameSink(Protocol):
    """A transport's way out. One send is in flight at a time.

    The owner (a session) sets ``on_writable`` once and calls ``send`` only while ``writable``. The
    sink calls ``on_writable`` on the loop when it turns writable again, never from inside ``send``.
    """

    on_writable: Callable[[], None] | None

    @property
    def writable(self) -> bool:
        """Whether ``send`` may be called now."""

    def send(self, frame: bytes) -> None:
        """Give one serialized ServerFrame to the transport; many sinks may share the bytes."""

    def close(self, error: HubError | None) -> None:
        """End the stream behind what was sent: with OK, or with the error's status. Idempotent."""


class Attachment(Protocol):
    """A session that a door has attached a sink to."""

    def detach(self) -> None:
        """The peer is gone or the call was cancelled: the sink is not used again. Idempotent."""
