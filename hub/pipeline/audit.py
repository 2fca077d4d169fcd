"""The audit: who did what with the admin service, on what, and what became of it.

Entries are events of one durable topic, which nobody but the hub writes, no administrator can purge
and only administrators who may subscribe to it read. What is refused is bounded in its rate, so
that somebody without the right cannot push out what administrators have done.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final

import structlog

from hub.limits.bucket import Bucket, Rate
from hub.pipeline.books import enter
from hub.topics.namespaces import AUDIT
from shipspeak.realtime.v1 import error_reason_pb2

if TYPE_CHECKING:
    from collections.abc import Callable

    from hub.engine.contract import Engine
    from shipspeak.realtime.v1.admin_service_pb2 import AuditEntry

log = structlog.get_logger(__name__)

# Refusals written down: so many at once, then so many a second; the others are counted.
REFUSALS: Final = Rate(per_second=0.2, burst=20.0)


class AuditBook:
    """Writes the audit, in the topic and in the log.

    Args:
        engine: keeps the topic.
        instance: name of this instance.
        clock: seconds since the epoch.
        rising: seconds that only rise.
    """

    def __init__(
        self,
        engine: Engine,
        instance: str,
        clock: Callable[[], float],
        rising: Callable[[], float],
    ) -> None:
        self._engine = engine
        self._instance = instance
        self._clock = clock
        self._rising = rising
        self._refusals = Bucket(REFUSALS, rising())
        self._left_out = 0
        self._writing: set[asyncio.Task[None]] = set()

    async def write(self, entry: AuditEntry, *, refused: bool = False) -> None:
        """Write an entry; it is stored when this returns.

        An entry that cannot be stored stands in the log, and the call goes on: an administrator
        must be able to act while a disk is full.

        Args:
            entry: all but when, where, and what was left out before it.
            refused: whether the caller had no right to call.
        """
        if refused and self._refusals.take(self._rising()):
            self._left_out += 1
            return
        now_ms = int(self._clock() * 1000)
        entry.at.FromMilliseconds(now_ms)
        entry.instance = self._instance
        entry.refusals_left_out, self._left_out = self._left_out, 0
        facts = {"rpc": entry.action, "by": entry.who, "on": entry.target, "peer": entry.peer}
        if entry.reason:
            facts["refused"] = error_reason_pb2.ErrorReason.Name(entry.reason)
        log.info("admin_call", code=entry.code, **facts)
        try:
            await enter(self._engine, AUDIT, entry, now_ms)
        except Exception:
            log.exception("audit_not_stored", **facts)

    def write_later(self, entry: AuditEntry) -> None:
        """Write an entry for a caller who has gone."""
        task = asyncio.get_running_loop().create_task(self.write(entry), name="audit")
        self._writing.add(task)
        task.add_done_callback(self._writing.discard)

    async def stop(self) -> None:
        """Finish what is being written."""
        if self._writing:
            await asyncio.wait(tuple(self._writing))
