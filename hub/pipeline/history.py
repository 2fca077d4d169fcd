"""ReadHistory: a page of a topic's log."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hub.engine.contract import Engine, LogPage, Verdict
from hub.errors import FailedPrecondition, Unimplemented
from hub.fanout.splice import splice
from hub.model.cursor import decode_cursor
from shipspeak.realtime.v1 import error_reason_pb2 as reasons
from shipspeak.realtime.v1 import event_pb2, frame_pb2, realtime_service_pb2

if TYPE_CHECKING:
    from collections.abc import Callable

    from hub.auth.grants import Principal
    from hub.topics.namespaces import Namespaces

DEFAULT_LIMIT = 100
DEFAULT_BYTES = 262_144

_VERDICTS = {
    Verdict.OK: frame_pb2.VERDICT_OK,
    Verdict.GAP: frame_pb2.VERDICT_GAP,
    Verdict.RESET: frame_pb2.VERDICT_RESET,
}


class HistoryReader:
    """Reads logs for callers who want a page and no stream.

    Args:
        engine: has the logs.
        namespaces: policies.
        clock: seconds since the epoch.
    """

    def __init__(self, engine: Engine, namespaces: Namespaces, clock: Callable[[], float]) -> None:
        self._engine = engine
        self._namespaces = namespaces
        self._clock = clock

    async def read(
        self, request: realtime_service_pb2.ReadHistoryRequest, principal: Principal
    ) -> realtime_service_pb2.ReadHistoryResponse:
        """Answer a validated request.

        Raises:
            HubError: TOPIC_INVALID, NAMESPACE_UNKNOWN, RIGHT_MISSING, CURSOR_INVALID,
                START_UNAVAILABLE (volatile).
        """
        topic = request.topic
        namespace = self._namespaces.of(topic)
        principal.require("subscribe", topic)
        if not namespace.topic_class.durable:
            raise FailedPrecondition(
                reasons.ERROR_REASON_START_UNAVAILABLE,
                f"{namespace.name} topics keep no history",
                topic=topic,
            )
        if request.latest_per_key:
            raise Unimplemented(
                reasons.ERROR_REASON_FEATURE_UNAVAILABLE,
                "this hub does not offer latest_per_key yet; read the whole page",
                topic=topic,
                feature="latest_per_key",
            )
        verdict, position = await self._position(request)
        limit, max_bytes = request.limit or DEFAULT_LIMIT, request.max_bytes or DEFAULT_BYTES
        if request.reverse:
            # Behind offset 1 there is nothing: 0 would mean the head to the engine.
            before = position if request.HasField("position") else 0
            if request.HasField("position") and position <= 0:
                state = await self._engine.head(topic)
                page = LogPage(after=0, events=(), through=0, more=False, state=state)
            else:
                page = await self._engine.read_latest(
                    topic, before=before, max_events=limit, max_bytes=max_bytes
                )
            start = page.after
        else:
            page = await self._engine.read(topic, position, max_events=limit, max_bytes=max_bytes)
            start = position
        return self._answer(topic, verdict, start, page)

    async def _position(
        self, request: realtime_service_pb2.ReadHistoryRequest
    ) -> tuple[frame_pb2.Verdict.ValueType, int]:
        if not request.HasField("position"):
            state = await self._engine.head(request.topic)
            return frame_pb2.VERDICT_OK, state.floor
        cursor = decode_cursor(request.topic, request.position.cursor)
        if request.reverse:
            return frame_pb2.VERDICT_OK, cursor.offset
        resume = await self._engine.resume(request.topic, cursor)
        position = resume.position
        if resume.verdict is Verdict.OK:
            position = max(position, min(request.position.handled_offset, resume.state.head))
        return _VERDICTS[resume.verdict], position

    def _answer(
        self, topic: str, verdict: frame_pb2.Verdict.ValueType, start: int, page: LogPage
    ) -> realtime_service_pb2.ReadHistoryResponse:
        spliced = splice(topic, start, page, int(self._clock() * 1000))
        runs: list[event_pb2.TopicRun] = []
        if spliced.frame is not None:
            runs = list(frame_pb2.ServerFrame.FromString(spliced.frame).runs)
        return realtime_service_pb2.ReadHistoryResponse(
            verdict=frame_pb2.VERDICT_GAP
            if spliced.gap and verdict == frame_pb2.VERDICT_OK
            else verdict,
            runs=runs,
            more=page.more,
            head=page.state.head,
        )
