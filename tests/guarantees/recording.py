"""The SDK's receiver, with a pen: writes down what the rule makes of each answer and each run."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from hub.model.cursor import decode_cursor
from shipspeak_realtime.runs import Action, Place, Receiver, Taken
from tests.guarantees.history import Delivery, Omitted, Stored, Subscriber, Told

if TYPE_CHECKING:
    from collections.abc import Callable

    from hub.model.events import StoredEvent
    from shipspeak.realtime.v1 import event_pb2, frame_pb2


def stored(event: StoredEvent) -> Stored:
    """An event of a log, as it stands there when the log is read."""
    return Stored(
        event.offset,
        event.event_id,
        event.published_ms,
        event.expires_ms,
        event.key,
        event.withdrawn,
    )


class Moved(Protocol):
    """Told that a reader has come further."""

    def __call__(self, *, by_run: bool) -> None:
        """By a run, or by an answer to Subscribe."""


class RecordingReceiver(Receiver):
    """Where one reader stands in one topic.

    Args:
        subscriber: whose record it writes.
        transport: names the way by which frames come now.
        clock: seconds; the recorder's.
        place: the position to resume from; None = none yet.
        on_moved: called when the reader has come further.
    """

    def __init__(
        self,
        subscriber: Subscriber,
        transport: Callable[[], str],
        clock: Callable[[], float],
        place: Place | None = None,
        on_moved: Moved | None = None,
    ) -> None:
        super().__init__(place)
        self._subscriber, self._transport, self._clock = subscriber, transport, clock
        self._on_moved = on_moved

    def subscribed(self, answer: frame_pb2.Subscribed) -> Action:
        """Apply an answer to Subscribe and write down its verdict."""
        action = super().subscribed(answer)
        told = Told(
            answer.topic,
            action.value,
            answer.epoch,
            answer.position.handled_offset,
            self._transport(),
            answer.lost if answer.HasField("lost") else None,
            self._clock(),
        )
        self._subscriber.words.append(told)
        if self._subscriber.snapshots.get(answer.topic, 0) is None:
            self._subscriber.snapshots[answer.topic] = answer.head
        self._moved(by_run=False)
        return action

    def run(self, run: event_pb2.TopicRun) -> Taken:
        """Apply a run and write down what was new in it."""
        before = self.place
        taken = super().run(run)
        if taken.action is not Action.TAKE:
            return taken
        as_of_ms = decode_cursor(run.topic, run.cursor).as_of_ms if run.cursor else 0
        now, transport = self._clock(), self._transport()
        left_out = run.conflated + run.expired + run.withdrawn
        if left_out:
            whole = before is None or before.offset == run.after_offset
            after = run.after_offset if before is None else max(before.offset, run.after_offset)
            self._subscriber.words.append(
                Omitted(
                    run.topic,
                    run.epoch,
                    after,
                    run.through_offset,
                    left_out if whole else None,
                    now,
                    run.expired,
                    as_of_ms,
                    run.conflated,
                )
            )
        self._subscriber.words.extend(
            Delivery(
                run.topic,
                run.epoch,
                event.offset,
                event.id,
                transport,
                now,
                as_of_ms,
                event.expires_at.ToMilliseconds() if event.HasField("expires_at") else 0,
            )
            for event in taken.events
        )
        self._moved(by_run=True)
        return taken

    def _moved(self, *, by_run: bool) -> None:
        if self._on_moved is not None:
            self._on_moved(by_run=by_run)
