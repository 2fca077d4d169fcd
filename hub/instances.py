"""What the rooms of one instance have to do with the other instances of its hub."""

from __future__ import annotations

import uuid
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from hub.engine.sqlite.peers import PeerCall, thing_of, to_value
from hub.errors import Unavailable
from hub.pipeline.shared_work import SharedWorkDesk
from hub.pipeline.work import WorkDesk
from hub.presence.room import PresenceRoom
from hub.presence.shared import Change, SharedRoom
from hub.rpc.admin_everywhere import EverywhereAdmin
from hub.rpc.elsewhere import Errands, led
from hub.session.sink import Caller
from hub.work.room import WorkRoom
from hub.work.shared import ACKNOWLEDGE, OPEN, SharedWork
from shipspeak.realtime.v1 import error_reason_pb2 as reasons

if TYPE_CHECKING:
    from collections.abc import Callable

    from hub.engine.sqlite.peers import Link, Network
    from hub.engines import Store
    from hub.limits.rates import Rates
    from hub.pipeline.publish import Publisher
    from hub.rpc.admin import AdminMethod
    from hub.rpc.unary import UnaryMethod
    from hub.settings import Settings
    from hub.telemetry.metrics import Metrics
    from hub.topics.namespaces import Namespaces

_PRESENCE: Final = "presence"
_WORK: Final = "work"


class NetworkOthers:
    """The other instances, over the engine's links. Implements Others.

    Args:
        network: the links.
    """

    def __init__(self, network: Network) -> None:
        self.instance = network.place.instance
        self._network = network

    def names(self) -> list[str]:
        """Of those that live."""
        return [link.instance for link in self._network.up()]

    async def call(self, instance: str, method: str, request: bytes, caller: Caller) -> bytes:
        """Have another instance do a call."""
        link = self._network.named(instance)
        if link is None:
            raise Unavailable(
                reasons.ERROR_REASON_SHARD_UNAVAILABLE,
                "the instance that was to do it has just ended; try again",
                retry_after=0.5,
            )
        call = PeerCall(
            method, request, caller.metadata, caller.peer, caller.transport, caller.certificate
        )
        return await self._network.call(link, call)


class NetworkPeers(NetworkOthers):
    """The other instances, as work subscriptions need them. Implements Peers.

    Args:
        network: the links.
        owner: the instance that owns a shard.
    """

    def __init__(self, network: Network, owner: Callable[[int], str]) -> None:
        super().__init__(network)
        self._owner = owner

    def leader(self) -> str:
        """The owner of the first shard."""
        return self._owner(0)

    async def ask(self, instance: str, method: str, thing: Any) -> Any:
        """Ask another one."""
        request = to_value(thing).SerializeToString()
        return thing_of(await self.call(instance, method, request, Caller()))

    def tell(self, instance: str, *words: Any) -> None:
        """Tell another one."""
        link = self._network.named(instance)
        if link is not None:
            self._network.note_to(link, _WORK, words)


def make_work(
    store: Store,
    clock: Callable[[], float],
    metrics: Metrics,
    settings: Settings,
    namespaces: Namespaces,
    rates: Rates,
) -> tuple[WorkRoom | SharedWork, WorkDesk]:
    """The work subscriptions, and who takes clients' wishes."""
    engine = store.engine
    make_room = partial(WorkRoom, engine.work, engine, clock, metrics, settings.work_max_attempts)
    if store.network is None:
        room = make_room()
        return room, WorkDesk(room.coordinator, namespaces, rates)
    shared = SharedWork(make_room, NetworkPeers(store.network, store.owner))

    def told(instance: str, anew: bool, words: Any) -> None:  # noqa: FBT001 - a handler
        del anew
        shared.told(instance, words)

    store.network.on_note[_WORK] = told
    store.network.on_left.append(shared.gone)
    store.on_moved(shared.moved)
    return shared, SharedWorkDesk(shared, namespaces, rates)


def share_calls(
    store: Store,
    publisher: Publisher,
    work: WorkRoom | SharedWork,
    methods: dict[str, UnaryMethod],
    admin: dict[str, AdminMethod],
) -> tuple[dict[str, UnaryMethod], dict[str, AdminMethod]]:
    """Have calls done by the instance that they concern; volatile topics are heard by all.

    Args:
        store: has the links.
        publisher: of this instance.
        work: answers what concerns work subscriptions.
        methods: RPC name -> method of RealtimeService, done here.
        admin: RPC name -> method of AdminService, done here.

    Returns:
        Both, for the doors.
    """
    network = store.network
    if network is None:
        return methods, admin
    publisher.on_passed = network.pass_on
    network.on_pass_on = publisher.hear
    errands = Errands(methods, admin)

    async def run(call: PeerCall) -> bytes:
        if isinstance(work, SharedWork) and call.method in (OPEN, ACKNOWLEDGE):
            answer = await work.asked(call.method, thing_of(call.request))
            return to_value(answer).SerializeToString()
        caller = Caller(call.metadata, call.peer, call.transport, call.certificate)
        return await errands.run(call.method, call.request, caller)

    network.on_call = run
    others = NetworkPeers(network, store.owner)
    return led(methods, others), EverywhereAdmin(admin, others, others.leader).table()


def session_ids(network: Network | None) -> Callable[[], str]:
    """Makes ids of sessions; any instance sees by one which of them has the session."""
    name = "" if network is None else network.place.instance
    return lambda: name + uuid.uuid4().hex[len(name) :]


def presence_room(network: Network | None, clock: Callable[[], float]) -> PresenceRoom:
    """The presence of all topics; its leases are known to all instances."""
    if network is None:
        return PresenceRoom(clock)

    def tell(change: Change) -> None:
        network.note(_PRESENCE, [change])

    room = SharedRoom(clock, network.place.instance, tell)

    def joined(link: Link) -> None:
        network.note_to(link, _PRESENCE, room.everything(), anew=True)

    network.on_note[_PRESENCE] = room.told
    network.on_joined = joined
    network.on_left.append(room.gone)
    return room
