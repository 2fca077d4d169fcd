"""Acknowledge: statements about deliveries and about inbox events, each to its room."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hub.errors import HubError
from hub.session.frames import error_message
from shipspeak.realtime.v1 import frame_pb2

if TYPE_CHECKING:
    from hub.auth.grants import Principal
    from hub.pipeline.receipts import ReceiptDesk
    from hub.pipeline.work import WorkDesk


class Acknowledger:
    """Takes batches of acknowledgements.

    Args:
        work: takes those of deliveries.
        receipts: takes those of events.
    """

    def __init__(self, work: WorkDesk, receipts: ReceiptDesk) -> None:
        self._work = work
        self._receipts = receipts

    async def acknowledge(
        self, request: frame_pb2.AcknowledgeRequest, principal: Principal, device: str = ""
    ) -> list[frame_pb2.AcknowledgeResult]:
        """Carry out a validated batch; one result each, in order, after commit.

        ``device`` is the session's; a call without one may name it in the request.
        """
        acks = request.acks
        deliveries = [i for i, ack in enumerate(acks) if ack.WhichOneof("target") == "delivery_id"]
        events = [i for i, ack in enumerate(acks) if ack.WhichOneof("target") == "event"]
        results = [frame_pb2.AcknowledgeResult() for _ in acks]
        answers = await self._work.acknowledge([acks[i] for i in deliveries], principal)
        for index, answer in zip(deliveries, answers, strict=True):
            results[index] = answer
        told = await self._receipts.acknowledge(
            [acks[i] for i in events], principal, device or request.device_id
        )
        for index, one in zip(events, told, strict=True):
            if isinstance(one, HubError):
                results[index].error.CopyFrom(error_message(one))
            else:
                results[index].first = one
        return results
