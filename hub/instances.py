"""What the rooms of one instance have to do with the other instances of its hub."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING, Final

from hub.engine.sqlite.peers import PeerCall
from hub.errors import Unavailable
from hub.presence.room import PresenceRoom
from hub.presence.shared import Change, SharedRoom
from hub.rpc.admin_everywhere import EverywhereAdmin
from hub.rpc.elsewhere import Errands, led
from hub.session.sink import Caller
from shipspeak.realtime.v1 import error_reason_pb2 as reasons

if TYPE_CHECKING:
    from collections.abc import Callable

    from hub.engine.sqlite.peers import Link, Network
    from hub.pipeline.publish import Publisher
    from hub.rpc.admin import AdminMethod
    from hub.rpc.unary import UnaryMethod

_PRESENCE: Final = "presence"


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


def share_calls(
    network: Network,
    publisher: Publisher,
    methods: dict[str, UnaryMethod],
    admin: dict[str, AdminMethod],
) -> tuple[dict[str, UnaryMethod], dict[str, AdminMethod]]:
    """Have calls done by the instance that they concern; volatile topics are heard by all.

    Args:
        network: the links.
        publisher: of this instance.
        methods: RPC name -> method of RealtimeService, done here.
        admin: RPC name -> method of AdminService, done here.

    Returns:
        Both, for the doors.
    """
    publisher.on_passed = network.pass_on
    network.on_pass_on = publisher.hear
    errands = Errands(methods, admin)

    async def run(call: PeerCall) -> bytes:
        caller = Caller(call.metadata, call.peer, call.transport, call.certificate)
        return await errands.run(call.method, call.request, caller)

    network.on_call = run
    others = NetworkOthers(network)
    return led(methods, others), EverywhereAdmin(admin, others).table()


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
    network.on_left = room.gone
    return room
