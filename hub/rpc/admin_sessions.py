"""Admin methods on this instance: sessions, shards, disconnect, drain."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hub.errors import InvalidArgument, NotFound, PermissionDenied
from hub.rpc.admin import AdminMethod, page_size
from hub.rpc.decode import decode
from hub.session.frames import go_away_frame, timestamp
from shipspeak.realtime.v1 import admin_service_pb2, frame_pb2
from shipspeak.realtime.v1 import error_reason_pb2 as reasons

if TYPE_CHECKING:
    from collections.abc import Callable

    from hub.engine.contract import Engine
    from hub.rpc.connection import Connection, Connections


class SessionAdmin:
    """Looks at one instance and steers it.

    Args:
        connections: all clients that were admitted.
        engine: tells about shards.
        instance: name of this instance.
        drain: begins to drain, spreading the clients' return over so many seconds; None = over what
            the settings say.
        owner: the instance that owns a shard.
    """

    def __init__(
        self,
        connections: Connections,
        engine: Engine,
        instance: str,
        drain: Callable[[float | None], None],
        owner: Callable[[int], str],
    ) -> None:
        self._connections = connections
        self._engine = engine
        self._instance = instance
        self._drain = drain
        self._owner = owner

    def table(self) -> dict[str, AdminMethod]:
        """RPC name -> method."""
        return {
            "ListSessions": self.list_sessions,
            "ListShards": self.list_shards,
            "Disconnect": self.disconnect,
            "Drain": self.drain,
        }

    async def list_sessions(self, request: bytes) -> bytes:
        """ListSessions, in the order of their ids."""
        message = decode(admin_service_pb2.ListSessionsRequest, request)
        wanted = sorted(
            (
                one
                for one in self._connections
                if one.session.session_id > message.page.token
                and message.user in ("", one.principal.subject)
                and (not message.topic or message.topic in one.session.subscriptions)
            ),
            key=lambda one: one.session.session_id,
        )
        page = wanted[: page_size(message.page)]
        return admin_service_pb2.ListSessionsResponse(
            sessions=[self._describe(connection) for connection in page],
            next_page=page[-1].session.session_id if len(wanted) > len(page) else "",
        ).SerializeToString()

    def _describe(self, connection: Connection) -> admin_service_pb2.SessionInfo:
        session = connection.session
        return admin_service_pb2.SessionInfo(
            session_id=session.session_id,
            instance=self._instance,
            user=connection.principal.subject,
            client_id=connection.client_id,
            device_id=connection.device,
            sdk=connection.sdk,
            transport=session.caller.transport,
            peer=session.caller.peer,
            since=timestamp(session.opened_at),
            topics=sorted(session.subscriptions),
            in_flight_bytes=session.window.in_flight if session.window.size else 0,
        )

    async def list_shards(self, request: bytes) -> bytes:
        """ListShards."""
        decode(admin_service_pb2.ListShardsRequest, request)
        return admin_service_pb2.ListShardsResponse(
            shards=[
                admin_service_pb2.ShardInfo(
                    shard=shard,
                    owner=self._owner(shard),
                    serving=self._engine.shard_serving(shard),
                )
                for shard in range(self._engine.shard_count)
            ]
        ).SerializeToString()

    async def disconnect(self, request: bytes) -> bytes:
        """Disconnect: the clients are told to stay away."""
        message = decode(admin_service_pb2.DisconnectRequest, request)
        chosen = [
            one.session
            for one in self._connections
            if message.session_id in ("", one.session.session_id)
            and message.user in ("", one.principal.subject)
        ]
        if not chosen and message.session_id:
            raise NotFound(
                reasons.ERROR_REASON_SESSION_UNKNOWN,
                f"no session {message.session_id} is open here; it may have ended",
            )
        for session in chosen:
            reason = reasons.ERROR_REASON_DISCONNECTED_BY_ADMIN
            farewell = go_away_frame(reason, frame_pb2.GO_AWAY_ACTION_STOP, 0)
            session.close(
                PermissionDenied(reason, "an administrator closed the session"), [farewell]
            )
        return admin_service_pb2.DisconnectResponse(closed=len(chosen)).SerializeToString()

    async def drain(self, request: bytes) -> bytes:
        """Drain: begun when this answers; the process ends by a signal, as ever."""
        message = decode(admin_service_pb2.DrainRequest, request)
        if message.instance not in ("", self._instance):
            raise InvalidArgument(
                reasons.ERROR_REASON_FIELD_INVALID,
                f"this is instance {self._instance}; ask {message.instance} itself",
                field="instance",
            )
        spread = message.within.ToMilliseconds() / 1000 if message.HasField("within") else None
        self._drain(spread)
        return admin_service_pb2.DrainResponse().SerializeToString()
