"""A topic's latest events as finished bytes, shared by all its readers.

Events lie in chunks of at most 64 KiB; a frame never crosses a chunk's edge, so that readers at
different places meet at the same edges and share the same bytes from there on. A slot is a local
number: 0 is the first event after the ring was opened, those that filled it have negative ones.
"""

from __future__ import annotations

from bisect import bisect_right
from typing import TYPE_CHECKING

from hub.fanout.chunk import CHUNK_BYTES, ENTRY_BYTES, NEVER, NO_ANSWER, Chunk, Entry, Recent
from hub.fanout.keys import LatestOfKeys
from hub.model.cursor import Cursor, encode_cursor
from hub.model.wire import RunHeader, framed_event

if TYPE_CHECKING:
    from collections.abc import Container, Sequence

    from hub.fanout.budget import RingBudget
    from hub.model.events import StoredEvent


class Ring:
    """The latest events of one topic.

    Args:
        topic: its name.
        epoch: identity of its log; 0 = volatile.
        head: newest offset when the ring was opened.
        budget: of all rings of this instance.
        head_id: id of the event at ``head``, where it is known already.
    """

    def __init__(
        self, topic: str, epoch: int, head: int, budget: RingBudget, head_id: str = ""
    ) -> None:
        self.topic = topic
        self.epoch = epoch
        self.head = head
        self._head_id = head_id
        self.next_slot = 0
        self.last_slots = [-NEVER] * 5
        self._start = head
        self._header = RunHeader(topic, epoch)
        self._budget = budget
        self._chunks: list[Chunk] = []
        self._recent = NO_ANSWER
        self._latest = LatestOfKeys()

    @property
    def start_offset(self) -> int:
        """The ring has every event after this offset."""
        return self._start

    @property
    def first_slot(self) -> int:
        """The oldest slot that is still here."""
        return self._chunks[0].first_slot if self._chunks else self.next_slot

    def append(self, event: StoredEvent) -> bool:
        """Take a live event.

        Returns:
            False when events before it are missing here: the ring then starts anew at this event,
            and readers behind it go to the log.
        """
        if event.offset and event.offset <= self.head:
            return True
        contiguous = not event.offset or event.prev <= self.head
        if not contiguous:
            self.release()
            self._start = event.prev
            # One slot stands for the hole, so that readers who were caught up lie before the ring.
            self.next_slot += 1
        framed = framed_event(event.data)
        chunk = self._chunks[-1] if self._chunks else None
        if chunk is None or chunk.first_slot < 0 or chunk.size + len(framed) > CHUNK_BYTES:
            if chunk is not None:
                chunk.drop_frames()
            chunk = Chunk(self.next_slot, self.head if contiguous else event.prev)
            self._chunks.append(chunk)
        self._put(chunk, event, framed, self.next_slot)
        self.next_slot += 1
        self.head, self._head_id = event.offset, event.event_id
        self._budget.grow(self, chunk, len(framed) + ENTRY_BYTES)
        return contiguous

    def prefill(self, events: Sequence[StoredEvent], after: int) -> None:
        """Put events from the log before the first one, in order, ending where the ring begins.

        Args:
            events: with after < offset <= start_offset; others are left out.
            after: the offset before the first of them.
        """
        older = [event for event in events if after < event.offset <= self._start]
        if not older or self.first_slot > 0 or (self._chunks and self._chunks[0].first_slot < 0):
            return
        if older[-1].offset == self.head:
            self._head_id = older[-1].event_id
        slot, chunks, before = -len(older), list[Chunk](), after
        for event in older:
            framed = framed_event(event.data)
            if not chunks or chunks[-1].size + len(framed) > CHUNK_BYTES:
                chunks.append(Chunk(slot, before))
            self._put(chunks[-1], event, framed, slot)
            slot += 1
            before = event.offset
        self._chunks[:0] = chunks
        self._start = after
        # A copy: the ring may be asked for chunks meanwhile.
        self._budget.adopt(self, tuple(self._chunks))

    def slot_after(self, offset: int) -> int | None:
        """The slot of the first event after ``offset``; None when the ring begins later."""
        if offset >= self.head:
            return self.next_slot
        if offset < self._start:
            return None
        chunk = self._chunks[bisect_right(self._chunks, offset, key=lambda chunk: chunk.after) - 1]
        return chunk.first_slot + bisect_right(
            chunk.entries, offset, key=lambda entry: entry.offset
        )

    def before_latest(self, count: int) -> int | None:
        """The offset before the newest ``count`` events; None where the ring cannot prove it."""
        if count >= self.next_slot - self.first_slot:
            return None
        chunk, index = self._locate(self.next_slot - count)
        return chunk.entries[index - 1].offset if index else chunk.after

    def holds(self, offset: int, event_id: str) -> bool:
        """Whether the event at ``offset`` is here and has this id (proves a cursor)."""
        return bool(event_id) and self.id_at(offset) == event_id

    def id_at(self, offset: int) -> str:
        """The id of the event at ``offset``; empty where it is not known here."""
        if offset == self.head:
            return self._head_id
        slot = self.slot_after(offset)
        if slot is None or slot <= self.first_slot or self._start >= offset:
            return ""
        chunk, index = self._locate(slot - 1)
        entry = chunk.entries[index]
        return entry.event_id if entry.offset == offset else ""

    def frame(self, slot: int, now_ms: int, horizon: int = 0) -> tuple[bytes, int, int]:
        """One frame of the events from ``slot`` to the end of its chunk, as one run.

        Where a small chunk follows, its run goes into the same frame: a flush that passes a chunk's
        edge would otherwise cost every reader two writes.

        Args:
            slot: the first that is asked for.
            now_ms: milliseconds since the epoch.
            horizon: as for ``conflated_frame``; 0 = nothing is left out.

        Returns:
            (serialized ServerFrame, slot behind it, offset that it reaches).
        """
        if horizon:
            return self.conflated_frame(slot, now_ms, horizon)
        # All who are up to date ask for the same frame, one right after the other.
        recent = self._recent
        if recent.slot == slot and recent.ring_end == self.next_slot and now_ms < recent.until_ms:
            return recent.answer
        chunk, first = self._locate(slot)
        holds_until, frame = self._shared(chunk, first, now_ms)
        while chunk is not self._chunks[-1]:
            following, _ = self._locate(chunk.first_slot + len(chunk.entries))
            if len(frame) + following.size > CHUNK_BYTES:
                break
            chunk = following
            until, run = self._shared(chunk, 0, now_ms)
            holds_until, frame = min(holds_until, until), frame + run
        answer = frame, chunk.first_slot + len(chunk.entries), chunk.entries[-1].offset
        self._recent = Recent(slot, self.next_slot, holds_until, answer)
        return answer

    def conflated_frame(
        self, slot: int, now_ms: int, horizon: int = NEVER
    ) -> tuple[bytes, int, int]:
        """As ``frame``, without events that a later one of the same key has superseded.

        The later event stands in this frame or in one to come. Not kept: it is for one reader.
        What lies behind the horizon, an offset, neither gives way nor supersedes.
        """
        at = self._index(slot)
        chunk, first = self._chunks[at], slot - self._chunks[at].first_slot
        superseded = self._latest.superseded(self._chunks[at:], first, now_ms, horizon)
        frame, _ = self._build(chunk, first, now_ms, superseded)
        return frame, chunk.first_slot + len(chunk.entries), chunk.entries[-1].offset

    def withdraw(self, offset: int) -> None:
        """Forget the bytes of an event; its place and its id stay."""
        slot = self.slot_after(offset)
        if slot is None or slot <= self.first_slot or self._start >= offset:
            return
        chunk, index = self._locate(slot - 1)
        entry = chunk.entries[index]
        if entry.offset != offset or not entry.framed:
            return
        key, size = entry.key, len(entry.framed)
        entry.framed, entry.key = b"", ""
        chunk.size -= size
        chunk.drop_frames()
        self._budget.shrink(chunk, size)
        self._recent = NO_ANSWER
        self._latest.withdraw(key, slot - 1, self._chunks)

    def drop_through(self, offset: int) -> None:
        """Forget every event up to an offset, and those that share a chunk with one of them."""
        while self._chunks and self._chunks[0].entries[0].offset <= offset:
            self.drop_oldest(self._chunks[0])

    def published_after(self, offset: int) -> int:
        """When the first event behind an offset was published, ms; 0 = there is none here."""
        return next(filter(None, (chunk.published_after(offset) for chunk in self._chunks)), 0)

    def release(self) -> None:
        """Forget all events, and give their memory back; offsets and slots go on."""
        for chunk in self._chunks:
            self._forget(chunk)
        self._chunks.clear()
        self._start = self.head

    def drop_oldest(self, chunk: Chunk) -> None:
        """Let go of everything up to and with a chunk (the budget asks for it)."""
        while self._chunks:
            oldest = self._chunks.pop(0)
            self._forget(oldest)
            self._start = oldest.entries[-1].offset
            if oldest is chunk:
                return

    def _shared(self, chunk: Chunk, first: int, now_ms: int) -> tuple[int, bytes]:
        """The frame of a chunk's events from ``first`` on, and until when it holds; built once."""
        cached = chunk.frames.get((first, len(chunk.entries)))
        if cached is None or now_ms >= cached[0]:
            frame, holds_until = self._build(chunk, first, now_ms)
            cached = chunk.share((first, len(chunk.entries)), frame, holds_until)
        return cached

    def _build(
        self, chunk: Chunk, first: int, now_ms: int, superseded: Container[int] = ()
    ) -> tuple[bytes, int]:
        parts, expired, conflated, withdrawn, holds_until = [], 0, 0, 0, NEVER
        for index, entry in enumerate(chunk.entries[first:], first):
            if not entry.framed:
                withdrawn += 1
                continue
            if entry.expires_ms and entry.expires_ms <= now_ms:
                expired += 1
                continue
            if index in superseded:
                conflated += 1
                continue
            if entry.expires_ms:
                holds_until = min(holds_until, entry.expires_ms)
            parts.append(entry.framed)
        after = chunk.entries[first - 1].offset if first else chunk.after
        newest = chunk.entries[-1]
        cursor = b""
        if self.epoch:
            cursor = encode_cursor(
                self.topic, Cursor(self.epoch, newest.offset, newest.event_id, now_ms)
            )
        frame = self._header.frame(
            after=after,
            through=newest.offset,
            events=b"".join(parts),
            cursor=cursor,
            conflated=conflated,
            expired=expired,
            withdrawn=withdrawn,
        )
        return frame, holds_until

    def _locate(self, slot: int) -> tuple[Chunk, int]:
        newest = self._chunks[-1]
        if slot >= newest.first_slot:
            return newest, slot - newest.first_slot
        chunk = self._chunks[self._index(slot)]
        return chunk, slot - chunk.first_slot

    def _index(self, slot: int) -> int:
        """Which chunk has a slot."""
        return bisect_right(self._chunks, slot, key=lambda chunk: chunk.first_slot) - 1

    def _put(self, chunk: Chunk, event: StoredEvent, framed: bytes, slot: int) -> None:
        at, key, priority = event.offset, event.key, event.priority
        self.last_slots[priority] = max(self.last_slots[priority], slot)
        ends, published = event.expires_ms, event.published_ms
        entry = Entry(at, event.event_id, key, framed, priority, ends, published)
        chunk.entries.append(entry)
        self._latest.put(slot, entry)
        chunk.size += len(framed)

    def _forget(self, chunk: Chunk) -> None:
        self._recent = NO_ANSWER
        self._latest.forget(chunk)
        self._budget.forget(chunk)
