"""Publishes dead events to their dead letter topics, and dead letters again to their own topics.

Dead events wait in the shard's register, since their dead letter topic may live in another shard.
They are marked, so that no late acknowledgement is answered as committed, then published, and
forgotten then; an id that stays the same makes a repeat harmless.
"""

from __future__ import annotations

import asyncio
import hashlib
from typing import TYPE_CHECKING, Final

import structlog
from google.protobuf.message import DecodeError

from hub.engine.contract import Stored
from hub.errors import HubError
from hub.model.events import NORMAL, Append
from hub.session.frames import timestamp_ms
from hub.topics.namespaces import DEAD
from shipspeak.realtime.v1 import error_reason_pb2, event_pb2

if TYPE_CHECKING:
    from collections.abc import Callable

    from hub.engine.contract import Engine
    from hub.engine.work import DeadLetter, WorkStore
    from hub.model.events import StoredEvent
    from hub.telemetry.metrics import Metrics

log = structlog.get_logger(__name__)

RETRY_SECONDS: Final = 1.0
_BATCH: Final = 50
_PAGE_BYTES: Final = 1024 * 1024
_MAX_ID: Final = 64


class Burials:
    """Empties the registers of dead events.

    Args:
        store: the register.
        engine: takes the dead letters.
        clock: seconds since the epoch.
        metrics: counted by reason.
    """

    def __init__(
        self, store: WorkStore, engine: Engine, clock: Callable[[], float], metrics: Metrics
    ) -> None:
        self._store = store
        self._engine = engine
        self._clock = clock
        self._metrics = metrics
        self._waiting: set[int] = set()
        self._task: asyncio.Task[None] | None = None

    def notify(self, shard: int) -> None:
        """A shard's register may have dead events."""
        self._waiting.add(shard)
        if self._task is None or self._task.done():
            self._task = asyncio.get_running_loop().create_task(self._run())

    async def stop(self) -> None:
        """Leave the rest for the next start."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait([self._task])

    async def _run(self) -> None:
        while self._waiting:
            shard = next(iter(self._waiting))
            self._waiting.discard(shard)
            try:
                while await self._bury(shard):
                    pass
            except Exception as error:  # noqa: BLE001 - logged; the register still has them
                log.warning("dead_letters_wait", shard=shard, error=repr(error))
                self._waiting.add(shard)
                await asyncio.sleep(RETRY_SECONDS)

    async def _bury(self, shard: int) -> bool:
        """Publish some; False = there is none left."""
        dead = await self._store.exhume(shard, _BATCH)
        if not dead:
            return False
        for one in dead:
            await self._publish(one)
            await self._store.bury(shard, [one.ref])
            self._metrics.dead_letters.labels(reason_name(one)).inc()
        return len(dead) == _BATCH

    async def _publish(self, dead: DeadLetter) -> None:
        letter = dead_letter(dead, int(self._clock() * 1000))
        stored = await self._store_one(letter)
        if stored.duplicate and not await self._is_there(letter, stored.offset):
            # Ids are one publisher's on one topic, and here events of many topics meet.
            now_ms = int(self._clock() * 1000)
            again = dead_letter(dead, now_ms, f":{dead.topic}:{dead.offset}")
            await self._store_one(again)

    async def _store_one(self, letter: Append) -> Stored:
        (result,) = await self._engine.publish([letter])
        if isinstance(result, Stored):
            return result
        raise result if isinstance(result, HubError) else RuntimeError(f"{result} of one draft")

    async def _is_there(self, letter: Append, offset: int) -> bool:
        """Whether the dead letter at an offset is the same one, published before."""
        page = await self._engine.read(
            letter.topic, offset - 1, max_events=1, max_bytes=_PAGE_BYTES
        )
        wanted = event_pb2.Event.FromString(letter.body).content.attributes
        for stored in page.events:
            there = event_pb2.Event.FromString(stored.data).content.attributes
            if stored.offset == offset and there:
                return bool(there == wanted)
        return True  # it has been trimmed or withdrawn since

    async def _was_removed(self, topic: str, offset: int) -> bool:
        """Whether an event was purged, deleted or taken back; retention alone removes no letter."""
        if await self._store.was_purged(topic, offset):
            return True
        page = await self._engine.read(topic, offset - 1, max_events=1, max_bytes=_PAGE_BYTES)
        return any(event.offset == offset and event.withdrawn for event in page.events)

    async def replay(self, namespace: str, work: str, limit: int) -> int:
        """Publish dead letters again to their topics, oldest first; each is replayed once.

        Those whose event was purged, deleted or taken back since are left out.

        Args:
            namespace: of the topics that they come from.
            work: only those of this work subscription; empty = all.
            limit: at most this many.

        Returns:
            How many were published.

        Raises:
            HubError: the storage refused one; those before it are replayed.
        """
        topic = dead_topic(namespace)
        done = await self._store.replayed(topic)
        replayed = after = 0
        more = True
        while more and replayed < limit:
            page = await self._engine.read(topic, after, max_events=_BATCH, max_bytes=_PAGE_BYTES)
            after, more = page.through, page.more
            for stored in page.events:
                if replayed < limit and stored.offset not in done:
                    replayed += await self._replay(topic, stored, work)
        return replayed

    async def _replay(self, topic: str, stored: StoredEvent, work: str) -> bool:
        letter = event_pb2.Event.FromString(stored.data)
        if work and letter.content.attributes.get("work") != work:
            return False
        original = original_of(letter)
        if original is None:
            return False
        target = letter.content.attributes["topic"]
        if await self._was_removed(target, int(letter.content.attributes["offset"])):
            return False
        now_ms = int(self._clock() * 1000)
        # Always the same id, so that a replay that was cut short stores nothing twice.
        namespace = topic.partition("/")[2]
        event = event_pb2.Event(
            id=bounded(f"re:{namespace}:{stored.offset}:{original.id}"),
            content=original.content,
            published_at=timestamp_ms(now_ms),
            publisher=original.publisher,
            publisher_device=original.publisher_device,
        )
        await self._store_one(_append(target, event, now_ms))
        await self._store.mark_replayed(topic, [stored.offset])
        return True


def dead_topic(namespace: str) -> str:
    """The dead letter topic of a namespace."""
    return f"{DEAD}/{namespace}"


def dead_letter(dead: DeadLetter, now_ms: int, more: str = "") -> Append:
    """The draft of a dead letter: the event as it was, and why it is dead, as attributes.

    It keeps the publisher's name, so that whoever erases a user finds it.

    Args:
        dead: the event.
        now_ms: milliseconds since the epoch.
        more: goes into the id's digest, for a second event of one id.
    """
    original = event_pb2.Event.FromString(dead.data)
    content = event_pb2.Content(priority=original.content.priority)
    content.other.Pack(original)
    content.attributes.update(
        work=dead.work,
        topic=dead.topic,
        offset=str(dead.offset),
        attempts=str(dead.attempts),
        reason=reason_name(dead),
    )
    event = event_pb2.Event(
        id=bounded(f"dl:{dead.work}:{dead.event_id}", more),
        content=content,
        published_at=timestamp_ms(now_ms),
        publisher=original.publisher,
    )
    return _append(dead_topic(dead.topic.partition("/")[0]), event, now_ms)


def reason_name(dead: DeadLetter) -> str:
    """Why an event is dead, without the enum's prefix."""
    return error_reason_pb2.ErrorReason.Name(dead.reason).removeprefix("ERROR_REASON_")


def original_of(letter: event_pb2.Event) -> event_pb2.Event | None:
    """The event inside a dead letter; None = it is none."""
    original = event_pb2.Event()
    try:
        return original if letter.content.other.Unpack(original) else None
    except DecodeError:
        return None


def bounded(event_id: str, more: str = "") -> str:
    """An id of at most 64 characters, as the contract wants.

    A longer one, and one with ``more``, keeps its beginning and ends with a digest.
    """
    if len(event_id) <= _MAX_ID and not more:
        return event_id
    digest = hashlib.blake2b(f"{event_id}{more}".encode(), digest_size=12).hexdigest()
    return f"{event_id[: _MAX_ID - len(digest) - 1]}:{digest}"


def _append(topic: str, event: event_pb2.Event, now_ms: int) -> Append:
    return Append(
        topic=topic,
        event_id=event.id,
        publisher=event.publisher,
        body=event.SerializeToString(),
        priority=event.content.priority or NORMAL,
        key=event.content.key,
        published_ms=now_ms,
    )
