"""Work subscriptions of several instances: one of them leads all, the others' sessions take part.

The owner of the first shard leads. When that changes, the new leader goes on with what the register
has, and every instance asks it again for what its own sessions take part in; deliveries of the old
one are unknown to it, so what was not acknowledged comes again.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, Final

import structlog

from hub.errors import HubError, Unavailable
from hub.work.acks import Ack
from hub.work.far import CONTROL, DELIVER, LEFT
from hub.work.far_members import LEAVE, RELEASE, FarMembers
from hub.work.frames import work_closed_frame
from hub.work.near import Membership, NearSide
from hub.work.peers import Peers, not_led
from hub.work.refusals import unknown_work

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Sequence

    from hub.work.burial import Burials
    from hub.work.coordinator import WorkCoordinator
    from hub.work.room import WorkRoom

log: Final = structlog.get_logger(__name__)

PATIENCE_S: Final = 10.0
RETRY_S: Final = 0.05
OPEN, ACKNOWLEDGE = "work/open", "work/acknowledge"


class SharedWork:
    """The work subscriptions, from one of several instances.

    Args:
        make_room: makes what leads.
        peers: the others.
    """

    def __init__(self, make_room: Callable[[], WorkRoom], peers: Peers) -> None:
        self._make_room = make_room
        self._peers = peers
        self._room: WorkRoom | None = None
        self._led_by = ""
        self._memberships: dict[tuple[str, str], Membership] = {}
        self._near: dict[str, NearSide] = {}
        self._far = FarMembers(peers)
        self._changed = asyncio.Event()
        self._tasks: set[asyncio.Task[None]] = set()
        self._draining = False

    # As a WorkRoom

    @property
    def coordinator(self) -> WorkCoordinator:
        """Of all work subscriptions, here. Raises: Unavailable: another instance leads."""
        if self._room is None:
            raise not_led()
        return self._room.coordinator

    @property
    def burials(self) -> Burials:
        """As ``coordinator``."""
        if self._room is None:
            raise not_led()
        return self._room.burials

    async def start(self) -> None:
        """Lead if it is this instance's turn, and follow the leader from now on."""
        await self._look()
        self._begin(self._follow())

    async def stop(self) -> None:
        """End before the engine does."""
        for task in tuple(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        if self._room is not None:
            await self._room.stop()
            self._room = None

    def drain(self) -> None:
        """Hand out nothing more to sessions of this instance."""
        self._draining = True
        if self._room is not None:
            self._room.coordinator.drain()
        else:
            for session_id, name in self._memberships:
                self._tell(LEAVE, session_id, name)

    def release(self, session_id: str, *, lost: bool) -> None:
        """A session of this instance has ended."""
        keys = [key for key in self._memberships if key[0] == session_id]
        for key in keys:
            del self._memberships[key]
        self._near.pop(session_id, None)
        if self._room is not None:
            self._room.coordinator.release(session_id, lost=lost)
        elif keys:
            self._tell(RELEASE, session_id, lost)

    # For sessions of this instance

    async def open(self, wish: Membership) -> int:
        """Let a session take part; how many members there are.

        Raises:
            HubError: as WorkCoordinator.ensure, or nobody leads.
        """
        members = await self._join(wish)
        self._memberships[wish.key] = wish
        return members

    def leave(self, name: str, session_id: str) -> None:
        """A session takes part no more. Raises: NotFound: WORK_UNKNOWN: it did not."""
        if self._memberships.pop((session_id, name), None) is None:
            raise unknown_work(name)
        if self._room is not None:
            self._room.coordinator.leave(name, session_id)
            return
        near = self._near.get(session_id)
        if near is not None:
            near.leave(name)
        self._tell(LEAVE, session_id, name)

    def review(self, session_id: str, check: Callable[[str], None]) -> None:
        """End those memberships of a session that it has no right to any more."""
        for wish in tuple(self._memberships.values()):
            if wish.session.session_id == session_id:
                try:
                    check(wish.pattern)
                except HubError as error:
                    wish.session.send_control(work_closed_frame(wish.name, error=error))
                    self.leave(wish.name, session_id)

    async def acknowledge(self, acks: Sequence[Ack], subject: str) -> list[HubError | None]:
        """Carry out acknowledgements, where they are led; None = committed."""
        if not acks:
            return []
        if self._room is not None:
            return await self._room.coordinator.acknowledge(acks, subject)
        said = [(ack.delivery_id, int(ack.verb), ack.delay) for ack in acks]
        try:
            answers: list[HubError | None] = await self._peers.ask(
                self._led_by, ACKNOWLEDGE, (subject, said)
            )
        except HubError as error:
            return [error] * len(acks)
        return answers

    async def _join(self, wish: Membership) -> int:
        until = asyncio.get_running_loop().time() + PATIENCE_S
        while True:
            if self._room is not None:
                coordinator = self._room.coordinator
                await coordinator.ensure(wish.name, wish.pattern, ordered=wish.ordered)
                return coordinator.join(
                    wish.name,
                    wish.session,
                    wish.subject,
                    max_outstanding=wish.max_outstanding,
                    lease_seconds=wish.lease_seconds,
                )
            try:
                return await self._join_far(wish)
            except Unavailable:
                if asyncio.get_running_loop().time() >= until:
                    raise
            await asyncio.sleep(RETRY_S)

    async def _join_far(self, wish: Membership) -> int:
        session_id, leader = wish.session.session_id, self._led_by
        asked = (
            *(self._peers.instance, session_id, wish.name, wish.pattern, wish.ordered),
            *(wish.subject, wish.max_outstanding, wish.lease_seconds),
        )
        members: int = await self._peers.ask(leader, OPEN, asked)
        if leader != self._led_by:
            raise not_led()
        near = self._near.get(session_id)
        if near is None:
            near = self._near[session_id] = NearSide(wish.session, self._tell)
        near.join(wish.name)
        return members

    # Who leads

    def moved(self) -> None:
        """Another instance may lead."""
        self._changed.set()

    async def _follow(self) -> None:
        while True:
            await self._changed.wait()
            self._changed.clear()
            try:
                await self._look()
            except Exception:
                log.exception("work_not_led")
                # Whoever leads is looked at anew.
                self._led_by = ""
                await asyncio.sleep(RETRY_S)
                self._changed.set()

    async def _look(self) -> None:
        leader = self._peers.leader()
        if not leader or leader == self._led_by:
            return
        room, self._room = self._room, None
        self._led_by = leader
        if room is not None:
            await room.stop()
        self._far.clear()
        for wish in self._memberships.values():
            wish.session.live_for.discard(f"work {wish.name}")
            wish.session.work.leave(wish.name)
        self._near.clear()
        if leader == self._peers.instance:
            led = self._make_room()
            await led.start()
            self._room = led
        for wish in tuple(self._memberships.values()):
            self._begin(self._join_again(wish))

    async def _join_again(self, wish: Membership) -> None:
        try:
            if wish.key in self._memberships and not self._draining:
                await self._join(wish)
        except HubError as error:
            self._memberships.pop(wish.key, None)
            wish.session.send_control(work_closed_frame(wish.name, error=error))

    # What other instances ask and tell

    async def asked(self, method: str, thing: Any) -> Any:
        """Answer another instance's question.

        Raises:
            HubError: refused; Unavailable: this instance does not lead.
        """
        coordinator = self.coordinator
        if method == ACKNOWLEDGE:
            subject, said = thing
            return await coordinator.acknowledge([Ack(*one) for one in said], subject)
        return await self._far.join(coordinator, thing)

    def told(self, instance: str, words: Sequence[Any]) -> None:
        """Take what another instance tells."""
        kind, session_id, *rest = words
        if kind in (DELIVER, CONTROL, LEFT):
            if instance == self._led_by:
                self._told_by_leader(kind, session_id, rest)
        elif self._room is not None:
            self._far.told(self._room.coordinator, kind, session_id, rest)

    def gone(self, instance: str) -> None:
        """An instance has ended, and its sessions with it."""
        if self._room is not None:
            self._far.gone(self._room.coordinator, instance)

    def _told_by_leader(self, kind: str, session_id: str, rest: Sequence[Any]) -> None:
        near = self._near.get(session_id)
        wishes = {key[1]: wish for key, wish in self._memberships.items() if key[0] == session_id}
        if kind == CONTROL:
            for wish in list(wishes.values())[:1]:
                wish.session.send_control(rest[0])
        elif near is None:
            return
        elif kind == DELIVER:
            near.deliver(*rest)
        elif self._memberships.pop((session_id, rest[0]), None) is not None:
            near.leave(rest[0])

    def _tell(self, *words: Any) -> None:
        self._peers.tell(self._led_by, *words)

    def _begin(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
