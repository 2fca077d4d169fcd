"""Lanes: each takes one job after another and keeps its lease while it works."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from typing import TYPE_CHECKING

from shipspeak_demo.store import Lease, LeaseLost
from shipspeak_demo.worker.process import Job, Surroundings

if TYPE_CHECKING:
    from shipspeak_demo.store import JobQueue

_log = logging.getLogger(__name__)
IDLE_S = 0.25
"""Seconds between two looks at an empty queue."""


async def run_lane(around: Surroundings, worker: str) -> None:
    """Take and do jobs until cancelled; a job in hand is then given back at its checkpoint."""
    while True:
        try:
            lease = await asyncio.to_thread(around.queue.claim, worker)
            if lease is not None:
                await do_job(around, lease)
                continue
        except Exception:  # noqa: BLE001 - logged
            # The job's lease runs out and the job is taken up again: here, or elsewhere.
            _log.exception("lane of %s failed", worker)
        await asyncio.sleep(IDLE_S)


async def do_job(around: Surroundings, lease: Lease) -> None:
    """Do one job, renewing its lease; returns when it is closed or another worker has it."""
    _log.info("meeting %s attempt %d taken up", lease.meeting_id, lease.attempt)
    try:
        async with asyncio.TaskGroup() as tasks:
            keeper = tasks.create_task(_keep(around.queue, lease))
            await Job(around, lease).run()
            keeper.cancel()
    except asyncio.CancelledError:
        # Cancelled from outside: what is left of the work is the next worker's, at once.
        with contextlib.suppress(LeaseLost):
            around.queue.release(lease)
        raise
    except ExceptionGroup as errors:
        if errors.split(LeaseLost)[1] is not None:
            raise
        _log.warning("meeting %s: another worker has taken over", lease.meeting_id)


async def _keep(queue: JobQueue, lease: Lease) -> None:
    """Renew the lease three times in its length, so that one late renewal does no harm."""
    while True:
        await asyncio.sleep(queue.lease_s / 3)
        await asyncio.to_thread(queue.renew, lease)
