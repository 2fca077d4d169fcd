"""The owner's answers to other instances: publish, operate, follow, and beats."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, Final

import structlog

from hub.engine.sqlite.failures import faulty
from hub.engine.sqlite.peers.codec import from_value, to_value
from hub.engine.sqlite.peers.guest import Guest, Outlet
from hub.engine.sqlite.peers.wire import append_of, failure_message, head_message, results_message
from hub.errors import HubError
from shipspeak.realtime.internal.v1 import peer_service_pb2 as peer

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Sequence

    from hub.engine.contract import AppendResult, TopicHead
    from hub.engine.sqlite.peers.owned import Owned
    from hub.engine.sqlite.peers.owners import Owners
    from hub.engine.sqlite.shard import Shard
    from hub.model.events import StoredEvent

_logger: Final = structlog.get_logger(__name__)


class OwnerDesk:
    """Serves the guests.

    Args:
        owners: has the shards.
        shard_of: as in Engine.
        clock: milliseconds since the epoch.
        operated: called with an operation that was run for a guest.
    """

    def __init__(
        self,
        owners: Owners,
        shard_of: Callable[[str], int],
        clock: Callable[[], int],
        operated: Callable[[object], None],
    ) -> None:
        self._owners = owners
        self._shard_of = shard_of
        self._clock = clock
        self._on_operated = operated
        self._tasks: set[asyncio.Task[None]] = set()

    async def stop(self) -> None:
        """Answer nothing more."""
        for task in tuple(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def on_ask(self, guest: Guest, ask: peer.Ask) -> None:
        """What goes into a writer's queue goes there now: the order of the link is kept."""
        kind = ask.WhichOneof("ask")
        if kind == "publish":
            self._publish(guest, ask.publish)
        elif kind == "operate":
            self._operate(guest, ask.operate)
        elif kind == "follow":
            self._follow(guest, ask.follow.topic)
        elif kind == "leave":
            self._leave(guest, ask.leave.topic)
        elif kind == "note":
            guest.watching = True

    def gone(self, guest: Guest) -> None:
        """It follows nothing more."""
        for topic in tuple(guest.follows):
            guest.follows[topic] = 1
            self._leave(guest, topic)

    def beat(self, guests: Sequence[Guest]) -> None:
        """Tell the guests how far everything that they follow was told."""
        now_ms = self._clock()
        beats = []
        for index, owned in self._owners.owned.items():
            outstanding = owned.shard.oldest_outstanding_ms()
            ms = now_ms if outstanding is None else min(now_ms, outstanding)
            beat = peer.ShardBeat(shard=index, complete_as_of_ms=ms)
            beat.stored_bytes.update(owned.shard.sizes)
            beats.append(beat)
        word = peer.Word(beat=peer.Beat(shards=beats))
        for guest in guests:
            guest.tell_skipped()
            guest.tell(word)

    def _shard(self, index: int) -> Shard | None:
        owned = self._owners.owned.get(index)
        return None if owned is None else owned.shard

    def _start(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def _refuse(self, guest: Guest, number: int) -> None:
        guest.tell(peer.Word(answer=peer.Answer(id=number, not_owner=True)))

    def _publish(self, guest: Guest, publish: peer.Publish) -> None:
        shard = self._shard(publish.shard)
        if shard is None:
            self._refuse(guest, publish.id)
            return
        appends = [append_of(append) for append in publish.appends]
        self._start(self._published(guest, publish.id, shard.publish(appends)))

    async def _published(
        self, guest: Guest, number: int, publishing: Coroutine[Any, Any, list[AppendResult]]
    ) -> None:
        results = results_message(await publishing)
        guest.tell(peer.Word(answer=peer.Answer(id=number, results=results)))

    def _operate(self, guest: Guest, operate: peer.Operate) -> None:
        shard = self._shard(operate.shard)
        if shard is None:
            self._refuse(guest, operate.id)
            return
        operation = from_value(operate.operation, self._clock)
        self._start(self._operated(guest, operate, operation, shard))

    async def _operated(
        self, guest: Guest, operate: peer.Operate, operation: Any, shard: Shard
    ) -> None:
        answer = peer.Answer(id=operate.id)
        try:
            answer.value.CopyFrom(to_value(await shard.operate(operation)))
            self._on_operated(operation)
        except HubError as error:
            answer.failure.CopyFrom(failure_message(error))
        except Exception:
            _logger.exception("operation_failed", shard=operate.shard, by=guest.instance)
            answer.failure.CopyFrom(failure_message(faulty(operate.shard)))
        guest.tell(peer.Word(answer=answer))

    def _follow(self, guest: Guest, topic: str) -> None:
        owned = self._owners.owned.get(self._shard_of(topic))
        if owned is None:
            guest.tell(peer.Word(followed=peer.Followed(topic=topic)))
            return
        outlet = owned.outlets.get(topic)
        first = outlet is None
        if outlet is None:
            outlet = owned.outlets[topic] = Outlet(topic)
        # Before the answer: what comes earlier than that is kept over there.
        outlet.guests[guest] = None
        guest.follows[topic] = guest.follows.get(topic, 0) + 1
        feed = outlet if first else _NoFeed()
        self._start(self._followed(guest, topic, owned, feed))

    async def _followed(
        self, guest: Guest, topic: str, owned: Owned, feed: Outlet | _NoFeed
    ) -> None:
        followed = peer.Followed(topic=topic)
        try:
            head: TopicHead = await owned.shard.open(topic, feed)
            followed.head.CopyFrom(head_message(head))
        except HubError as error:
            _logger.warning("follow_failed", topic=topic, error=str(error))
            if owned.outlets.get(topic) is feed:
                del owned.outlets[topic]
        if owned.outlets.get(topic) is not feed:
            # Of its head alone, or everybody has left while it was opened.
            owned.shard.detach(topic, feed)
        guest.tell(peer.Word(followed=followed))

    def _leave(self, guest: Guest, topic: str) -> None:
        count = guest.follows.get(topic, 0)
        if count > 1:
            guest.follows[topic] = count - 1
            return
        guest.follows.pop(topic, None)
        owned = self._owners.owned.get(self._shard_of(topic))
        outlet = None if owned is None else owned.outlets.get(topic)
        if owned is None or outlet is None:
            return
        outlet.guests.pop(guest, None)
        if not outlet.guests:
            del owned.outlets[topic]
            owned.shard.detach(topic, outlet)


class _NoFeed:
    """Opens a topic for its head alone."""

    def on_events(self, events: Sequence[StoredEvent]) -> None:
        """As in TopicFeed."""

    def on_trimmed(
        self, floor: int, *, purged: bool = False, more: bool = False, oldest_ms: int = 0
    ) -> None:
        """As in TopicFeed."""

    def on_withdrawn(self, offsets: Sequence[int]) -> None:
        """As in TopicFeed."""
