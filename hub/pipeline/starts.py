"""Where a reader begins: the topic's rules, the start that it names, or its position, judged."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from hub.engine.contract import TopicHead, Verdict
from hub.errors import InvalidArgument
from hub.fanout.notice import subscribed_frame
from hub.model.cursor import Cursor, decode_cursor, encode_cursor
from hub.pipeline.verdict import WIRE_VERDICTS, handled_inside_run
from shipspeak.realtime.v1 import error_reason_pb2 as reasons
from shipspeak.realtime.v1 import event_pb2, frame_pb2

if TYPE_CHECKING:
    from collections.abc import Callable

    from hub.auth.grants import Principal
    from hub.auth.topic_grants import TopicGrants
    from hub.engine.contract import Engine
    from hub.fanout.registry import TopicRegistry
    from hub.fanout.topic import LiveTopic
    from hub.topics.namespaces import Namespace, Namespaces


@dataclass(frozen=True, slots=True)
class Begin:
    """Where a reader begins.

    Attributes:
        live: the topic.
        verdict: as on the wire.
        position: offset after which reading begins.
        cursor: resume token of ``position``.
        state: the topic's log.
        lost: upper bound of the events lost.
        snapshot_to: up to this offset only the latest event of each key is sent; 0 = no snapshot.
        purges: of the topic when the judging began: the reader is told of those that came since.
    """

    live: LiveTopic
    verdict: frame_pb2.Verdict.ValueType
    position: int
    cursor: bytes
    state: TopicHead
    lost: int | None = None
    snapshot_to: int = 0
    purges: int = 0

    def frame(self, request_id: int = 0) -> bytes:
        """The answer."""
        return subscribed_frame(
            self.live.name,
            self.state,
            self.verdict,
            position=self.position,
            cursor=self.cursor,
            request_id=request_id,
            lost=self.lost,
        )


def _known(live: LiveTopic) -> TopicHead:
    """The log as memory knows it; its floor is not needed where the ring proves a place."""
    return TopicHead(live.ring.epoch, live.ring.head, 0, live.oldest_ms)


def check_conflation(namespace: Namespace, topic: str) -> None:
    """Check that events of a namespace may supersede each other.

    Raises:
        InvalidArgument: CONFLATION_NOT_ALLOWED.
    """
    if not namespace.conflation:
        raise InvalidArgument(
            reasons.ERROR_REASON_CONFLATION_NOT_ALLOWED,
            f"{namespace.name} topics are never conflated: every event of them counts",
            topic=topic,
        )


class Starts:
    """Finds where readers begin.

    Args:
        engine: judges cursors.
        registry: live topics.
        namespaces: policies.
        grants: judges who may read.
        clock: seconds since the epoch.
    """

    def __init__(
        self,
        engine: Engine,
        registry: TopicRegistry,
        namespaces: Namespaces,
        grants: TopicGrants,
        clock: Callable[[], float],
    ) -> None:
        self._engine = engine
        self._registry = registry
        self._namespaces = namespaces
        self._grants = grants
        self._clock = clock

    async def find(self, principal: Principal, request: frame_pb2.Subscribe) -> Begin:
        """Open the topic and find where this reader begins.

        Raises:
            HubError: TOPIC_INVALID, NAMESPACE_UNKNOWN, RIGHT_MISSING, CURSOR_INVALID,
                TOKEN_*, AUTHORIZER_UNAVAILABLE, CONFLATION_NOT_ALLOWED or SHARD_UNAVAILABLE.
        """
        topic = request.topic
        namespace = self._namespaces.of(topic)
        await self._grants.prepare(principal, topic, request.grant)
        self._grants.right(principal, topic, request.grant)
        if request.conflate or request.at == frame_pb2.START_SNAPSHOT:
            check_conflation(namespace, topic)
        live = await self._registry.open(topic)
        if live.volatile:
            return Begin(live, frame_pb2.VERDICT_LIVE, 0, b"", TopicHead(0, 0, 0))
        purges = live.purges
        # However long the engine takes to judge, the topic is not let go of meanwhile.
        with live.held():
            return replace(await self._judge(live, request), purges=purges)

    def check_conflation(self, topic: str) -> None:
        """Check that events of a topic may supersede each other.

        Raises:
            InvalidArgument: CONFLATION_NOT_ALLOWED.
        """
        check_conflation(self._namespaces.of(topic), topic)

    async def _judge(self, live: LiveTopic, request: frame_pb2.Subscribe) -> Begin:
        """Find where a reader of a topic with a log begins."""
        if request.WhichOneof("start") == "position":
            return await self._resume(live, request.position)
        if request.WhichOneof("start") == "last":
            return await self._before_latest(live, request.last)
        snapshot_to = 0
        if request.at in {frame_pb2.START_EARLIEST, frame_pb2.START_SNAPSHOT}:
            state = await self._engine.head(live.name)
            position = state.floor
            if request.at == frame_pb2.START_SNAPSHOT:
                snapshot_to = state.head
        else:
            state = _known(live)
            position = state.head
        token = self._cursor(live, position, state)
        return Begin(live, frame_pb2.VERDICT_OK, position, token, state, snapshot_to=snapshot_to)

    async def _before_latest(self, live: LiveTopic, count: int) -> Begin:
        ring = live.ring
        offset = ring.before_latest(count)
        if offset is not None:
            # The ring has them all: nothing is read for them.
            state = _known(live)
            token = self._cursor(live, offset, state)
            return Begin(live, frame_pb2.VERDICT_OK, offset, token, state)
        place = await self._engine.before_latest(live.name, count)
        cursor = Cursor(place.state.epoch, place.offset, place.event_id, int(self._clock() * 1000))
        token = encode_cursor(live.name, cursor)
        return Begin(live, frame_pb2.VERDICT_OK, place.offset, token, place.state)

    async def _resume(self, live: LiveTopic, position: event_pb2.Position) -> Begin:
        topic, ring = live.name, live.ring
        if not position.cursor:
            raise InvalidArgument(
                reasons.ERROR_REASON_CURSOR_INVALID,
                "the position has no cursor; give one, or name a start",
                topic=topic,
            )
        cursor = decode_cursor(topic, position.cursor)
        if (
            cursor.epoch == ring.epoch
            # What may have been purged is judged by the engine: it knows who has to be told.
            and cursor.offset > live.purged
            and (ring.holds(cursor.offset, cursor.event_id) or live.pages.places.prove(cursor))
        ):
            # Memory proves it: a storm of reconnects does not touch the disk.
            state, verdict, at, lost = (
                _known(live),
                Verdict.OK,
                cursor.offset,
                None,
            )
        else:
            resume = await live.pages.places.judge(cursor)
            state, verdict, at, lost = resume.state, resume.verdict, resume.position, resume.lost
        if verdict is Verdict.OK and await self._handled(live, cursor, position):
            at = position.handled_offset
        token = (
            position.cursor
            if at == cursor.offset and verdict is Verdict.OK
            else self._cursor(live, at, state)
        )
        return Begin(live, WIRE_VERDICTS[verdict], at, token, state, lost)

    async def _handled(self, live: LiveTopic, cursor: Cursor, position: event_pb2.Position) -> bool:
        """Whether the log proves what the client says that it has handled inside a run.

        A log that was restored from a backup may have other events there, which nobody has read.
        """
        offset, event_id = position.handled_offset, position.handled_id
        if offset <= cursor.offset or not event_id:
            return False
        if live.ring.holds(offset, event_id):
            return True
        return await handled_inside_run(self._engine, live.name, cursor, position)

    def _cursor(self, live: LiveTopic, offset: int, state: TopicHead) -> bytes:
        event_id = state.floor_id if offset == state.floor else ""
        return encode_cursor(
            live.name,
            Cursor(
                live.ring.epoch,
                offset,
                event_id or live.ring.id_at(offset),
                int(self._clock() * 1000),
            ),
        )
