"""The in-flight window: tells the hub how many bytes this side has handled.

Transports swallow megabytes ahead of the reader; without the window a CRITICAL event would wait
behind all of them. The hub stops sending runs and deliveries when (sent - handled) reaches the
window, so the total must count exactly what the hub counts: the serialized sizes of all
ServerFrames that carried runs or deliveries, since Welcome.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from shipspeak.realtime.v1 import frame_pb2

REPORT_BYTES = 64 * 1024
DEFAULT_WINDOW_BYTES = 256 * 1024


def counts(frame: frame_pb2.ServerFrame) -> bool:
    """Whether the window counts a frame."""
    return bool(frame.runs) or frame.HasField("deliveries")


class Window:
    """The running total of one session."""

    def __init__(self) -> None:
        self._handled = 0
        self._reported = 0

    @property
    def handled_bytes(self) -> int:
        """Bytes handled since Welcome."""
        return self._handled

    def handled(self, size: int) -> bool:
        """Count a frame; True when it is time to report."""
        self._handled += size
        return self._handled - self._reported >= REPORT_BYTES

    def report(self) -> int:
        """The total to send now."""
        self._reported = self._handled
        return self._handled
