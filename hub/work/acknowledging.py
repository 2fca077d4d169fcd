"""Carries acknowledgements out: each finds its lease, and what is ruled is written down."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from hub.errors import HubError
from hub.work.acks import Ack, ruling_of

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from hub.engine.work import Settlement
    from hub.work.running import RunningWork


async def carry_out(
    acks: Sequence[Ack], subject: str, now: float, work_of: Callable[[str], RunningWork]
) -> list[HubError | None]:
    """Carry out acknowledgements; None = committed, in their order.

    Args:
        acks: what is said of each delivery.
        subject: who says it.
        now: seconds since the epoch.
        work_of: the work subscription of a delivery id; raises NotFound.
    """
    results: list[HubError | None] = [None] * len(acks)
    rulings: dict[RunningWork, list[tuple[int, int, Settlement]]] = {}
    # Not one turn of the loop between the look at a lease and the ruling on it, nor between
    # that and the beginning of its write: a lease may end, or a subscription move, in any turn.
    for index, ack in enumerate(acks):
        try:
            work = work_of(ack.delivery_id)
            lease = work.queue.lease(ack.delivery_id, subject, now)
            settlement = ruling_of(ack, lease, now)
        except HubError as error:
            results[index] = error
            continue
        if settlement is None:
            work.queue.extend(lease, ack.delay, now)
        else:
            written = work.queue.rule(lease, settlement)
            rulings.setdefault(work, []).append((index, lease.item.shard, written))
    writes = [
        work.settle([(shard, settlement) for _, shard, settlement in ruled])
        for work, ruled in rulings.items()
    ]
    for ruled, answers in zip(rulings.values(), await asyncio.gather(*writes), strict=True):
        for (index, _, _), answer in zip(ruled, answers, strict=True):
            results[index] = answer
    return results
