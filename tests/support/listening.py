"""Listen sessions and the unary methods that belong to them, on an engine, without doors."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from hub.auth.tokens import Authenticator
from hub.limits.rates import Rates
from hub.rpc.admission import Admission
from hub.rpc.connection import Connections
from hub.rpc.streams import ListenMethod
from hub.rpc.unary import UnaryMethods
from hub.session.manager import Sessions
from hub.session.sink import Caller
from hub.settings import Settings
from shipspeak.realtime.v1 import frame_pb2, realtime_service_pb2
from tests.support.pipelines import PipelineBench

if TYPE_CHECKING:
    from hub.session.session import Session


class ListenBench(PipelineBench):
    """Sessions, and a Listen method that opens them."""

    def __init__(self, settings: Settings | None = None) -> None:
        super().__init__()
        settings = settings or Settings(dev=True)
        self.connections = Connections()
        self.sessions = Sessions(
            self.clock,
            self.registry,
            heartbeat_interval=20,
            max_sessions=10,
            on_closed=self._release,
        )
        self.admission = Admission(
            settings,
            Authenticator(settings, self.clock),
            self.sessions,
            self.connections,
            (self.subscriber,),
            self.metrics,
            "instance",
        )
        self.rates = Rates(settings)
        self.listen = ListenMethod(
            self.sessions, self.admission, self.subscriber, self.metrics, self.clock, self.rates
        )

    def _release(self, session: Session) -> None:
        self.registry.release(session)
        self.presence.release(session)
        self.connections.release(session)


class UnaryBench(ListenBench):
    """The same, with the unary methods of RealtimeService."""

    def __init__(self, settings: Settings | None = None) -> None:
        super().__init__(settings)
        pipelines = cast("Any", self)
        self.unary = UnaryMethods(
            pipelines,
            self.admission,
            self.sessions,
            self.connections,
            self.listen,
            self.clock,
        )

    async def update(self, session_id: str, revision: int, *topics: str) -> None:
        """UpdateSubscriptions with the complete set."""
        request = realtime_service_pb2.UpdateSubscriptionsRequest(
            session_id=session_id,
            revision=revision,
            subscriptions=[frame_pb2.Subscribe(topic=topic) for topic in topics],
        )
        await self.unary.update_subscriptions(request.SerializeToString(), Caller())


def listen_request(topics: int, version: int = 1) -> bytes:
    """A serialized ListenRequest for ``meeting/0`` and so on."""
    return realtime_service_pb2.ListenRequest(
        hello=frame_pb2.Hello(protocol_version=version),
        subscriptions=[frame_pb2.Subscribe(topic=f"meeting/{n}") for n in range(topics)],
    ).SerializeToString()
