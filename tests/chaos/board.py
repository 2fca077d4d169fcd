"""Where a reader stands in each topic, by the contract's rule, whatever brings it the frames."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from hub.model.cursor import decode_cursor
from shipspeak.realtime.v1 import frame_pb2
from shipspeak_realtime import Cursor, Event
from shipspeak_realtime.runs import Action, Place, Receiver
from tests.guarantees.history import Told

if TYPE_CHECKING:
    from collections.abc import Sequence

    from shipspeak.realtime.v1 import event_pb2
    from tests.chaos.recorder import Recorder

PROTOCOL_VERSION = 1
_KINDS = {
    Action.OK: "ok",
    Action.GAP: "gap",
    Action.RESET: "reset",
    Action.LIVE: "live",
}


class LegEnded(Exception):
    """The transport is over, or a run left a hole: go on from the cursors."""


class Board:
    """Positions of one reader in all topics; transports take turns at moving them."""

    def __init__(self, recorder: Recorder, topics: Sequence[str]) -> None:
        self.recorder = recorder
        self.topics = topics
        self._receivers = {topic: Receiver() for topic in topics}
        self._cursors: dict[str, bytes] = {}

    def subscriptions(self) -> list[frame_pb2.Subscribe]:
        """What to ask for: each topic from where it stands, or from its oldest event."""
        wanted = []
        for topic in self.topics:
            cursor = self.cursor(topic)
            if cursor is None:
                wanted.append(frame_pb2.Subscribe(topic=topic, at=frame_pb2.START_EARLIEST))
            else:
                wanted.append(frame_pb2.Subscribe(topic=topic, position=cursor.position()))
        return wanted

    def cursor(self, topic: str) -> Cursor | None:
        """Where a topic stands; None before its first answer."""
        place = self._receivers[topic].place
        if place is None or topic not in self._cursors:
            return None
        return Cursor(topic, self._cursors[topic], place.offset)

    def hello(self, window_bytes: int = 0) -> frame_pb2.Hello:
        """How the reader introduces itself."""
        return frame_pb2.Hello(
            protocol_version=PROTOCOL_VERSION,
            client_id=self.recorder.subscriber.name,
            sdk="chaos",
            window_bytes=window_bytes,
        )

    def take(self, frame: frame_pb2.ServerFrame, transport: str) -> None:
        """Apply a frame.

        Raises:
            LegEnded: for a hole, an error or the hub's farewell.
        """
        match frame.WhichOneof("control"):
            case "subscribed":
                self._subscribed(frame.subscribed, transport)
            case "error" | "go_away" as control:
                raise LegEnded(f"{transport}: {getattr(frame, control)}")
            case _:
                pass
        for run in frame.runs:
            self._run(run, transport)

    def handed_over(self, event: Event) -> None:
        """The SDK handed over an event on this reader's behalf."""
        self.recorder.event(event)
        assert event.cursor is not None, f"{event.topic} has no cursors"
        place = decode_cursor(event.topic, event.cursor.token)
        self._receivers[event.topic] = Receiver(Place(place.epoch, event.cursor.handled_offset))
        self._cursors[event.topic] = event.cursor.token

    def _subscribed(self, answer: frame_pb2.Subscribed, transport: str) -> None:
        action = self._receivers[answer.topic].subscribed(answer)
        self._cursors[answer.topic] = answer.position.cursor
        self.recorder.told(
            Told(
                answer.topic,
                _KINDS[action],
                answer.epoch,
                answer.position.handled_offset,
                transport,
                answer.lost if answer.HasField("lost") else None,
                time.monotonic(),
            )
        )

    def _run(self, run: event_pb2.TopicRun, transport: str) -> None:
        taken = self._receivers[run.topic].run(run)
        if taken.action is Action.RESUBSCRIBE:
            raise LegEnded(f"{transport}: a hole in {run.topic} before {run.after_offset}")
        if taken.action is not Action.TAKE:
            return
        for event in taken.events:
            self.recorder.delivered(run.topic, run.epoch, event, transport)
        if run.conflated or run.expired or run.withdrawn:
            self.recorder.left_out(run)
        if run.cursor:
            self._cursors[run.topic] = run.cursor
