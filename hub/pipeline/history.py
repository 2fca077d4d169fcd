"""ReadHistory: a page of a topic's log."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from hub.engine.contract import Engine, LogPage, TopicHead, Verdict
from hub.errors import FailedPrecondition
from hub.fanout.splice import Spliced, splice
from hub.model.cursor import Cursor, decode_cursor, encode_cursor
from hub.pipeline.starts import check_conflation
from hub.pipeline.verdict import WIRE_VERDICTS, handled_inside_run
from shipspeak.realtime.v1 import error_reason_pb2 as reasons
from shipspeak.realtime.v1 import frame_pb2, realtime_service_pb2

if TYPE_CHECKING:
    from collections.abc import Callable

    from hub.auth.grants import Principal
    from hub.auth.topic_grants import TopicGrants
    from hub.topics.namespaces import Namespaces

DEFAULT_LIMIT = 100
DEFAULT_BYTES = 262_144


@dataclass(frozen=True, slots=True)
class _Start:
    """Where a page begins: behind ``offset``, or before it when reading backward.

    ``event_id`` is the event's that stands there, where it is known.
    """

    verdict: frame_pb2.Verdict.ValueType
    offset: int
    event_id: str
    state: TopicHead


class HistoryReader:
    """Reads logs for callers who want a page and no stream.

    Args:
        engine: has the logs.
        namespaces: policies.
        clock: seconds since the epoch.
        grants: judges who may read.
    """

    def __init__(
        self,
        engine: Engine,
        namespaces: Namespaces,
        clock: Callable[[], float],
        grants: TopicGrants,
    ) -> None:
        self._grants = grants
        self._engine = engine
        self._namespaces = namespaces
        self._clock = clock

    async def read(
        self, request: realtime_service_pb2.ReadHistoryRequest, principal: Principal
    ) -> realtime_service_pb2.ReadHistoryResponse:
        """Answer a validated request.

        Raises:
            HubError: TOPIC_INVALID, NAMESPACE_UNKNOWN, RIGHT_MISSING, CURSOR_INVALID,
                START_UNAVAILABLE (volatile), CONFLATION_NOT_ALLOWED.
        """
        topic = request.topic
        namespace = self._namespaces.of(topic)
        await self._grants.prepare(principal, topic, "")
        self._grants.right(principal, topic, "")
        if not namespace.topic_class.durable:
            raise FailedPrecondition(
                reasons.ERROR_REASON_START_UNAVAILABLE,
                f"{namespace.name} topics keep no history",
                topic=topic,
            )
        if request.latest_per_key:
            check_conflation(namespace, topic)
        start = await self._start(request)
        if request.reverse:
            page = await self._page_before(request, start)
        else:
            page = await self._engine.read(
                topic,
                start.offset,
                max_events=_events(request),
                max_bytes=_bytes(request),
                horizon=_horizon(request, start),
            )
        return self._answer(request, start, page)

    async def _start(self, request: realtime_service_pb2.ReadHistoryRequest) -> _Start:
        """Judge the position, in either direction as a subscription's would be."""
        topic = request.topic
        if not request.HasField("position"):
            return _beginning(request, frame_pb2.VERDICT_OK, await self._engine.head(topic))
        cursor = decode_cursor(topic, request.position.cursor)
        resume = await self._engine.resume(topic, cursor)
        verdict, state = WIRE_VERDICTS[resume.verdict], resume.state
        if resume.verdict is Verdict.RESET:
            return _beginning(request, verdict, state)
        if resume.verdict is Verdict.GAP:
            return _Start(verdict, state.floor, state.floor_id, state)
        if await handled_inside_run(self._engine, topic, cursor, request.position):
            return _Start(
                verdict, request.position.handled_offset, request.position.handled_id, state
            )
        return _Start(verdict, cursor.offset, cursor.event_id, state)

    async def _page_before(
        self, request: realtime_service_pb2.ReadHistoryRequest, start: _Start
    ) -> LogPage:
        before = start.offset - 1
        if before <= start.state.floor:
            # Nothing older is kept; 0 would mean the head to the engine.
            return LogPage(start.offset, (), start.offset, more=False, state=start.state)
        return await self._engine.read_latest(
            request.topic,
            before=before,
            max_events=_events(request),
            max_bytes=_bytes(request),
            horizon=_horizon(request, start),
        )

    def _answer(
        self, request: realtime_service_pb2.ReadHistoryRequest, start: _Start, page: LogPage
    ) -> realtime_service_pb2.ReadHistoryResponse:
        now_ms = int(self._clock() * 1000)
        after = page.after if request.reverse else start.offset
        spliced = splice(request.topic, after, page, now_ms)
        verdict = start.verdict
        if spliced.gap and verdict == frame_pb2.VERDICT_OK:
            verdict = frame_pb2.VERDICT_GAP
        answer = realtime_service_pb2.ReadHistoryResponse(
            verdict=verdict, more=page.more, head=page.state.head
        )
        if spliced.frame is not None:
            answer.runs.extend(frame_pb2.ServerFrame.FromString(spliced.frame).runs)
        end, end_id = _end(request, start, page, spliced)
        cursor = Cursor(page.state.epoch, end, end_id, now_ms)
        answer.next.cursor = encode_cursor(request.topic, cursor)
        answer.next.handled_offset = end
        return answer


def _beginning(
    request: realtime_service_pb2.ReadHistoryRequest,
    verdict: frame_pb2.Verdict.ValueType,
    state: TopicHead,
) -> _Start:
    """Where a reader without a usable position starts: at the oldest, or behind the newest."""
    if request.reverse:
        return _Start(verdict, state.head + 1, "", state)
    return _Start(verdict, state.floor, state.floor_id, state)


def _end(
    request: realtime_service_pb2.ReadHistoryRequest, start: _Start, page: LogPage, spliced: Spliced
) -> tuple[int, str]:
    """Offset and event id of the place where the next page begins."""
    if request.reverse and page.events:
        return page.events[0].offset, page.events[0].event_id
    if not request.reverse and page.events and page.events[-1].offset == spliced.through:
        return spliced.through, page.events[-1].event_id
    end = spliced.through
    if request.reverse:
        # A position behind the head would be another log's.
        end = min(start.offset, page.state.head)
    return end, start.event_id if end == start.offset else ""


def _horizon(request: realtime_service_pb2.ReadHistoryRequest, start: _Start) -> int:
    """Up to where later events of a key supersede earlier ones; 0 = nothing does."""
    return start.state.head if request.latest_per_key else 0


def _events(request: realtime_service_pb2.ReadHistoryRequest) -> int:
    return request.limit or DEFAULT_LIMIT


def _bytes(request: realtime_service_pb2.ReadHistoryRequest) -> int:
    return request.max_bytes or DEFAULT_BYTES
