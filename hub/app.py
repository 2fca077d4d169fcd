"""The composition root: every room of the hub, wired together, started and drained in order."""

from __future__ import annotations

import asyncio
import time
import uuid
from typing import TYPE_CHECKING

import structlog

from hub.announce import announce
from hub.auth.authority import Authority
from hub.auth.revocations import Revocations
from hub.auth.tokens import Authenticator
from hub.auth.topic_grants import TopicGrants
from hub.dev_switches import DevSwitches
from hub.doors import REALTIME, Methods, back_end_door, browser_door
from hub.engines import make_store
from hub.fanout.flush import Flusher
from hub.fanout.registry import TopicRegistry
from hub.instances import make_work, presence_room, session_ids, share_calls
from hub.limits.load import Load
from hub.limits.rates import Rates
from hub.limits.storage import StorageCaps
from hub.pipeline.acknowledge import Acknowledger
from hub.pipeline.audit import AuditBook
from hub.pipeline.history import HistoryReader
from hub.pipeline.poll import Poller
from hub.pipeline.presence import PresenceDesk
from hub.pipeline.public import PublicReader
from hub.pipeline.publish import Publisher, PublishLimits
from hub.pipeline.receipts import ReceiptDesk
from hub.pipeline.revoke import RevocationLog
from hub.pipeline.schedule import Canceller
from hub.pipeline.subscribe import Subscriber
from hub.rpc.admin import SERVICE as ADMIN_SERVICE
from hub.rpc.admin import admin_methods
from hub.rpc.admin_access import AccessAdmin
from hub.rpc.admin_sessions import SessionAdmin
from hub.rpc.admin_topics import TopicAdmin
from hub.rpc.admin_work import WorkAdmin
from hub.rpc.admission import Admission
from hub.rpc.commands import Commands
from hub.rpc.connection import Connections
from hub.rpc.limited import limited
from hub.rpc.public import PublicMethod
from hub.rpc.streams import ConnectMethod, ListenMethod
from hub.rpc.unary import Pipelines, UnaryMethods
from hub.server.health import Health
from hub.session.manager import Sessions
from hub.telemetry.metrics import Metrics
from hub.topics.namespaces import Namespaces

if TYPE_CHECKING:
    from hub.engine.sqlite.peers import PeerPlace
    from hub.session.session import Session
    from hub.settings import Settings

log = structlog.get_logger(__name__)


class Hub:
    """One instance: engine, fan-out, sessions, both doors.

    Args:
        settings: frozen and validated.
        place: among several instances of this machine; None = it is alone.

    Raises:
        KeyUnusable: a key file cannot be used.
        OSError: a certificate cannot be used.
    """

    def __init__(self, settings: Settings, place: PeerPlace | None = None) -> None:
        self.settings = settings
        self.instance = uuid.uuid4().hex[:12] if place is None else place.instance
        self.metrics = Metrics()
        clock = time.time
        namespaces = Namespaces(inbox_events=settings.inbox_events)
        self.store = store = make_store(
            settings,
            namespaces,
            self.metrics,
            lambda: int(clock() * 1000),
            self.instance,
            place,
        )
        self.engine, self.schedule = store.engine, store.schedule
        flusher = Flusher(clock)
        self.registry = TopicRegistry(
            self.engine, namespaces, flusher, ring_bytes=settings.ring_bytes, clock=clock
        )
        self.connections = Connections(settings.max_sessions_per_user)
        self.sessions = Sessions(
            clock,
            self.registry,
            heartbeat_interval=settings.heartbeat_interval,
            max_sessions=settings.max_sessions,
            on_closed=self._release,
            new_id=session_ids(store.network),
        )
        limits = PublishLimits(
            settings.max_event_bytes, settings.max_batch_events, settings.max_batch_bytes
        )
        self.load = load = Load(settings, self.metrics, time.monotonic)
        rates = Rates(settings, time.monotonic, load.shedding)
        self.authority = Authority(settings, self.metrics, clock)
        publisher = Publisher(
            self.engine,
            self.registry,
            namespaces,
            limits,
            self.metrics,
            clock,
            self.schedule,
            rates,
            StorageCaps(settings.namespace_bytes, self.engine.stored_bytes),
            self.authority.authorizer,
        )
        revocations = Revocations()
        self.revocations = RevocationLog(
            self.engine, revocations, lambda: self.connections.end_revoked(revocations), clock
        )
        authenticator = Authenticator(settings, clock, revocations)
        self.key_updates = authenticator.key_updates
        grants = TopicGrants(authenticator, self.authority.authorizer)
        self.presence = PresenceDesk(
            namespaces,
            self.instance,
            settings.heartbeat_interval,
            clock,
            rates,
            presence_room(store.network, clock),
        )
        self.subscriber = subscriber = Subscriber(
            self.engine,
            self.registry,
            namespaces,
            grants,
            self.presence,
            self.metrics,
            max_subscriptions=settings.max_subscriptions,
            clock=clock,
            rates=rates,
        )
        self.work, work_desk = make_work(store, clock, self.metrics, settings, namespaces, rates)
        acknowledger = Acknowledger(work_desk, ReceiptDesk(store.inbox, namespaces))
        self.poller = Poller(self.engine, subscriber, clock)
        pipelines = Pipelines(
            publisher,
            subscriber,
            self.poller,
            HistoryReader(self.engine, namespaces, clock, grants),
            acknowledger,
            Canceller(self.schedule),
            self.presence,
        )
        admission = Admission(
            settings,
            authenticator,
            self.sessions,
            self.connections,
            (subscriber, work_desk),
            self.metrics,
            self.instance,
        )
        commands = Commands(
            admission, publisher, subscriber, work_desk, acknowledger, self.presence, clock
        )
        connect = ConnectMethod(self.sessions, commands, self.metrics, rates)
        listen = ListenMethod(self.sessions, admission, subscriber, self.metrics, clock, rates)
        unary = UnaryMethods(
            pipelines, admission, self.sessions, self.connections, listen, clock
        ).table()
        admin = {
            **WorkAdmin(self.work, self.engine, clock).table(),
            **TopicAdmin(store.steward, self.registry).table(),
            **AccessAdmin(self.revocations).table(),
            **SessionAdmin(
                self.connections, self.engine, self.instance, self._drain_soon, store.owner
            ).table(),
        }
        unary, admin = share_calls(store, publisher, self.work, unary, admin)
        self.audit = AuditBook(self.engine, self.instance, clock, time.monotonic)
        guarded = admin_methods(admission, admin, self.audit)
        tables = {REALTIME: unary, ADMIN_SERVICE.full_name: guarded}
        public = PublicMethod(PublicReader(self.engine, namespaces, clock), self.metrics)
        methods = Methods(
            {name: limited(table, rates) for name, table in tables.items()}, connect, listen, public
        )
        self.health = Health(tuple(tables), self.engine, load.overloaded)
        self.switches = DevSwitches(
            lambda: self.sessions.close_all("grpc-web", "websocket"), load.pulse.pretend
        )
        self.grpc_door = back_end_door(settings, self.metrics, methods, self.health)
        self.http_server = browser_door(
            settings, self.metrics, methods, self.health, load, self.switches, self._render_metrics
        )
        self._ticker: asyncio.Task[None] | None = None
        self._draining: asyncio.Task[None] | None = None

    async def start(self) -> tuple[int, int]:
        """Open the store, then the doors, then tell that the hub serves.

        Returns:
            The ports of the gRPC door and of the browsers' door.

        Raises:
            OSError: an address cannot be bound.
            HubError: the store cannot be opened.
        """
        try:
            return await self._start()
        except BaseException:
            # What was opened before would keep the process alive.
            await self._close(0.0)
            raise

    async def _start(self) -> tuple[int, int]:
        await self.engine.start()
        await self.revocations.start()
        await self.key_updates.start()
        await self.work.start()
        self.schedule.start()
        await self.health.start()
        self.load.pulse.start()
        grpc_port = await self.grpc_door.start(self.settings.host, self.settings.grpc_port)
        http_port = await self.http_server.start()
        self._ticker = asyncio.get_running_loop().create_task(self._tick_every_second())
        await self.health.set_ready()
        announce(self.settings, self.instance, grpc_port, http_port)
        return grpc_port, http_port

    async def stop(self) -> None:
        """Drain: unready first, then the sessions, the doors, and the store last."""
        await self._drain(self.settings.drain_spread)
        await self._close(1.0)
        if (ready_file := self.settings.ready_file) is not None:
            ready_file.unlink(missing_ok=True)
        log.info("stopped", instance=self.instance)

    async def _close(self, grace: float) -> None:
        """The doors, then the store, whatever becomes of the doors; ``grace`` in seconds."""
        try:
            await asyncio.gather(self.http_server.drain(grace), self.grpc_door.stop(grace))
            if self._ticker is not None:
                self._ticker.cancel()
                await asyncio.wait([self._ticker])
            await asyncio.gather(self.load.pulse.stop(), self.audit.stop(), self.authority.stop())
            await asyncio.gather(self.work.stop(), self.key_updates.stop())
        finally:
            await self.schedule.stop()
            await self.engine.stop()

    async def _drain(self, spread: float) -> None:
        await self.health.drain()
        self.engine.leave()
        self.poller.answer_all()
        self.work.drain()
        await self.sessions.drain(spread, self.settings.drain_grace)

    def _drain_soon(self, spread: float | None) -> None:
        """An administrator asks for it: clients leave, new ones are refused; a signal ends it."""
        if not self.sessions.draining:
            spread = self.settings.drain_spread if spread is None else spread
            self._draining = asyncio.get_running_loop().create_task(self._drain(spread))

    def _release(self, session: Session) -> None:
        self.registry.release(session)
        self.work.release(session.session_id, lost=session.lost)
        self.presence.release(session)
        self.connections.release(session)

    async def _tick_every_second(self) -> None:
        while True:
            await asyncio.sleep(1.0)
            try:
                self.sessions.tick()
                self.registry.sweep()
                self.subscriber.end_grants()
                await self.health.refresh()
            except Exception:
                # One failed round must not end the heartbeats of everyone.
                log.exception("tick_failed")

    def _render_metrics(self) -> tuple[bytes, str]:
        self.metrics.set_sessions(session.caller.transport for session in self.sessions)
        self.metrics.topics.set(len(self.registry))
        self.metrics.ring_bytes.set(self.registry.ring_bytes)
        return self.metrics.render()
