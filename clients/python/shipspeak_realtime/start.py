"""Where a subscription begins that has no position of its own yet."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal, TypeAlias

from shipspeak.realtime.v1 import frame_pb2
from shipspeak_realtime.cursor import Cursor
from shipspeak_realtime.errors import InvalidRequestError

Start: TypeAlias = Literal["latest", "earliest", "snapshot"] | Cursor
MAX_LAST: Final = 1000

_STARTS: Final = {
    "latest": frame_pb2.START_LATEST,
    "earliest": frame_pb2.START_EARLIEST,
    "snapshot": frame_pb2.START_SNAPSHOT,
}


@dataclass(frozen=True, slots=True)
class Beginning:
    """A start that was checked.

    Attributes:
        start: a name, or the application's cursor.
        last: the newest N events, in place of `start`; 0 = not asked for.
    """

    start: Start
    last: int = 0

    def fill(self, request: frame_pb2.Subscribe) -> None:
        """Put it into a request."""
        if self.last:
            request.last = self.last
        elif isinstance(self.start, Cursor):
            request.position.CopyFrom(self.start.position())
        else:
            request.at = _STARTS[self.start]


def beginning(topic: str, start: Start, last: int | None) -> Beginning:
    """Check what the application asks for.

    Raises:
        InvalidRequestError: a cursor of another topic, an unknown start, or a `last` that is not 1
            to 1000 or stands beside another start.
    """
    if isinstance(start, Cursor) and start.topic != topic:
        message = f"the cursor belongs to {start.topic!r}, not to {topic!r}"
        raise InvalidRequestError(message, reason="CURSOR_INVALID", topic=topic)
    if not isinstance(start, Cursor) and start not in _STARTS:
        message = f"start is {start!r}; give 'latest', 'earliest', 'snapshot' or a Cursor"
        raise InvalidRequestError(message, reason="START_UNAVAILABLE", topic=topic)
    if last is None:
        return Beginning(start)
    if start != "latest" or not 1 <= last <= MAX_LAST:
        message = f"last is {last!r} beside start={start!r}; give 1 to {MAX_LAST}, and no start"
        raise InvalidRequestError(message, reason="START_UNAVAILABLE", topic=topic)
    return Beginning(start, last)
