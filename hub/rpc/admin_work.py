"""Admin methods on work subscriptions: list, seek, delete, replay dead letters."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hub.engine.contract import Engine, Verdict
from hub.errors import InvalidArgument
from hub.model.cursor import decode_cursor
from hub.rpc.admin import AdminMethod, page_size
from hub.rpc.decode import decode
from hub.session.frames import duration
from shipspeak.realtime.v1 import admin_service_pb2
from shipspeak.realtime.v1 import error_reason_pb2 as reasons

if TYPE_CHECKING:
    from collections.abc import Callable

    from hub.work.room import WorkRoom
    from hub.work.shared import SharedWork
    from hub.work.state import WorkState
    from shipspeak.realtime.v1 import event_pb2

DEFAULT_REPLAY = 100


class WorkAdmin:
    """Looks into work subscriptions and moves them.

    Args:
        work: the room.
        engine: judges cursors.
        clock: seconds since the epoch.
    """

    def __init__(
        self, work: WorkRoom | SharedWork, engine: Engine, clock: Callable[[], float]
    ) -> None:
        self._work = work
        self._engine = engine
        self._clock = clock

    def table(self) -> dict[str, AdminMethod]:
        """RPC name -> method."""
        return {
            "ListWork": self.list_work,
            "SeekWork": self.seek_work,
            "DeleteWork": self.delete_work,
            "ReplayDeadLetters": self.replay_dead_letters,
        }

    async def list_work(self, request: bytes) -> bytes:
        """ListWork."""
        page = decode(admin_service_pb2.ListWorkRequest, request).page
        states, next_page = await self._work.coordinator.states(page.token, page_size(page))
        return admin_service_pb2.ListWorkResponse(
            work=[self._info(state) for state in states], next_page=next_page
        ).SerializeToString()

    def _info(self, state: WorkState) -> admin_service_pb2.WorkInfo:
        info = admin_service_pb2.WorkInfo(
            name=state.spec.name,
            pattern=state.spec.pattern,
            members=state.members,
            backlog=state.backlog,
            outstanding=state.outstanding,
            ordered=state.spec.ordered,
            expired=state.expired,
            held_back=state.held_back,
            backlog_capped=state.more,
        )
        if state.oldest_ms:
            info.oldest.CopyFrom(duration(max(0.0, self._clock() - state.oldest_ms / 1000)))
        return info

    async def seek_work(self, request: bytes) -> bytes:
        """SeekWork."""
        message = decode(admin_service_pb2.SeekWorkRequest, request)
        work = self._work.coordinator
        if message.WhichOneof("target") == "time":
            await work.seek_time(message.name, message.time.ToMilliseconds())
        else:
            topic = work.spec(message.name).pattern
            offset = await self._offset(topic, message.position)
            await work.seek_offset(message.name, offset)
        return admin_service_pb2.SeekWorkResponse().SerializeToString()

    async def _offset(self, topic: str, position: event_pb2.Position) -> int:
        if "*" in topic:
            raise InvalidArgument(
                reasons.ERROR_REASON_FIELD_INVALID,
                f"{topic} is a pattern, and a position is one topic's; seek to a time",
                field="position",
            )
        cursor = decode_cursor(topic, position.cursor)
        resume = await self._engine.resume(topic, cursor)
        if resume.verdict is Verdict.RESET:
            raise InvalidArgument(
                reasons.ERROR_REASON_CURSOR_INVALID,
                "the cursor is of another log; seek to a time",
                topic=topic,
            )
        return max(position.handled_offset, resume.position)

    async def delete_work(self, request: bytes) -> bytes:
        """DeleteWork."""
        message = decode(admin_service_pb2.DeleteWorkRequest, request)
        await self._work.coordinator.delete(message.name)
        return admin_service_pb2.DeleteWorkResponse().SerializeToString()

    async def replay_dead_letters(self, request: bytes) -> bytes:
        """ReplayDeadLetters."""
        message = decode(admin_service_pb2.ReplayDeadLettersRequest, request)
        replayed = await self._work.burials.replay(
            message.namespace, message.work, message.limit or DEFAULT_REPLAY
        )
        return admin_service_pb2.ReplayDeadLettersResponse(replayed=replayed).SerializeToString()
