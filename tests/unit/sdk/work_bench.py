"""A membership of a work subscription on a clock to turn, and the hub's side of it."""

from __future__ import annotations

import itertools

from shipspeak.realtime.v1 import error_reason_pb2 as reasons
from shipspeak.realtime.v1 import frame_pb2
from shipspeak_realtime.work import Work, retry_delay
from shipspeak_realtime.works import Works
from tests.unit.sdk.manual_clock import ManualClock

LEASE = 30.0


class Bench:
    """One membership, and what it says."""

    def __init__(self) -> None:
        self.clock = ManualClock()
        self.sent: list[frame_pb2.ClientFrame] = []
        self.works = Works(self.clock, itertools.count(1).__next__, self.sent.append)
        self.work = Work(
            "analyse",
            "meeting/*",
            max_outstanding=4,
            ack_deadline=LEASE,
            ordered=False,
            retry=retry_delay,
            clock=self.clock,
            on_open=self._open,
        )

    def _open(self, work: Work) -> Works:
        self.works.add(work)
        return self.works

    def deliver(self, *ids: str) -> None:
        deliveries = [
            frame_pb2.Delivery(work="analyse", delivery_id=one, topic="meeting/1", attempt=1)
            for one in ids
        ]
        frame = frame_pb2.Deliveries(deliveries=deliveries)
        self.works.control(frame_pb2.ServerFrame(deliveries=frame))

    def said(self) -> list[tuple[str, str]]:
        """(verb, delivery id) of what was acknowledged, in order."""
        return [
            (frame_pb2.Verb.Name(ack.verb).removeprefix("VERB_"), ack.delivery_id)
            for frame in self.sent
            for ack in frame.acknowledge.acks
        ]

    def closed(self) -> bool:
        return any(frame.HasField("close_work") for frame in self.sent)

    def answer(self, *refusals: int, retry_after: int = 0) -> None:
        """Answer the newest request: 0 = committed; ``retry_after`` in seconds, 0 = never."""
        answered = frame_pb2.Acknowledged(request_id=self.sent[-1].request_id)
        for reason in refusals:
            result = answered.results.add()
            if reason:
                result.error.reason = reasons.ErrorReason.ValueType(reason)
                result.error.code = 14 if retry_after else 5
            if retry_after:
                result.error.retry_after.seconds = retry_after
        self.works.control(frame_pb2.ServerFrame(acknowledged=answered))
