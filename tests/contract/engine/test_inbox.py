"""Receipts beside their events: ordered, durable, and stored once however often they are said."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any
from unittest.mock import patch

import pytest

from hub.engine.contract import Stored
from hub.errors import HubError
from hub.model.receipts import DISMISSED, READ, WITHDRAWN, receipt_id
from hub.topics.namespaces import INBOX
from shipspeak.realtime.v1 import event_pb2
from tests.contract.engine.harness import RecordingFeed, offsets, read_all, stored
from tests.contract.engine.inbox_bench import TOPIC, Bench, State, opened

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path


@pytest.fixture
async def bench(tmp_path: Path) -> AsyncIterator[Bench]:
    async with opened(tmp_path) as made:
        yield made


async def test_no_receipt_is_older_than_what_was_called_complete(bench: Bench) -> None:
    """G11: heartbeats go out between what is said and its place in the writer's queue."""
    await bench.publish("a")
    claims, look = [], bench.engine.look

    async def slowly(*args: Any) -> Any:
        found = await look(*args)
        bench.store.clock.advance(1.0)
        claims.append(bench.engine.complete_as_of_ms())
        return found

    with patch.object(bench.engine, "look", slowly):
        await bench.say(("a", READ))
    receipt = (await read_all(bench.engine, TOPIC))[-1]
    assert receipt.published_ms >= max(claims)
    told = event_pb2.Event.FromString(receipt.data).published_at.ToMilliseconds()
    assert told == receipt.published_ms


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
    withdraw = partial(
        bench.say, ("a", WITHDRAWN), publisher="back-end", event_publisher="back-end"
    )
    assert offsets(await withdraw()) == [2]
    assert [(e.event_id, e.withdrawn) for e in await read_all(bench.engine, TOPIC)] == [
        ("a", True),
        (receipt_id("a", 1, WITHDRAWN), False),
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
        await bench.say((receipt_id("a", 1, READ), READ)),
        await bench.say(("a", WITHDRAWN), publisher="another", event_publisher="another"),
    ):
        assert isinstance(refused, HubError)
        assert refused.reason_name == "EVENT_UNKNOWN"
    assert [e.withdrawn for e in await read_all(bench.engine, TOPIC)] == [False, False]
    assert isinstance((await bench.say(("a", WITHDRAWN), publisher="root"))[0], Stored)


def test_ids_of_receipts_are_none_of_a_drafts() -> None:
    longest = receipt_id("x" * 64, 2**64 - 1, WITHDRAWN)
    assert longest.startswith("~")
    assert len(longest) <= 64
    states = (READ, DISMISSED, WITHDRAWN)
    assert len({receipt_id(i, o, s) for i in ("a", "b") for o in (1, 2) for s in states}) == 12


async def _about(bench: Bench) -> list[tuple[str, int, State]]:
    events = [event_pb2.Event.FromString(e.data) for e in await read_all(bench.engine, TOPIC)]
    receipts = [e.content.receipt for e in events if e.content.HasField("receipt")]
    return [(receipt.event_id, receipt.offset, receipt.state) for receipt in receipts]


async def test_two_publishers_may_use_one_id(bench: Bench) -> None:
    """Each withdraws its own, and devices can tell by the offset which one it was."""
    await bench.publish("n1", publisher="p2")
    await bench.publish("n1", publisher="p1")
    for publisher in ("p1", "p2", "p1"):
        await bench.say(("n1", WITHDRAWN), publisher=publisher, event_publisher=publisher)
    assert [e.withdrawn for e in await read_all(bench.engine, TOPIC)] == [True, True, False, False]
    assert await _about(bench) == [("n1", 2, WITHDRAWN), ("n1", 1, WITHDRAWN)]


async def test_an_id_alone_means_all_events_that_have_it(bench: Bench) -> None:
    await bench.publish("n1", publisher="p2")
    await bench.publish("n1", publisher="p1")
    await bench.say(("n1", READ), offset=2)
    (both,) = stored(await bench.say(("n1", READ)))
    assert not both.duplicate, "one of them is new"
    await bench.say(("n1", DISMISSED), event_publisher="p1")
    assert await _about(bench) == [("n1", 2, READ), ("n1", 1, READ), ("n1", 2, DISMISSED)]
    (again,) = stored(await bench.say(("n1", READ)))
    assert again.duplicate
    for wrong in (
        await bench.say(("n1", READ), offset=3),
        await bench.say(("n1", READ), offset=1, event_publisher="p1"),
    ):
        assert isinstance(wrong[0], HubError)


async def test_receipts_push_no_unread_notification_out(bench: Bench) -> None:
    """E4: an inbox has room for the promised notifications and all that is said of them."""
    names = [f"n{number}" for number in range(INBOX.max_events)]
    for start in range(0, len(names), 250):
        await bench.publish(*names[start : start + 250])
    for state in (READ, DISMISSED):
        # From the newest on: the oldest, which nobody has read, would go first.
        for start in range(0, len(names) - 1, 250):
            marks = [(name, state) for name in names[:0:-1][start : start + 250]]
            assert all(isinstance(result, Stored) for result in await bench.say(*marks))
    await bench.say(("n7", WITHDRAWN))
    (oldest,) = await bench.say(("n0", READ))
    assert isinstance(oldest, Stored), "still there, for a new device too"
