"""``python -m benchmarks.watched_hub serve``: the hub, which notes when it was asked and was done.

By its own clock, inside its process: when the first subscribe came in, and when a transport took
the last frame that was no heartbeat. Both stand in a file that anybody may read meanwhile, so that
the hub is asked nothing while it is measured.
"""

from __future__ import annotations

import mmap
import os
import struct
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from hub.cli.main import main
from hub.pipeline.subscribe import Subscriber
from hub.server import streams
from hub.server.stream_sink import GrpcStreamSink
from shipspeak.realtime.v1 import frame_pb2

if TYPE_CHECKING:
    from collections.abc import Callable

FILE_VARIABLE: Final = "BENCH_TIMES"
_FORM: Final = struct.Struct("dd")
# The tag that a frame with nothing but a heartbeat begins with.
_HEARTBEAT: Final = frame_pb2.ServerFrame(heartbeat=frame_pb2.Heartbeat()).SerializeToString()[:1]


def seconds(path: Path) -> float:
    """From the first subscribe to the last byte so far; 0 = nothing was asked.

    Args:
        path: the hub's file.
    """
    first, last = _FORM.unpack(path.read_bytes())
    return float(max(0.0, last - first)) if first else 0.0


class Notes:
    """The two times, in a file.

    Args:
        path: of the file, which is made anew.
    """

    def __init__(self, path: Path) -> None:
        path.write_bytes(bytes(_FORM.size))
        with path.open("r+b") as file:
            self._map = mmap.mmap(file.fileno(), _FORM.size)
        self._first = 0.0

    def asked(self) -> None:
        """A subscribe has come in."""
        if not self._first:
            self._first = time.monotonic()
            self._map[:] = _FORM.pack(self._first, 0.0)

    def wrote(self) -> None:
        """A transport has taken a frame."""
        if self._first:
            self._map[:] = _FORM.pack(self._first, time.monotonic())


def watch(notes: Notes) -> None:
    """Have every subscribe and every frame of the gRPC door noted."""
    subscribe: Callable[..., Any] = Subscriber.subscribe

    async def noted(*args: Any, **options: Any) -> None:
        notes.asked()
        await subscribe(*args, **options)

    class NotingSink(GrpcStreamSink):
        """Notes what was written."""

        def send(self, frame: bytes) -> None:
            self._counts = not frame.startswith(_HEARTBEAT)
            super().send(frame)

        def _tell_written(self) -> None:
            if self._counts:
                notes.wrote()
            super()._tell_written()

    Subscriber.subscribe = noted  # type: ignore[method-assign]
    streams.GrpcStreamSink = NotingSink  # type: ignore[attr-defined]


if __name__ == "__main__":
    watch(Notes(Path(os.environ[FILE_VARIABLE])))
    main()
