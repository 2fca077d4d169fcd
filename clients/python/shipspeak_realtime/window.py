"""The in-flight window: tells the hub how many bytes this side has handled.

Transports swallow megabytes ahead of the reader; without the window a CRITICAL event would wait
behind all of them. The hub stops sending runs when (sent - handled) reaches the window, so the
total must count exactly what the hub counts: the serialized sizes of all ServerFrames that
carried runs, since Welcome.
"""

from __future__ import annotations

REPORT_BYTES = 64 * 1024
DEFAULT_WINDOW_BYTES = 256 * 1024


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
        """Count a frame with runs; True when it is time to report."""
        self._handled += size
        return self._handled - self._reported >= REPORT_BYTES

    def report(self) -> int:
        """The total to send now."""
        self._reported = self._handled
        return self._handled
