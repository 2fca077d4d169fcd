"""Stored events for the tests of the fan-out."""

from __future__ import annotations

from hub.model.events import StoredEvent
from shipspeak.realtime.v1 import event_pb2


def stored(
    offset: int,
    *,
    prev: int | None = None,
    size: int = 10,
    priority: int = 3,
    expires_ms: int = 0,
    event_id: str = "",
    key: str = "",
) -> StoredEvent:
    """One event with about `size` bytes; its predecessor is offset - 1 unless given."""
    event = event_pb2.Event(id=event_id or f"e{offset}", offset=offset)
    event.content.attributes["fill"] = "x" * size
    return StoredEvent(
        offset,
        offset - 1 if prev is None else prev,
        event.id,
        event.SerializeToString(),
        priority,
        key,
        1,
        expires_ms,
    )
