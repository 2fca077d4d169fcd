"""What a client's frames do: one small method per frame kind."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hub.errors import InvalidArgument, ResourceExhausted
from hub.rpc.admission import Admission, token_accepted_frame
from hub.rpc.decode import check, check_version, parse
from hub.rpc.unoffered import unoffered
from hub.session.frames import go_away_frame, pong_frame
from hub.session.states import Effect, Input
from shipspeak.realtime.v1 import error_reason_pb2 as reasons
from shipspeak.realtime.v1 import frame_pb2

if TYPE_CHECKING:
    from collections.abc import Callable

    from hub.pipeline.acknowledge import Acknowledger
    from hub.pipeline.presence import PresenceDesk
    from hub.pipeline.publish import Publisher
    from hub.pipeline.subscribe import Subscriber
    from hub.pipeline.work import WorkDesk
    from hub.rpc.connection import Connection


class Commands:
    """Carries out the frames of Connect sessions.

    Args:
        admission: opens sessions.
        publisher: stores drafts.
        subscriber: starts and ends subscriptions.
        work: opens and closes memberships of work subscriptions.
        acknowledger: takes acknowledgements.
        presence: who is in which topic.
        clock: seconds since the epoch.
    """

    def __init__(
        self,
        admission: Admission,
        publisher: Publisher,
        subscriber: Subscriber,
        work: WorkDesk,
        acknowledger: Acknowledger,
        presence: PresenceDesk,
        clock: Callable[[], float],
    ) -> None:
        self._admission = admission
        self._publisher = publisher
        self._subscriber = subscriber
        self._work = work
        self._acknowledger = acknowledger
        self._presence = presence
        self._clock = clock

    async def on_frame(self, connection: Connection, data: bytes) -> None:
        """Take one serialized ClientFrame; a bad one gets an Error frame and the session goes on.

        Raises:
            HubError: the session cannot be opened; close it with this error.
        """
        session = connection.session
        session.heard()
        try:
            frame = parse(frame_pb2.ClientFrame, data)
        except (InvalidArgument, ResourceExhausted) as error:
            if session.apply(Input.COMMAND) is Effect.REFUSE_FIRST_FRAME:
                raise _hello_first() from error
            connection.refuse(error)
            return
        kind = frame.WhichOneof("frame") or ""
        effect = session.apply(Input.HELLO if kind == "hello" else Input.COMMAND)
        if effect is Effect.ADMIT:
            check_version(frame.hello)
            check(frame)
            self._admission.welcome(connection, frame.hello, self._clock())
        elif effect is Effect.REFUSE_FIRST_FRAME:
            raise _hello_first()
        elif effect is Effect.REFUSE_SECOND_HELLO:
            twice = InvalidArgument(
                reasons.ERROR_REASON_FIELD_INVALID, "Hello comes once", field="hello"
            )
            connection.refuse(twice, request_id=frame.request_id)
        elif effect is Effect.RUN:
            await self._run(connection, frame, kind)

    async def _run(self, connection: Connection, frame: frame_pb2.ClientFrame, kind: str) -> None:
        request_id = frame.request_id
        try:
            check(frame)
        except InvalidArgument as error:
            connection.refuse(error, request_id=request_id)
            return
        if kind == "publish":
            await connection.run(lambda: self._publish(connection, frame), request_id=request_id)
        elif kind == "subscribe":
            topic = frame.subscribe.topic
            await connection.run(
                lambda: self._subscribe(connection, frame), request_id=request_id, topic=topic
            )
        elif kind == "unsubscribe":
            topic = frame.unsubscribe.topic
            await connection.run(
                lambda: self._unsubscribe(connection, frame), request_id=request_id, topic=topic
            )
        elif kind == "presence":
            topic = frame.presence.topic
            await connection.run(
                lambda: self._set_presence(connection, frame), request_id=request_id, topic=topic
            )
        elif kind == "window":
            connection.session.on_handled(frame.window.handled_bytes)
        elif kind == "ping":
            connection.session.send_control(pong_frame(frame.ping.nonce, int(self._clock() * 1000)))
        elif kind == "refresh_token":
            await connection.run(lambda: self._refresh(connection, frame), request_id=request_id)
        elif kind in ("open_work", "close_work", "acknowledge"):
            await self._run_work(connection, frame, kind)
        else:
            connection.refuse(unoffered(kind), request_id=request_id)

    async def _run_work(
        self, connection: Connection, frame: frame_pb2.ClientFrame, kind: str
    ) -> None:
        request_id, session = frame.request_id, connection.session
        # Frames about one subscription keep their order, as those about one topic do.
        if kind == "open_work":
            opening = frame.open_work
            await connection.run(
                lambda: self._work.open(session, lambda: connection.principal, opening, request_id),
                request_id=request_id,
                work=opening.name,
            )
        elif kind == "close_work":
            name = frame.close_work.name
            await connection.run(
                lambda: self._close_work(connection, frame),
                request_id=request_id,
                work=name,
            )
        else:
            await connection.run(
                lambda: self._acknowledge(connection, frame), request_id=request_id
            )

    async def _close_work(self, connection: Connection, frame: frame_pb2.ClientFrame) -> None:
        self._work.close(connection.session, frame.close_work.name, frame.request_id)

    async def _acknowledge(self, connection: Connection, frame: frame_pb2.ClientFrame) -> None:
        results = await self._acknowledger.acknowledge(
            frame.acknowledge, connection.principal, connection.device
        )
        acknowledged = frame_pb2.Acknowledged(request_id=frame.request_id, results=results)
        connection.session.send_control(
            frame_pb2.ServerFrame(acknowledged=acknowledged).SerializeToString()
        )

    async def _publish(self, connection: Connection, frame: frame_pb2.ClientFrame) -> None:
        results = await self._publisher.publish(
            frame.publish, connection.principal, connection.device
        )
        published = frame_pb2.Published(request_id=frame.request_id, results=results)
        connection.session.send_control(
            frame_pb2.ServerFrame(published=published).SerializeToString()
        )

    async def _subscribe(self, connection: Connection, frame: frame_pb2.ClientFrame) -> None:
        await self._subscriber.subscribe(
            connection.session, lambda: connection.principal, frame.subscribe, frame.request_id
        )

    async def _unsubscribe(self, connection: Connection, frame: frame_pb2.ClientFrame) -> None:
        self._subscriber.unsubscribe(connection.session, frame.unsubscribe.topic, frame.request_id)

    async def _set_presence(self, connection: Connection, frame: frame_pb2.ClientFrame) -> None:
        self._presence.set(
            connection.session, connection.principal, connection.client_id, frame.presence
        )

    async def _refresh(self, connection: Connection, frame: frame_pb2.ClientFrame) -> None:
        principal = self._admission.refresh(connection, frame.refresh_token.token)
        connection.session.send_control(
            token_accepted_frame(frame.request_id, principal.expires_at)
        )


def farewell(error: Exception) -> list[bytes]:
    """Frames that tell a refused client what to do before its stream ends with a status."""
    reason = getattr(error, "reason", reasons.ERROR_REASON_INTERNAL)
    if reason == reasons.ERROR_REASON_PROTOCOL_VERSION_UNSUPPORTED:
        return [go_away_frame(reason, frame_pb2.GO_AWAY_ACTION_UPGRADE, 0)]
    return []


def _hello_first() -> InvalidArgument:
    return InvalidArgument(reasons.ERROR_REASON_HELLO_REQUIRED, "the first frame must be Hello")
