"""What passes between one client and the hub, for a kind that has to know."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from shipspeak.realtime.v1 import frame_pb2
    from tests.simulation.link import Link


class Watched:
    """Told of it; does nothing with it."""

    def given(self, link: Link, frame: frame_pb2.ServerFrame) -> None:
        """The hub has given a frame to the transport."""

    def taken(self, link: Link, frame: frame_pb2.ServerFrame) -> None:
        """The client has read a frame."""

    def said(self, link: Link, frame: frame_pb2.ClientFrame) -> None:
        """A frame of the client has come to the hub."""

    def called(self, link: Link, message: Any) -> None:
        """A unary call that names the session of this link was carried out."""

    def ended(self, link: Link, heard_at: float) -> None:
        """The hub's end is over; when it last heard of the client."""
