"""Poll: one short session. What lies behind the given positions, at once, or after a wait."""

from __future__ import annotations

import asyncio
import contextlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

from hub.errors import HubError, Unimplemented
from hub.fanout.notice import gap_frame, lost_frame
from hub.fanout.splice import splice
from hub.pipeline.answer import Answer
from hub.session.frames import duration, error_frame
from shipspeak.realtime.v1 import error_reason_pb2 as reasons
from shipspeak.realtime.v1 import frame_pb2, realtime_service_pb2

if TYPE_CHECKING:
    from collections.abc import Callable

    from hub.auth.grants import Principal
    from hub.engine.contract import Engine
    from hub.pipeline.answer import TopicFrame
    from hub.pipeline.starts import Begin
    from hub.pipeline.subscribe import Subscriber

DEFAULT_EVENTS = 500
DEFAULT_BYTES = 262_144
_MAX_SIDE_BY_SIDE = 32


@dataclass(slots=True)
class _Reader:
    begin: Begin
    position: int
    volatile_slot: int
    purges: int


class Poller:
    """Answers polls.

    Args:
        engine: proves heads.
        subscriber: judges positions, as for any session.
        clock: seconds since the epoch.
    """

    def __init__(self, engine: Engine, subscriber: Subscriber, clock: Callable[[], float]) -> None:
        self._engine = engine
        self._subscriber = subscriber
        self._clock = clock
        self._waiting: set[asyncio.Future[None]] = set()

    def answer_all(self) -> None:
        """Let no poll wait any longer: the instance is draining."""
        for woken in self._waiting:
            if not woken.done():
                woken.set_result(None)

    async def poll(
        self, request: realtime_service_pb2.PollRequest, authenticate: Callable[[], Principal]
    ) -> bytes:
        """Answer one poll with a serialized PollResponse.

        Args:
            request: validated.
            authenticate: gives the principal now; called again before the answer, so that a right
                which ended during the wait does not count (G10): its topic is refused, the others
                are answered.

        Raises:
            HubError: the token is refused, or SUBSCRIPTION_LIMIT. Refusals of single topics are
                error frames.
        """
        principal = authenticate()
        self._subscriber.check_number(len(request.subscriptions))
        readers, told = await self._begin_all(request, principal)
        with contextlib.ExitStack() as held:
            for reader in readers:
                held.enter_context(reader.begin.live.held())
            answer = await self._answer(request, readers, told)
        principal = authenticate()
        wishes = {wish.topic: wish for wish in request.subscriptions}
        for wish in wishes.values():
            await self._subscriber.prepare(principal, wish)
        for reader in readers:
            topic = reader.begin.live.name
            try:
                self._subscriber.right(principal, wishes[topic])
            except HubError as error:
                answer.refuse(topic, error)
        tail = realtime_service_pb2.PollResponse(more=answer.more)
        if not _seconds(request) and not answer.more:
            tail.next_poll_after.CopyFrom(duration(1.0))
        return answer.serialized() + tail.SerializeToString()

    async def _answer(
        self,
        request: realtime_service_pb2.PollRequest,
        readers: list[_Reader],
        told: list[TopicFrame],
    ) -> Answer:
        """What lies behind the positions now, or after the wait that was asked for."""
        wait = _seconds(request)
        answer = await self._gather(request, readers, told)
        # That a topic is volatile is no news: such a subscription waits although it never has a
        # cursor.
        live_only = [
            (reader.begin.live.name, reader.begin.frame())
            for reader in readers
            if reader.begin.live.volatile
        ]
        if len(answer.frames) == len(live_only) and readers and wait > 0:
            await self._wait(readers, wait)
            answer = await self._gather(request, readers, live_only)
        return answer

    async def _begin_all(
        self, request: realtime_service_pb2.PollRequest, principal: Principal
    ) -> tuple[list[_Reader], list[TopicFrame]]:
        gate = asyncio.Semaphore(_MAX_SIDE_BY_SIDE)

        async def begin(subscription: frame_pb2.Subscribe) -> Begin | HubError:
            async with gate:
                try:
                    _refuse_conflate(subscription)
                    _refuse_presence(subscription)
                    return await self._subscriber.begin(principal, subscription)
                except HubError as error:
                    return error

        begun = await asyncio.gather(
            *(begin(subscription) for subscription in request.subscriptions)
        )
        readers: list[_Reader] = []
        frames: list[TopicFrame] = []
        for subscription, outcome in zip(request.subscriptions, begun, strict=True):
            if isinstance(outcome, HubError):
                frames.append((subscription.topic, error_frame(outcome, topic=subscription.topic)))
                continue
            told = (
                subscription.WhichOneof("start") == "position"
                and outcome.verdict == frame_pb2.VERDICT_OK
            )
            if not told:
                frames.append((subscription.topic, outcome.frame()))
            live = outcome.live
            readers.append(_Reader(outcome, outcome.position, live.ring.next_slot, outcome.purges))
        return readers, frames

    async def _gather(
        self,
        request: realtime_service_pb2.PollRequest,
        readers: list[_Reader],
        frames: list[TopicFrame],
    ) -> Answer:
        answer = Answer(
            request.max_events or DEFAULT_EVENTS, request.max_bytes or DEFAULT_BYTES, list(frames)
        )
        gate = asyncio.Semaphore(_MAX_SIDE_BY_SIDE)
        behind = await asyncio.gather(*(self._behind(reader, gate) for reader in readers))
        for reader, more in zip(readers, behind, strict=True):
            self._tell_of_purge(reader, answer)
            if reader.begin.live.volatile:
                self._take_volatile(reader, answer)
            elif more:
                await self._take(reader, answer)
        return answer

    def _tell_of_purge(self, reader: _Reader, answer: Answer) -> None:
        """Whoever waits while a topic is purged is told, even if it has read everything (G6)."""
        live = reader.begin.live
        if reader.purges != live.purges:
            reader.purges = live.purges
            now_ms = int(self._clock() * 1000)
            notice, reader.position = live.purge_notice(reader.position, now_ms)
            answer.add(live.name, notice)

    async def _behind(self, reader: _Reader, gate: asyncio.Semaphore) -> bool:
        """Whether a durable topic has more than its reader.

        The head is proved by the engine, not by the ring (an instance's ring may be behind without
        knowing).
        """
        live = reader.begin.live
        if live.volatile:
            return False
        if live.ring.slot_after(reader.position) != live.ring.next_slot:
            return True
        async with gate:
            return (await self._engine.head(live.name)).head > reader.position

    async def _take(self, reader: _Reader, answer: Answer) -> None:
        live, horizon = reader.begin.live, reader.begin.snapshot_to
        while not answer.full:
            removals = live.removals
            page = await self._engine.read(
                live.name,
                reader.position,
                max_events=answer.events_left,
                max_bytes=answer.bytes_left,
                horizon=horizon if reader.position < horizon else 0,
            )
            if removals != live.removals:
                continue  # what was taken out while it was read may still be in it
            now_ms = int(self._clock() * 1000)
            spliced = splice(live.name, reader.position, page, now_ms)
            if spliced.gap:
                lost = spliced.after - reader.position
                oldest_ms = page.state.oldest_ms
                notice = gap_frame(
                    live.ring, spliced.after, spliced.gap_cursor, lost, oldest_ms=oldest_ms
                )
                answer.add(live.name, notice)
            if spliced.frame is None:
                return
            answer.add_events(live.name, spliced.frame, len(page.events))
            reader.position = spliced.through
            if not page.more:
                return
        answer.more = True

    def _take_volatile(self, reader: _Reader, answer: Answer) -> None:
        ring = reader.begin.live.ring
        slot = reader.volatile_slot
        if slot < ring.first_slot:
            answer.add(ring.topic, lost_frame(ring.topic, ring.first_slot - slot))
            slot = reader.volatile_slot = ring.first_slot
        while slot < ring.next_slot and not answer.full:
            frame, after, _ = ring.frame(slot, int(self._clock() * 1000))
            answer.add_events(ring.topic, frame, after - slot)
            slot = reader.volatile_slot = after

    async def _wait(self, readers: list[_Reader], seconds: float) -> None:
        """Until one of the topics has something new, or the time is over."""
        woken: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.add(woken)
        for reader in readers:
            reader.begin.live.watchers[woken] = None
        try:
            if all(_caught_up(reader) for reader in readers):
                async with asyncio.timeout(seconds):
                    await woken
        except TimeoutError:
            return
        finally:
            self._waiting.discard(woken)
            for reader in readers:
                reader.begin.live.watchers.pop(woken, None)


def _seconds(request: realtime_service_pb2.PollRequest) -> float:
    """How long the poll may wait."""
    return request.wait.ToMilliseconds() / 1000 if request.HasField("wait") else 0.0


def _refuse_conflate(subscription: frame_pb2.Subscribe) -> None:
    """Refuse what a poll cannot do: it takes what there is, so it never lags."""
    if subscription.conflate:
        raise Unimplemented(
            reasons.ERROR_REASON_FEATURE_UNAVAILABLE,
            "a poll cannot lag, so it does not conflate; begin it with SNAPSHOT, or leave it out",
            topic=subscription.topic,
            feature="conflate",
        )


def _refuse_presence(subscription: frame_pb2.Subscribe) -> None:
    """A poll is over before anybody could see it, or be told what changes."""
    if subscription.presence:
        raise Unimplemented(
            reasons.ERROR_REASON_FEATURE_UNAVAILABLE,
            "a poll has no presence; ask ReadPresence",
            topic=subscription.topic,
            feature="presence",
        )


def _caught_up(reader: _Reader) -> bool:
    ring = reader.begin.live.ring
    if reader.purges != reader.begin.live.purges:
        return False
    if reader.begin.live.volatile:
        return reader.volatile_slot >= ring.next_slot
    return ring.head <= reader.position
