"""Where to go on in a topic: the hub's opaque token, and how far this process came beyond it."""

from __future__ import annotations

import base64
import binascii
from dataclasses import dataclass

from shipspeak.realtime.v1 import event_pb2
from shipspeak_realtime.errors import InvalidRequestError


@dataclass(frozen=True, slots=True)
class Cursor:
    """A place in one topic's log, good on every instance and transport of the hub.

    Store it together with the state that the events up to it made, or a restart will skip or
    repeat.

    Attributes:
        topic: the topic that it belongs to.
        token: the hub's resume token, opaque; at most 512 bytes.
        handled_offset: events up to this offset were handled; at or above the token's own.
        handled_id: id of the event at `handled_offset` where that is above the token's own, so that
            the hub can prove it; empty = not known, and what lies between comes again.
    """

    topic: str
    token: bytes
    handled_offset: int = 0
    handled_id: str = ""

    def __str__(self) -> str:
        """Text for storing; `Cursor.parse` reads it back."""
        token = base64.urlsafe_b64encode(self.token).decode().rstrip("=")
        text = f"{self.topic}@{self.handled_offset}.{token}"
        return f"{text}.{self.handled_id}" if self.handled_id else text

    @classmethod
    def parse(cls, text: str) -> Cursor:
        """Read what `str(cursor)` wrote.

        Raises:
            InvalidRequestError: when the text is not such a cursor.
        """
        topic, at, place = text.rpartition("@")
        offset, dot, rest = place.partition(".")
        token, _, handled_id = rest.partition(".")
        message = f"{text[:80]!r} is not a cursor; give what str(event.cursor) wrote"
        if not (at and dot and topic):
            raise InvalidRequestError(message, reason="CURSOR_INVALID")
        padded = token + "=" * (-len(token) % 4)
        try:
            opaque = base64.b64decode(padded, altchars=b"-_", validate=True)
            return cls(topic, opaque, int(offset), handled_id)
        except (ValueError, binascii.Error) as error:
            raise InvalidRequestError(message, reason="CURSOR_INVALID") from error

    def position(self) -> event_pb2.Position:
        """The cursor as the contract's Position."""
        return event_pb2.Position(
            cursor=self.token, handled_offset=self.handled_offset, handled_id=self.handled_id
        )
