"""An inbox on one store, for the tests of receipts."""

from __future__ import annotations

from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, TypeAlias

from hub.engine.sqlite import SqliteEngine, SqliteInbox
from hub.engine.sqlite.inbox import MAX_ELSEWHERE
from hub.engine.sqlite.policy import Retention
from hub.model.receipts import Mark
from hub.topics.namespaces import Namespaces
from shipspeak.realtime.v1 import event_pb2, notification_pb2
from tests.contract.engine.harness import Store, read_all, sqlite_maker

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from hub.engine.inbox import MarkResult

TOPIC = "user/alice"
NAMESPACES = Namespaces()
State: TypeAlias = notification_pb2.ReceiptState.ValueType


class Bench:
    """An inbox on one store."""

    def __init__(self, store: Store, engine: SqliteEngine) -> None:
        self.store, self.engine = store, engine
        self.max_elsewhere = MAX_ELSEWHERE

    async def say(
        self,
        *said: tuple[str, State],
        topic: str = TOPIC,
        publisher: str = "alice",
        device: str = "phone",
        offset: int = 0,
        event_publisher: str = "",
        said_in: str = "",
    ) -> list[MarkResult]:
        """Mark events of the topic, by the user or by whom the changes name."""
        marks = [
            Mark(topic, event_id, state, publisher, device, offset, event_publisher, said_in)
            for event_id, state in said
        ]
        inbox = SqliteInbox(self.engine, self.max_elsewhere)
        return await inbox.mark(marks)

    async def publish(
        self,
        *event_ids: str,
        topic: str = TOPIC,
        publisher: str = "back-end",
        until_acknowledged: bool = False,
    ) -> None:
        """Publish events with these ids."""
        drafts = []
        for event_id in event_ids:
            event = event_pb2.Event(id=event_id)
            event.content.until_acknowledged = until_acknowledged
            event.content.notification.title = event_id
            body = event.SerializeToString()
            drafts.append(self.store.draft(event_id, topic, publisher=publisher, body=body))
        await self.engine.publish(drafts)

    async def receipts(self, topic: str = TOPIC) -> list[notification_pb2.ReceiptUpdate]:
        """What the log of a topic says of events."""
        events = [event_pb2.Event.FromString(e.data) for e in await read_all(self.engine, topic)]
        return [event.content.receipt for event in events if event.content.HasField("receipt")]


@asynccontextmanager
async def opened(folder: Path) -> AsyncIterator[Bench]:
    """A store in a folder, with the retention of the hub's namespaces."""
    store = Store(sqlite_maker(folder))
    kept = NAMESPACES.of(TOPIC).topic_class
    store.retention[TOPIC] = Retention(kept.max_events, kept.max_age)
    engine = await store.open()
    assert isinstance(engine, SqliteEngine)
    try:
        yield Bench(store, engine)
    finally:
        await store.close()
