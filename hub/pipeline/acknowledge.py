"""Acknowledge: statements about deliveries and about inbox events, each to its room."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hub.errors import Unimplemented
from hub.session.frames import error_message
from shipspeak.realtime.v1 import error_reason_pb2 as reasons
from shipspeak.realtime.v1 import frame_pb2

if TYPE_CHECKING:
    from collections.abc import Sequence

    from hub.auth.grants import Principal
    from hub.pipeline.work import WorkDesk


class Acknowledger:
    """Takes batches of acknowledgements.

    Args:
        work: takes those of deliveries.
    """

    def __init__(self, work: WorkDesk) -> None:
        self._work = work

    async def acknowledge(
        self, acks: Sequence[frame_pb2.Acknowledgement], principal: Principal
    ) -> list[frame_pb2.AcknowledgeResult]:
        """Carry out a validated batch; one result each, in order, after commit."""
        deliveries = [i for i, ack in enumerate(acks) if ack.WhichOneof("target") == "delivery_id"]
        results = [_no_receipts() for _ in acks]
        answers = await self._work.acknowledge([acks[i] for i in deliveries], principal)
        for index, answer in zip(deliveries, answers, strict=True):
            results[index] = answer
        return results


def _no_receipts() -> frame_pb2.AcknowledgeResult:
    error = Unimplemented(
        reasons.ERROR_REASON_FEATURE_UNAVAILABLE,
        "this hub does not offer receipts yet",
        feature="receipts",
    )
    return frame_pb2.AcknowledgeResult(error=error_message(error))
