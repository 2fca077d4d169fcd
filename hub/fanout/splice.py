"""Joining log and ring: a page of the log becomes a frame of the same form as the ring's. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from hub.model.cursor import Cursor, encode_cursor
from hub.model.wire import RunHeader, framed_event

if TYPE_CHECKING:
    from hub.engine.contract import LogPage


@dataclass(frozen=True, slots=True)
class Spliced:
    """What a reader behind the ring gets next.

    Attributes:
        frame: a serialized ServerFrame with one run; None when the page holds nothing and moves
            nothing.
        after: where the run begins: the reader's position, or the floor when history was trimmed
            under it.
        through: where it ends.
        gap: events between the position and ``after`` are gone.
        gap_cursor: resume token of ``after`` when there is a gap.
    """

    frame: bytes | None
    after: int
    through: int
    gap: bool
    gap_cursor: bytes = b""


def splice(topic: str, position: int, page: LogPage, now_ms: int) -> Spliced:
    """Make a frame of a page that was read behind ``position``.

    A floor above the position means that retention was faster than the reader: the reader is told
    GAP and goes on behind the floor (G6: never silent).
    """
    gap = page.state.floor > position
    after = max(position, page.state.floor)
    through = max(page.through, after)
    gap_cursor = b""
    if gap:
        floor = Cursor(page.state.epoch, after, page.state.floor_id, now_ms)
        gap_cursor = encode_cursor(topic, floor)
    events = [event for event in page.events if event.offset > after]
    if through == position and not events:
        return Spliced(None, after, through, gap, gap_cursor)
    kept = [event for event in events if not event.expires_ms or event.expires_ms > now_ms]
    last_id = events[-1].event_id if events and events[-1].offset == through else ""
    frame = RunHeader(topic, page.state.epoch).frame(
        after=after,
        through=through,
        events=b"".join(framed_event(event.data) for event in kept),
        cursor=encode_cursor(topic, Cursor(page.state.epoch, through, last_id, now_ms)),
        expired=len(events) - len(kept),
    )
    return Spliced(frame, after, through, gap, gap_cursor)
