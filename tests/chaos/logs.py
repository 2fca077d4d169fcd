"""Reads whole logs by ReadHistory, a page at a time."""

from __future__ import annotations

from typing import TYPE_CHECKING

from shipspeak_realtime import Cursor, RealtimeClient
from tests.guarantees.history import Log, Stored

if TYPE_CHECKING:
    from collections.abc import Sequence

PAGE_EVENTS = 1000


async def read_logs(server: str, topics: Sequence[str]) -> dict[str, Log]:
    """The logs of all topics that have any event."""
    async with RealtimeClient(server) as client:
        logs = [await _read(client, topic) for topic in topics]
    return {log.topic: log for log in logs if log.events}


async def _read(client: RealtimeClient, topic: str) -> Log:
    log = Log(topic, epoch=0)
    after: Cursor | None = None
    more = True
    while more:
        page = await client.read_history(topic, after=after, limit=PAGE_EVENTS)
        assert page.message is not None
        log.head = page.message.head
        for run in page.message.runs:
            if after is None:
                log.epoch, log.floor = run.epoch, run.after_offset
            log.events.extend(Stored(event.offset, event.id) for event in run.events)
            after = Cursor(topic, run.cursor, run.through_offset)
        more = page.more
        assert page.message.runs or not more, f"{topic}: an empty page says that there is more"
    return log
