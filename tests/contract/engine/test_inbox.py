"""Receipts beside their events: ordered, durable, and stored once however often they are said."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, TypeAlias

import pytest

from hub.engine.contract import AppendResult, Stored
from hub.engine.sqlite import SqliteEngine, SqliteInbox
from hub.errors import HubError
from hub.model.receipts import DISMISSED, READ, WITHDRAWN, Mark, receipt_body, receipt_id
from hub.session.frames import timestamp_ms
from shipspeak.realtime.v1 import event_pb2, notification_pb2
from tests.contract.engine.harness import (
    RecordingFeed,
    Store,
    offsets,
    read_all,
    sqlite_maker,
    stored,
)

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

TOPIC = "user/alice"
State: TypeAlias = notification_pb2.ReceiptState.ValueType


class Bench:
    """An inbox on one store."""

    def __init__(self, store: Store, engine: SqliteEngine) -> None:
        self.store, self.engine = store, engine

    async def say(
        self,
        *said: tuple[str, State],
        topic: str = TOPIC,
        publisher: str = "alice",
        only_own: bool = False,
    ) -> list[AppendResult]:
        """Mark events of the topic, by the user or by whom the changes name."""
        marks = [
            self._mark(event_id, state, topic, publisher, only_own=only_own)
            for event_id, state in said
        ]
        return await SqliteInbox(self.engine).mark(marks, self.store.clock())

    def _mark(
        self, event_id: str, state: State, topic: str, publisher: str, *, only_own: bool
    ) -> Mark:
        body = receipt_body(
            event_id,
            state,
            publisher=publisher,
            device="phone",
            published_at=timestamp_ms(self.store.clock()),
        )
        return Mark(topic, event_id, state, publisher, body, only_own)

    async def publish(self, *event_ids: str, publisher: str = "back-end") -> None:
        await self.engine.publish(
            [
                self.store.draft(
                    event_id,
                    TOPIC,
                    publisher=publisher,
                    body=event_pb2.Event(id=event_id).SerializeToString(),
                )
                for event_id in event_ids
            ]
        )


@pytest.fixture
async def bench(tmp_path: Path) -> AsyncIterator[Bench]:
    store = Store(sqlite_maker(tmp_path))
    engine = await store.open()
    assert isinstance(engine, SqliteEngine)
    yield Bench(store, engine)
    await store.close()


async def test_a_receipt_is_an_event_of_the_topic(bench: Bench) -> None:
    """E4: on every device by the ordinary path."""
    feed = RecordingFeed()
    await bench.engine.open(TOPIC, feed)
    await bench.publish("a", "b")
    assert offsets(await bench.say(("a", READ), ("b", DISMISSED))) == [3, 4]
    events = [event_pb2.Event.FromString(event.data) for event in feed.events[2:]]
    assert [(e.offset, e.publisher, e.publisher_device) for e in events] == [
        (3, "alice", "phone"),
        (4, "alice", "phone"),
    ]
    assert [(e.content.receipt.event_id, e.content.receipt.state) for e in events] == [
        ("a", READ),
        ("b", DISMISSED),
    ]
    assert [event.key for event in feed.events] == [""] * 4, "never conflated"


async def test_what_was_said_before_stores_nothing(bench: Bench) -> None:
    """E4: by every device, in one call or in many, and beyond the memory of ids."""
    await bench.publish("a", "b")
    assert [r.duplicate for r in stored(await bench.say(("a", READ), ("a", READ)))] == [False, True]
    bench.store.clock.advance(3 * 86_400)
    (again,) = stored(await bench.say(("a", READ)))
    assert (again.offset, again.duplicate) == (3, True)
    assert offsets(await bench.say(("a", DISMISSED))) == [4]
    (back,) = stored(await bench.say(("a", READ)))
    assert back.duplicate, "a state moves forward only"
    assert offsets(await bench.say(("b", DISMISSED), ("b", READ))) == [5, 5]
    assert len(await read_all(bench.engine, TOPIC)) == 5


async def test_a_withdrawn_event_is_emptied_and_told(bench: Bench) -> None:
    feed = RecordingFeed()
    await bench.engine.open(TOPIC, feed)
    await bench.publish("a")
    withdraw = partial(bench.say, ("a", WITHDRAWN), publisher="back-end", only_own=True)
    assert offsets(await withdraw()) == [2]
    assert [(e.event_id, e.withdrawn) for e in await read_all(bench.engine, TOPIC)] == [
        ("a", True),
        (receipt_id("a", WITHDRAWN), False),
    ]
    assert feed.withdrawn == [1]
    (again,) = stored(await withdraw())
    (read,) = stored(await bench.say(("a", READ)))
    assert (again.duplicate, read.duplicate) == (True, True)


async def test_only_what_is_there_and_ones_own_can_be_spoken_about(bench: Bench) -> None:
    await bench.publish("a")
    await bench.say(("a", READ))
    for (refused,) in (
        await bench.say(("unknown", READ)),
        await bench.say(("a", READ), topic="user/bob"),
        await bench.say((receipt_id("a", READ), READ)),
        await bench.say(("a", WITHDRAWN), publisher="another", only_own=True),
    ):
        assert isinstance(refused, HubError)
        assert refused.reason_name == "EVENT_UNKNOWN"
    assert [e.withdrawn for e in await read_all(bench.engine, TOPIC)] == [False, False]
    assert isinstance((await bench.say(("a", WITHDRAWN), publisher="root"))[0], Stored)


def test_ids_of_receipts_are_none_of_a_drafts() -> None:
    longest = receipt_id("x" * 64, WITHDRAWN)
    assert longest.startswith("~")
    assert len(longest) <= 64
    assert len({receipt_id(i, s) for i in ("a", "b") for s in (READ, DISMISSED, WITHDRAWN)}) == 6
