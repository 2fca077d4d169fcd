"""Joining log and ring: a page of the log becomes a frame of the same form as the ring's. Pure."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from hub.model.cursor import Cursor, encode_cursor
from hub.model.wire import RunHeader, framed_event

if TYPE_CHECKING:
    from hub.engine.contract import LogPage, TopicHead

_FOREVER: Final = 1 << 62


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
        holds_until_ms: when the next of the frame's events expires; from then on it is stale.
    """

    frame: bytes | None
    after: int
    through: int
    gap: bool
    gap_cursor: bytes = b""
    holds_until_ms: int = _FOREVER


def splice(topic: str, position: int, page: LogPage, now_ms: int) -> Spliced:
    """Make a frame of a page that was read behind ``position``.

    A floor above the position means that retention was faster than the reader: the reader is told
    GAP and goes on behind the floor (G6: never silent).
    """
    gap = page.state.floor > position
    after = max(position, page.state.floor)
    through = max(page.through, after)
    gap_cursor = floor_cursor(topic, page.state, after, now_ms) if gap else b""
    events = [event for event in page.events if event.offset > after]
    if through == position and not events:
        return Spliced(None, after, through, gap, gap_cursor)
    there = [event for event in events if not event.withdrawn]
    kept = [event for event in there if not event.expires_ms or event.expires_ms > now_ms]
    last_id = events[-1].event_id if events and events[-1].offset == through else ""
    frame = RunHeader(topic, page.state.epoch).frame(
        after=after,
        through=through,
        events=b"".join(framed_event(event.data) for event in kept),
        cursor=encode_cursor(topic, Cursor(page.state.epoch, through, last_id, now_ms)),
        expired=len(there) - len(kept),
        conflated=page.conflated,
        withdrawn=len(events) - len(there),
    )
    holds_until = min((event.expires_ms for event in kept if event.expires_ms), default=_FOREVER)
    return Spliced(frame, after, through, gap, gap_cursor, holds_until)


def floor_cursor(topic: str, state: TopicHead, offset: int, now_ms: int) -> bytes:
    """Resume token of a reader that goes on behind the floor, or at its own place above it."""
    event_id = state.floor_id if offset == state.floor else ""
    return encode_cursor(topic, Cursor(state.epoch, offset, event_id, now_ms))


def cut(page: LogPage, through: int) -> LogPage:
    """The page up to an offset that lies inside it."""
    events = [event for event in page.events if event.offset <= through]
    return replace(page, events=events, through=through, more=True)
