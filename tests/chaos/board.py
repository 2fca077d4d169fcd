"""Where a reader stands in each topic, by the contract's rule, whatever brings it the frames."""

from __future__ import annotations

from typing import TYPE_CHECKING

from shipspeak.realtime.v1 import frame_pb2
from shipspeak_realtime import Cursor, Event
from shipspeak_realtime.runs import Action

if TYPE_CHECKING:
    from collections.abc import Sequence

    from shipspeak.realtime.v1 import event_pb2
    from tests.chaos.recorder import Recorder

PROTOCOL_VERSION = 1
_STARTS = {0: frame_pb2.START_EARLIEST, None: frame_pb2.START_LATEST}


class LegEnded(Exception):
    """The transport is over, or a run left a hole: go on from the cursors."""


class Board:
    """Positions of one reader in all topics; transports take turns at moving them."""

    def __init__(self, recorder: Recorder, topics: Sequence[str]) -> None:
        self.recorder = recorder
        self.topics = topics
        self._cursors: dict[str, Cursor] = {}

    def subscriptions(self) -> list[frame_pb2.Subscribe]:
        """What to ask for: each topic from where it stands, or from where it began."""
        wanted = []
        for topic in self.topics:
            cursor = self.cursor(topic)
            if cursor is None:
                start = _STARTS[self.recorder.subscriber.started[topic]]
                wanted.append(frame_pb2.Subscribe(topic=topic, at=start))
            else:
                wanted.append(frame_pb2.Subscribe(topic=topic, position=cursor.position()))
        return wanted

    def cursor(self, topic: str) -> Cursor | None:
        """Where a topic stands; None before its first answer."""
        return self._cursors.get(topic)

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
        self.recorder.transport = transport
        match frame.WhichOneof("control"):
            case "subscribed":
                self._subscribed(frame.subscribed)
            case "error" | "go_away" | "unsubscribed" as control:
                raise LegEnded(f"{transport}: {getattr(frame, control)}")
            case _:
                pass
        for run in frame.runs:
            self._run(run, transport)

    def handed_over(self, event: Event) -> None:
        """The SDK handed over an event on this reader's behalf: its cursor is where to go on."""
        assert event.cursor is not None, f"{event.topic} has no cursors"
        self._cursors[event.topic] = event.cursor

    def stood(self, cursor: Cursor | None) -> None:
        """The SDK came no further than its first answer: that is where to go on."""
        if cursor is not None:
            self._cursors.setdefault(cursor.topic, cursor)

    def _subscribed(self, answer: frame_pb2.Subscribed) -> None:
        self.recorder.receivers[answer.topic].subscribed(answer)
        self._stand(answer.topic, answer.position.cursor)

    def _run(self, run: event_pb2.TopicRun, transport: str) -> None:
        taken = self.recorder.receivers[run.topic].run(run)
        if taken.action is Action.RESUBSCRIBE:
            raise LegEnded(f"{transport}: a hole in {run.topic} before {run.after_offset}")
        if taken.action is Action.TAKE and run.cursor:
            self._stand(run.topic, run.cursor)

    def _stand(self, topic: str, token: bytes) -> None:
        place = self.recorder.receivers[topic].place
        if place is not None:
            self._cursors[topic] = Cursor(topic, token, place.offset)
