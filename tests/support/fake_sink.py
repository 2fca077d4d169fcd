"""A FrameSink that keeps what it was given, and is writable when the test says so."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from shipspeak.realtime.v1 import event_pb2, frame_pb2

if TYPE_CHECKING:
    from collections.abc import Callable

    from hub.errors import HubError


class FakeSink:
    """Takes frames like a transport.

    Args:
        automatic: turn writable again by itself in the next turn of the loop after each send, as a
            quick transport does; otherwise `take` does.
    """

    def __init__(self, *, automatic: bool = False) -> None:
        self.on_writable: Callable[[], None] | None = None
        self.frames: list[bytes] = []
        self.closed: list[HubError | None] = []
        self.automatic = automatic
        self._free = True

    @property
    def writable(self) -> bool:
        """As in FrameSink."""
        return self._free and not self.closed

    def send(self, frame: bytes) -> None:
        """As in FrameSink; a send into a full sink fails the test."""
        assert self.writable, "sent while not writable"
        self.frames.append(frame)
        self._free = False
        if self.automatic:
            asyncio.get_running_loop().call_soon(self.take)

    def close(self, error: HubError | None) -> None:
        """As in FrameSink."""
        if not self.closed:
            self.closed.append(error)

    def take(self) -> None:
        """The transport has taken the frame in flight."""
        self._free = True
        if self.on_writable is not None and not self.closed:
            self.on_writable()

    def take_all(self) -> None:
        """Take until nothing more comes."""
        while not self._free:
            self.take()

    @property
    def messages(self) -> list[frame_pb2.ServerFrame]:
        """All frames, parsed."""
        return [frame_pb2.ServerFrame.FromString(frame) for frame in self.frames]

    @property
    def controls(self) -> list[str]:
        """Kinds of the control frames, in order; "" for a frame with runs."""
        return [message.WhichOneof("control") or "" for message in self.messages]

    @property
    def runs(self) -> list[event_pb2.TopicRun]:
        """All runs, in order."""
        return [run for message in self.messages for run in message.runs]
