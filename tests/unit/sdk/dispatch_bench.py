"""A dispatcher on a bench: what it sends is kept, what it hears a test says."""

from __future__ import annotations

from shipspeak.realtime.v1 import error_reason_pb2, event_pb2, frame_pb2
from shipspeak_realtime import (
    Stats,
    Subscription,
)
from shipspeak_realtime.backoff import Backoff
from shipspeak_realtime.dispatch import Dispatcher
from tests.unit.sdk.manual_clock import ManualClock

TOPIC = "meeting/1"
START_UNAVAILABLE = error_reason_pb2.ERROR_REASON_START_UNAVAILABLE


class Wire:
    """Stands where the session stands: keeps what is sent."""

    def __init__(self) -> None:
        self.sent: list[frame_pb2.ClientFrame] = []

    def send(self, frame: frame_pb2.ClientFrame) -> None:
        self.sent.append(frame)

    def kinds(self) -> list[str | None]:
        return [frame.WhichOneof("frame") for frame in self.sent]


class Bench:
    """A dispatcher with a session, and a subscription that it knows."""

    def __init__(self) -> None:
        self.stats, self.wire, self.clock = Stats(), Wire(), ManualClock()
        self.random = 0.0
        self.dispatcher = Dispatcher(
            self.stats,
            self.clock,
            Backoff(lambda: self.random),
            on_progress=lambda: None,
            on_welcome=lambda _welcome: None,
            on_expiring=lambda: None,
        )
        self.dispatcher.welcome(frame_pb2.Welcome(), self.wire)

    def subscribe(self, topic: str = TOPIC, queue_events: int = 1000) -> Subscription:
        subscription = Subscription(
            topic,
            start="earliest",
            stats=self.stats,
            on_open=self.dispatcher.add,
            on_close=self.dispatcher.remove,
            queue_events=queue_events,
        )
        subscription._open()
        return subscription

    def answer(
        self,
        offset: int = 0,
        verdict: frame_pb2.Verdict.ValueType = frame_pb2.VERDICT_OK,
        request_id: int | None = None,
        head: int = 0,
        epoch: int = 7,
    ) -> None:
        position = event_pb2.Position(cursor=b"c%d" % offset, handled_offset=offset)
        self.dispatcher.control(
            frame_pb2.ServerFrame(
                subscribed=frame_pb2.Subscribed(
                    request_id=self.wire.sent[-1].request_id if request_id is None else request_id,
                    topic=TOPIC,
                    verdict=verdict,
                    epoch=epoch,
                    position=position,
                    head=head,
                )
            )
        )

    def run(
        self,
        after: int,
        *offsets: int,
        cursor: bytes = b"",
        epoch: int = 7,
        conflated: int = 0,
        empty: bool = False,
    ) -> list[Subscription]:
        events = [event_pb2.Event(id=f"e{offset}", offset=offset) for offset in offsets]
        run = event_pb2.TopicRun(
            topic=TOPIC,
            epoch=epoch,
            after_offset=after,
            through_offset=offsets[-1],
            events=[] if empty else events,
            conflated=conflated,
            cursor=cursor or b"c%d" % offsets[-1],
        )
        return self.dispatcher.runs(frame_pb2.ServerFrame(runs=[run]))

    def refuse(
        self,
        *,
        topic: str = TOPIC,
        request_id: int = 0,
        retry: float | None = None,
        reason: error_reason_pb2.ErrorReason.ValueType = START_UNAVAILABLE,
    ) -> None:
        error = event_pb2.Error(
            topic=topic,
            request_id=request_id,
            code=3,
            reason=reason,
        )
        if retry is not None:
            error.retry_after.FromMilliseconds(int(retry * 1000))
        self.dispatcher.control(frame_pb2.ServerFrame(error=error))


async def taken(subscription: Subscription, count: int) -> list[int]:
    return [(await subscription.next_event()).offset for _ in range(count)]
