"""All links of one instance: those that it dials, and those that dialled it."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any, Final, Protocol

import structlog

from hub.engine.sqlite.peers.calls import LinkLost, PeerCall, call_of
from hub.engine.sqlite.peers.codec import from_value, to_value
from hub.engine.sqlite.peers.link import Link, LinkHost, checked
from hub.engine.sqlite.peers.server import GuestHost, PeerServer
from hub.engine.sqlite.peers.wire import event_message, event_of, failure_message
from hub.errors import HubError, Internal, Unavailable
from shipspeak.realtime.internal.v1 import peer_service_pb2 as peer
from shipspeak.realtime.v1 import error_reason_pb2

if TYPE_CHECKING:
    from hub.engine.sqlite.peers.guest import Guest
    from hub.engine.sqlite.peers.place import PeerPlace
    from hub.model.events import StoredEvent

_logger: Final = structlog.get_logger(__name__)

OnCall = Callable[[PeerCall], Awaitable[bytes]]
OnNote = Callable[[str, bool, Any], None]


class ShardHost(LinkHost, GuestHost, Protocol):
    """Takes what is about shards."""


class Network:
    """The links, and what goes over them that is about no shard: calls, notes, volatile events.

    Args:
        place: of this instance.
        host: takes the rest.

    Attributes:
        place: as given.
        links: to the others, by their number.
        guests: those that have called.
        on_call: does a call that another instance passes on.
        on_pass_on: takes an event of a volatile topic.
        on_note: takes notes, by what they are about: (instance, anew, value).
        on_joined: called with a link that has come up, to note what there is.
        on_left: called with the name of an instance that is gone.
    """

    def __init__(self, place: PeerPlace, host: ShardHost) -> None:
        self.place = place
        self.links = {worker: Link(place, worker, self) for worker in place.others()}
        self.guests: dict[Guest, None] = {}
        self.on_call: OnCall | None = None
        self.on_pass_on: Callable[[str, StoredEvent], None] | None = None
        self.on_note: dict[str, OnNote] = {}
        self.on_joined: Callable[[Link], None] | None = None
        self.on_left: list[Callable[[str], None]] = []
        self._host = host
        self._server: PeerServer | None = None
        self._dialling: list[asyncio.Task[None]] = []
        self._tasks: set[asyncio.Task[None]] = set()
        self._known: set[str] = set()

    async def start(self) -> None:
        """Listen and dial.

        Raises:
            OSError: the socket cannot be made.
        """
        self._server = PeerServer(self.place, self)
        await self._server.start()
        loop = asyncio.get_running_loop()
        self._dialling = [loop.create_task(link.run()) for link in self.links.values()]

    async def stop(self) -> None:
        """End all links. Safe to call twice."""
        tasks = [*self._dialling, *self._tasks]
        self._dialling = []
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        if self._server is not None:
            server, self._server = self._server, None
            await server.stop()
            self.place.socket(self.place.worker).unlink(missing_ok=True)

    def up(self) -> list[Link]:
        """Links to instances that live."""
        return [link for link in self.links.values() if link.up]

    def named(self, instance: str) -> Link | None:
        """The link to a living instance."""
        return next((link for link in self.up() if link.instance == instance), None)

    async def call(self, link: Link, call: PeerCall) -> bytes:
        """Have another instance do a call; the serialized response.

        Raises:
            HubError: as the other says; INSTANCE_GONE where it ended meanwhile.
        """
        try:
            return checked(await link.request(call.message)).response
        except LinkLost as lost:
            raise Unavailable(
                error_reason_pb2.ERROR_REASON_SHARD_UNAVAILABLE,
                "the instance that was to do it has just ended; try again",
                retry_after=0.5,
            ) from lost

    def note(self, about: str, value: object, *, anew: bool = False) -> None:
        """Tell all others something."""
        if self.up():
            ask = _note(about, value, anew=anew)
            for link in self.up():
                link.tell(ask)

    def note_to(self, link: Link, about: str, value: object, *, anew: bool = False) -> None:
        """Tell one other something."""
        link.tell(_note(about, value, anew=anew))

    def pass_on(self, topic: str, event: StoredEvent) -> None:
        """Give an event of a volatile topic to the readers of all others."""
        if self.up():
            ask = peer.Ask(pass_on=peer.PassOn(topic=topic, event=event_message(event)))
            for link in self.up():
                link.tell(ask)

    # As the links' host

    def on_word(self, link: Link, word: peer.Word) -> None:
        """About shards."""
        self._host.on_word(link, word)

    def on_link_up(self, link: Link) -> None:
        """It lives, or stands otherwise than before."""
        self._host.on_link_up(link)
        if link.instance not in self._known:
            self._known.add(link.instance)
            _logger.info("peer_joined", peer=f"w{link.worker}", instance=link.instance)
            if self.on_joined is not None:
                self.on_joined(link)

    def on_link_down(self, link: Link) -> None:
        """It is gone; whoever comes up again is told everything anew."""
        self._known.clear()
        self._known.update(other.instance for other in self.up())
        _logger.info("peer_left", peer=f"w{link.worker}")
        self._host.on_link_down(link)

    # As the guests' host

    def on_guest(self, guest: Guest) -> None:
        """It has called."""
        self.guests[guest] = None
        self._host.on_guest(guest)

    def on_guest_gone(self, guest: Guest) -> None:
        """It has ended, and with it what it noted."""
        self.guests.pop(guest, None)
        self._host.on_guest_gone(guest)
        for left in self.on_left:
            left(guest.instance)

    def on_ask(self, guest: Guest, ask: peer.Ask) -> None:
        """Calls, notes and volatile events here; the rest is about shards."""
        kind = ask.WhichOneof("ask")
        if kind == "call":
            task = asyncio.get_running_loop().create_task(self._answer(guest, ask.call))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
        elif kind == "note":
            note = ask.note
            handler = self.on_note.get(note.about)
            if handler is not None:
                handler(guest.instance, note.anew, from_value(note.value, lambda: 0))
            else:
                self._host.on_ask(guest, ask)
        elif kind == "pass_on":
            if self.on_pass_on is not None:
                self.on_pass_on(ask.pass_on.topic, event_of(ask.pass_on.event))
        else:
            self._host.on_ask(guest, ask)

    async def _answer(self, guest: Guest, call: peer.Call) -> None:
        answer = peer.Answer(id=call.id)
        try:
            if self.on_call is None:
                answer.not_owner = True
            else:
                answer.response = await self.on_call(call_of(call))
        except HubError as error:
            answer.failure.CopyFrom(failure_message(error))
        except Exception:
            _logger.exception("call_failed", method=call.method, by=guest.instance)
            answer.failure.CopyFrom(failure_message(_fault()))
        guest.tell(peer.Word(answer=answer))


def _note(about: str, value: object, *, anew: bool) -> peer.Ask:
    return peer.Ask(note=peer.Note(about=about, anew=anew, value=to_value(value)))


def _fault() -> Internal:
    return Internal(
        error_reason_pb2.ERROR_REASON_INTERNAL,
        "the hub failed and has logged why; try again",
        retry_after=1.0,
    )
