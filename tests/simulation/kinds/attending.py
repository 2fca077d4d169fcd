"""Presence: members who join, speak, flap, leave and fall silent, and one who watches (G12)."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from shipspeak_realtime import RealtimeError
from shipspeak_realtime.presence import Merged
from tests.guarantees.presence import Presence, Shown, Viewer
from tests.simulation.hub import TICK_SECONDS
from tests.simulation.kinds.kind import Kind
from tests.simulation.kinds.lives import Book
from tests.simulation.kinds.watched import Watched
from tests.simulation.people import Person

if TYPE_CHECKING:
    from shipspeak.realtime.v1 import frame_pb2
    from shipspeak_realtime import RealtimeClient
    from shipspeak_realtime.presence import PresenceState
    from tests.simulation.link import Link
    from tests.simulation.network import Network

ROOM = "meeting/9"
MEMBERS = 2
# Changes are gathered for a quarter of a second; the rest is for turns of loops and the network.
GATHERED_SECONDS = 0.3
_STATES: tuple[PresenceState, ...] = ("online", "active", "away")
_WAYS = ("say", "say", "flap", "hush", "leave", "end")


class Attending(Kind):
    """Members by the real SDK; lives are noted at the hub's door, what is shown at the watcher."""

    def __init__(self, network: Network) -> None:
        super().__init__(network)
        self.book = Book()
        self._members = [_Member(self, f"member-{number}") for number in range(MEMBERS)]
        self._watcher = _Watcher(network, "presence-watcher")
        self.people = (*self._members, self._watcher)

    async def run(self) -> None:
        """Come and go; then stay until all that was told late has been."""
        self.tasks = [asyncio.ensure_future(self._watcher.run())]
        await asyncio.gather(*(member.run() for member in self._members))

    def finish(self) -> None:
        """Write down who was there, and what was shown."""
        plan, now = self.network.plan, self.network.loop.time()
        prompt = TICK_SECONDS + GATHERED_SECONDS + 2 * plan.delay
        lives = self.book.lives(ROOM, plan.heartbeat)
        viewers = self._watcher.viewers(now)
        self.network.history.presence = Presence(plan.heartbeat, prompt, lives, viewers)


class _Heard(Watched):
    """Notes what the hub hears of a member, and when the hub's end of a connection is over."""

    def __init__(self, attending: Attending, name: str) -> None:
        self._attending, self._name = attending, name

    def said(self, link: Link, frame: frame_pb2.ClientFrame) -> None:
        """By its stream."""
        if frame.HasField("presence"):
            self._word(link, frame.presence)

    def called(self, link: Link, message: Any) -> None:
        """By Touch."""
        if message.DESCRIPTOR.name == "TouchRequest" and message.HasField("presence"):
            self._word(link, message.presence)

    def ended(self, link: Link, heard_at: float) -> None:
        """For the hub."""
        self._attending.book.over(self._name, link.number, link.network.loop.time(), heard_at)

    def _word(self, link: Link, presence: frame_pb2.SetPresence) -> None:
        network, book = link.network, self._attending.book
        assert network.hub is not None
        if book.meets(network.hub):
            network.hub.on_death.append(lambda: book.died(network.loop.time()))
        book.word(self._name, link.number, network.loop.time(), presence.state)


class _Member(Person):
    def __init__(self, attending: Attending, name: str) -> None:
        super().__init__(attending.network, name)
        self._attending = attending
        self.client.watch = _Heard(attending, name)

    async def run(self) -> None:
        """One client after the other; the last one stays for a while."""
        network, random = self.network, self.network.random
        going = True
        while going:
            async with self.sdk() as client:
                await self._say(client, random.choice(_STATES))
                while going := await self._attending.pause(2.5):
                    way = random.choice(_WAYS)
                    if way == "end":
                        break
                    await self._go(client, way)
                if not going:
                    await self._say(client, "active")
                    while not network.calm:  # noqa: ASYNC110 - virtual time costs nothing
                        await asyncio.sleep(0.5)
                    await asyncio.sleep(3 * network.plan.heartbeat)
                    await self._say(client, "away")
                    await asyncio.sleep(3.0)

    async def _go(self, client: RealtimeClient, way: str) -> None:
        match way:
            case "flap" | "hush":
                for link in self.network.open_links():
                    if link.client is self.client:
                        link.cut() if way == "flap" else link.hush()
            case "leave":
                await self._say(client, "offline")
                await self._attending.pause(1.0)
            case _:
                await self._say(client, self.network.random.choice(_STATES))

    async def _say(self, client: RealtimeClient, state: PresenceState) -> None:
        try:
            await client.set_presence(ROOM, state)
        except RealtimeError:
            return  # it is said again with the next session


class _Watcher(Person, Watched):
    """Holds what the SDK makes of the frames; each connection is a look of its own."""

    def __init__(self, network: Network, name: str) -> None:
        super().__init__(network, name)
        self.client.watch = self
        self._looks: dict[Link, Viewer] = {}
        self._merged: dict[Link, Merged] = {}
        self._ended: dict[Link, float] = {}

    async def run(self) -> None:
        """Watch until cancelled."""
        async with self.sdk() as client:
            async for _ in client.presence(ROOM):
                pass

    def given(self, link: Link, frame: frame_pb2.ServerFrame) -> None:
        """Its subscription stands, which takes as long as the disk does; now it is to be shown."""
        if frame.HasField("subscribed") and link not in self._looks:
            now = self.network.loop.time()
            self._looks[link] = Viewer(self.name, ROOM, now, now)
            self._merged[link] = Merged(ROOM)

    def taken(self, link: Link, frame: frame_pb2.ServerFrame) -> None:
        """It is shown something."""
        if frame.HasField("presence") and link in self._looks:
            members = self._merged[link].take(frame.presence)
            listed = {one.client_id: str(one.state) for one in members.members}
            shown = listed if members.listed else None
            self._looks[link].shown.append(Shown(self.network.loop.time(), shown, members.sessions))

    def ended(self, link: Link, heard_at: float) -> None:
        """The hub shows it nothing more."""
        self._ended[link] = self.network.loop.time()

    def viewers(self, now: float) -> list[Viewer]:
        """Each connection up to its first mishap: what came late after that is nobody's fault."""
        found = []
        for link, viewer in self._looks.items():
            struck = now if link.struck_at is None else link.struck_at
            viewer.until = min(now, struck, self._ended.get(link, now))
            viewer.shown = [shown for shown in viewer.shown if shown.at <= viewer.until]
            if viewer.until > viewer.began_at:
                found.append(viewer)
        return found
