"""The in-flight window: bytes given to the transport and not yet reported as handled.

It counts frames with runs and frames with deliveries.

Transports swallow megabytes ahead of the reader; without this window an urgent event would wait
behind them.
"""

from __future__ import annotations


class ByteWindow:
    """Credit by running totals, so that reports may be lost or repeated.

    Args:
        size: bytes that may be in flight; 0 = unlimited (the client reports nothing).
    """

    __slots__ = ("_handled", "_overdrawn", "sent", "size")

    def __init__(self, size: int) -> None:
        self.size = size
        self.sent = 0
        self._handled = 0
        self._overdrawn = False

    @property
    def in_flight(self) -> int:
        """Bytes sent and not reported as handled."""
        return self.sent - self._handled

    @property
    def open(self) -> bool:
        """Whether a counted frame may be sent; the last may pass the limit by its own size."""
        return not self.size or self.sent - self._handled < self.size

    @property
    def room(self) -> int:
        """Bytes until a window with a size is full; 0 = it is."""
        return max(0, self.size - self.in_flight)

    @property
    def may_overdraw(self) -> bool:
        """Whether one CRITICAL run may pass a full window; once until the window has opened."""
        return not self._overdrawn

    def on_sent(self, size: int) -> None:
        """Count a frame; one sent into a full window uses up the overdraft."""
        if not self.open:
            self._overdrawn = True
        self.sent += size

    def on_handled(self, total: int) -> None:
        """Take a report. Totals that go back or beyond what was sent are clamped.

        A report alone gives no new overdraft: one byte at a time would let any number of urgent
        frames past. The window opens at the latest when the frame that overdrew it was handled.
        """
        self._handled = max(self._handled, min(total, self.sent))
        if self.open:
            self._overdrawn = False
