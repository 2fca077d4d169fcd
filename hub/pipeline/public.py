"""Public topics for anybody: answers that many pollers share, so that a cache can serve them.

All pollers of a topic must ask for few different addresses, else no cache helps. So time is cut
into windows: within one, every answer ends at the head that the window's first poller found. Who
polls once a window then stands where all others stand, wherever it began.
"""

from __future__ import annotations

import asyncio
import math
from collections import OrderedDict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from hub.engine.contract import Verdict
from hub.errors import PermissionDenied
from hub.fanout.notice import subscribed_frame
from hub.fanout.splice import cut, floor_cursor, splice
from hub.model.cursor import Cursor, decode_cursor, encode_cursor
from hub.model.wire import delimited
from hub.pipeline.verdict import WIRE_VERDICTS
from hub.session.frames import duration
from hub.telemetry.unheard import hear
from shipspeak.realtime.v1 import error_reason_pb2 as reasons
from shipspeak.realtime.v1 import frame_pb2, realtime_service_pb2

if TYPE_CHECKING:
    from collections.abc import Callable

    from hub.engine.contract import Engine, TopicHead
    from hub.topics.namespaces import Namespaces

# G10: what a cache holds of a public topic is at most this old. Answers change with the window.
WINDOW_SECONDS: Final = 5
PAGE_EVENTS: Final = 500
PAGE_BYTES: Final = 262_144
# Heads that are remembered; beyond it the one asked for longest ago goes.
_MAX_TOPICS: Final = 1_000
LATEST: Final = "latest"
EARLIEST: Final = "earliest"


@dataclass(frozen=True, slots=True)
class PublicAnswer:
    """What a poller of a public topic gets.

    Attributes:
        body: a serialized PollResponse.
        fresh_seconds: for how long it holds, whole seconds, 1 to WINDOW_SECONDS.
    """

    body: bytes
    fresh_seconds: int


@dataclass(frozen=True, slots=True)
class _Head:
    """Where the answers of one window end.

    Attributes:
        window: number of the window.
        state: of the log.
        cursor: resume token of the head. It stays the same for as long as the head does: it is in
            the addresses that pollers ask for.
    """

    window: int
    state: TopicHead
    cursor: bytes


class PublicReader:
    """Reads public topics.

    Args:
        engine: has the logs.
        namespaces: tell what is public.
        clock: seconds since the epoch.
    """

    def __init__(self, engine: Engine, namespaces: Namespaces, clock: Callable[[], float]) -> None:
        self._engine = engine
        self._namespaces = namespaces
        self._clock = clock
        self._heads: OrderedDict[str, _Head] = OrderedDict()
        self._finding: dict[str, asyncio.Task[_Head]] = {}

    async def read(self, topic: str, since: str | bytes) -> PublicAnswer:
        """What lies behind a position, up to the head of this window.

        Args:
            topic: any.
            since: LATEST, EARLIEST, or a cursor.

        Raises:
            HubError: TOPIC_INVALID, NAMESPACE_UNKNOWN, RIGHT_MISSING for a topic that is not
                public, CURSOR_INVALID.
        """
        self._check_public(topic)
        cursor = decode_cursor(topic, since) if isinstance(since, bytes) else None
        now = self._clock()
        window = math.floor(now / WINDOW_SECONDS)
        head = await self._head(topic, window)
        frames, more = await self._frames(topic, since, cursor, head)
        tail = realtime_service_pb2.PollResponse(more=more)
        if not more:
            tail.next_poll_after.CopyFrom(duration(WINDOW_SECONDS))
        body = b"".join(delimited(0x0A, frame) for frame in frames) + tail.SerializeToString()
        left = math.ceil((window + 1) * WINDOW_SECONDS - now)
        return PublicAnswer(body, max(1, min(WINDOW_SECONDS, left)))

    def _check_public(self, topic: str) -> None:
        if not self._namespaces.of(topic).public:
            raise PermissionDenied(
                reasons.ERROR_REASON_RIGHT_MISSING,
                "this topic is not public; read it with a token, by a stream or by Poll",
                topic=topic,
                right="subscribe",
            )

    async def _head(self, topic: str, window: int) -> _Head:
        known = self._heads.get(topic)
        if known is not None and known.window == window:
            self._heads.move_to_end(topic)
            return known
        # However many ask at once, one looks.
        finding = self._finding.get(topic)
        if finding is None:
            finding = asyncio.ensure_future(self._find_head(topic, window, known))
            self._finding[topic] = finding
            finding.add_done_callback(lambda _: self._finding.pop(topic, None))
            finding.add_done_callback(hear)
        return await asyncio.shield(finding)

    async def _find_head(self, topic: str, window: int, known: _Head | None) -> _Head:
        state = await self._engine.head(topic)
        if known is not None and _same_place(known.state, state):
            head = _Head(window, state, known.cursor)
        else:
            event_id = state.floor_id
            if state.head > state.floor:
                page = await self._engine.read_latest(
                    topic, before=state.head, max_events=1, max_bytes=1
                )
                event_id = page.events[-1].event_id if page.events else ""
            place = Cursor(state.epoch, state.head, event_id, window * WINDOW_SECONDS * 1000)
            head = _Head(window, state, encode_cursor(topic, place))
        self._heads[topic] = head
        self._heads.move_to_end(topic)
        while len(self._heads) > _MAX_TOPICS:
            self._heads.popitem(last=False)
        return head

    async def _frames(
        self, topic: str, since: str | bytes, cursor: Cursor | None, head: _Head
    ) -> tuple[list[bytes], bool]:
        """The frames of one answer, and whether more lies before the window's head."""
        state = head.state
        if since == head.cursor:
            return [], False
        if cursor is None:
            if since != EARLIEST:
                return [_begin(topic, head, state.head, head.cursor)], False
            start = floor_cursor(topic, state, state.floor, head.window * WINDOW_SECONDS * 1000)
            told = [_begin(topic, head, state.floor, start)]
            return await self._pages(topic, state.floor, head, told)
        resume = await self._engine.resume(topic, cursor)
        if resume.verdict is Verdict.OK:
            return await self._pages(topic, resume.position, head, [])
        start = floor_cursor(
            topic, resume.state, resume.position, head.window * WINDOW_SECONDS * 1000
        )
        verdict = subscribed_frame(
            topic,
            resume.state,
            WIRE_VERDICTS[resume.verdict],
            position=resume.position,
            cursor=start,
            lost=resume.lost,
        )
        return await self._pages(topic, resume.position, head, [verdict])

    async def _pages(
        self, topic: str, position: int, head: _Head, frames: list[bytes]
    ) -> tuple[list[bytes], bool]:
        end = head.state.head
        if position >= end:
            # Also a reader that came from another transport and has seen more than this window.
            return frames, False
        page = await self._engine.read(
            topic, position, max_events=PAGE_EVENTS, max_bytes=PAGE_BYTES
        )
        if page.through > end:
            page = cut(page, end)
        spliced = splice(topic, position, page, int(self._clock() * 1000))
        if spliced.gap:
            frames.append(
                subscribed_frame(
                    topic,
                    page.state,
                    frame_pb2.VERDICT_GAP,
                    position=spliced.after,
                    cursor=spliced.gap_cursor,
                    lost=spliced.after - position,
                )
            )
        if spliced.frame is not None:
            frame = spliced.frame
            if spliced.through == end:
                frame = _ending(frame, head.cursor)
            frames.append(frame)
        return frames, spliced.through < end


def _begin(topic: str, head: _Head, position: int, cursor: bytes) -> bytes:
    return subscribed_frame(
        topic, head.state, frame_pb2.VERDICT_OK, position=position, cursor=cursor
    )


def _ending(frame: bytes, cursor: bytes) -> bytes:
    """The frame with the cursor that all readers get who end here."""
    message = frame_pb2.ServerFrame.FromString(frame)
    message.runs[-1].cursor = cursor
    return message.SerializeToString()


def _same_place(before: TopicHead, now: TopicHead) -> bool:
    return (before.epoch, before.head, before.floor) == (now.epoch, now.head, now.floor)
