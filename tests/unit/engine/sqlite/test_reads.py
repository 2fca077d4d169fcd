"""What counts as a read of a log."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from hub.engine.schedule import ScheduledDraft
from hub.engine.sqlite import SqliteEngine, SqliteSchedule
from tests.contract.engine.harness import ManualClock
from tests.unit.engine.sqlite.support import TOPIC, draft, drafts

if TYPE_CHECKING:
    from pathlib import Path


async def test_only_reads_of_logs_are_counted(tmp_path: Path) -> None:
    """F3: what the hub looks up for itself comes with time, and says nothing of its readers."""
    clock, reads = ManualClock(), list[None]()
    made = SqliteEngine(tmp_path / "data", clock=clock, on_read=partial(reads.append, None))
    await made.start()
    schedule = SqliteSchedule(made, clock)
    try:
        await made.publish(drafts("a", "b"))
        await made.look(0, lambda reader: reader.connection)
        schedule.start()
        due = ScheduledDraft(draft("c"), deliver_ms=clock() + 1000)
        await schedule.schedule([due])
        assert await schedule.cancel(due.append.topic, due.append.publisher, "c")
        assert len(reads) == 0
        await made.read(TOPIC, 0, max_events=1, max_bytes=1)
        await made.head(TOPIC)
        assert len(reads) == 2
    finally:
        await schedule.stop()
        await made.stop()
