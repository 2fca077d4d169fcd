"""Decides the drafts of one batch in memory, before anything is written.

A refused draft therefore costs the others nothing: only what was accepted reaches the transaction.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from hub.engine.contract import AppendResult, NotAttempted, Stored
from hub.engine.sqlite.failures import idempotency_expired, offset_mismatch, too_many_old
from hub.engine.sqlite.requests import NewEvent, Published
from hub.errors import HubError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from hub.engine.sqlite.dedup import Key
    from hub.engine.sqlite.topics import TopicState
    from hub.model.events import Append


class Judge:
    """Gives each draft its offset, its original offset, or its refusal.

    Args:
        topics: working copies of all topics named in the batch; heads are moved in place.
        known: offsets of the drafts stored before, as ``recall`` finds them; grows with what is
            accepted.
        unasked: keys of drafts for which ``recall`` had no time.
        lifetime_ms: how long ids are remembered.
    """

    def __init__(
        self,
        topics: dict[str, TopicState],
        known: dict[Key, int],
        unasked: set[Key],
        lifetime_ms: int,
    ) -> None:
        self._topics = topics
        self._known = known
        self._unasked = unasked
        self.lifetime_ms = lifetime_ms

    def learn(self, known: dict[Key, int], unasked: set[Key]) -> None:
        """Take what ``recall`` says of more drafts."""
        self._known.update(known)
        self._unasked |= unasked

    def forget(self, key: Key) -> None:
        """Judge the next draft with this key as one that was never stored."""
        self._known.pop(key, None)
        self._unasked.discard(key)

    def publish(self, appends: Sequence[Append]) -> Published:
        """Judge one call's drafts in order.

        A group is judged as a whole where its first draft stands.
        """
        events: list[NewEvent] = []
        if len(appends) == 1:
            return Published([self._one(appends[0], events)], events)
        results: dict[int, AppendResult] = {}
        failed: set[str] = set()
        for index, append in enumerate(appends):
            if index in results:
                continue
            unit = _unit_at(appends, index)
            if append.topic in failed:
                results.update((member, NotAttempted()) for member in unit)
            elif not self._unit(appends, unit, results, events):
                failed.add(append.topic)
        return Published([results[index] for index in range(len(appends))], events)

    def _unit(
        self,
        appends: Sequence[Append],
        unit: Sequence[int],
        results: dict[int, AppendResult],
        events: list[NewEvent],
    ) -> bool:
        accepted: list[NewEvent] = []
        for member in unit:
            result = self._one(appends[member], accepted)
            if isinstance(result, HubError):
                self.undo(accepted)
                results.update((index, NotAttempted()) for index in unit)
                results[member] = result
                return False
            results[member] = result
        events.extend(accepted)
        return True

    def before(self, append: Append) -> Stored | HubError | None:
        """What is known of the draft's id: stored before, or too old to tell; None = it is new."""
        topic = self._topics[append.topic]
        key = (topic.id, append.publisher, append.event_id)
        original = self._known.get(key)
        if original is not None:
            return Stored(topic.epoch, original, duplicate=True)
        if key in self._unasked:
            return too_many_old(append.topic)
        if append.first_sent_ms and append.published_ms - append.first_sent_ms > self.lifetime_ms:
            return idempotency_expired(append.topic, append.event_id)
        return None

    def _one(self, append: Append, accepted: list[NewEvent]) -> AppendResult:
        before = self.before(append)
        if before is not None:
            return before
        topic = self._topics[append.topic]
        key = (topic.id, append.publisher, append.event_id)
        if append.expected_offset is not None and append.expected_offset != topic.head:
            return offset_mismatch(append.topic, append.expected_offset, topic.head)
        event = NewEvent(append, topic.head + 1, topic.head)
        accepted.append(event)
        self._known[key] = topic.head = event.offset
        if topic.oldest_ms == 0:
            topic.oldest_ms = append.published_ms
        return Stored(topic.epoch, event.offset)

    def undo(self, accepted: Sequence[NewEvent]) -> None:
        """Take back the newest accepted drafts: they are not written after all."""
        for event in reversed(accepted):
            topic = self._topics[event.append.topic]
            topic.head = event.prev
            if topic.head == topic.floor:
                topic.oldest_ms = 0
            del self._known[(topic.id, event.append.publisher, event.append.event_id)]


def _unit_at(appends: Sequence[Append], index: int) -> Sequence[int]:
    group = appends[index].group
    if not group:
        return (index,)
    return [other for other in range(index, len(appends)) if appends[other].group == group]
