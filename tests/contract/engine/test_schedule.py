"""The schedule: durable without an offset, released once when due, taken back before that."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from unittest.mock import patch

import pytest

from hub.engine.contract import Stored
from hub.engine.schedule import Scheduled, ScheduledDraft
from hub.engine.sqlite import SqliteEngine, SqliteSchedule, scheduled
from hub.engine.sqlite.requests import LIGHT
from hub.errors import HubError
from shipspeak.realtime.v1 import event_pb2
from tests.contract.engine.harness import (
    START_MS,
    TOPIC,
    RecordingFeed,
    Store,
    offsets,
    read_all,
    sqlite_maker,
    steward_of,
)

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from hub.engine.sqlite.operation import Work

HOUR_MS = 3_600_000


class Hub:
    """An engine with its schedule on one store."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self.clock = store.clock

    async def open(self) -> None:
        engine = await self.store.open()
        assert isinstance(engine, SqliteEngine)
        self.engine = engine
        self.schedule = SqliteSchedule(engine, self.clock)
        self.schedule.start()

    async def close(self) -> None:
        await self.schedule.stop()
        await self.store.close()

    def draft(
        self, event_id: str, after_ms: int, topic: str = TOPIC, **fields: object
    ) -> ScheduledDraft:
        return ScheduledDraft(
            self.store.draft(event_id, topic, **fields), self.clock.now_ms + after_ms
        )

    async def keep(self, *drafts: ScheduledDraft) -> list[object]:
        return list(await self.schedule.schedule(drafts))

    async def pass_time(self, ms: int) -> None:
        self.clock.now_ms += ms
        self.schedule.wake()


@pytest.fixture
async def hub(tmp_path: Path) -> AsyncIterator[Hub]:
    made = Hub(Store(sqlite_maker(tmp_path)))
    await made.open()
    yield made
    await made.close()


async def test_a_draft_has_no_offset_until_it_is_due(hub: Hub) -> None:
    """E5, 6.10: released in the order of their times, with the time of release."""
    feed = RecordingFeed()
    await hub.engine.open(TOPIC, feed)
    assert await hub.keep(
        hub.draft("late", 2 * HOUR_MS), hub.draft("soon", HOUR_MS, body=_body("soon"))
    ) == [Scheduled(), Scheduled()]
    assert offsets(await hub.engine.publish([hub.store.draft("now")])) == [1]
    await hub.pass_time(HOUR_MS - 1)
    await hub.engine.head(TOPIC)
    assert feed.ids == ["now"]

    await hub.pass_time(1)
    await feed.until(lambda seen: seen.ids == ["now", "soon"])
    released = event_pb2.Event.FromString(feed.events[1].data)
    assert (released.offset, released.id) == (2, "soon")
    assert released.published_at.ToMilliseconds() == START_MS + HOUR_MS
    assert feed.events[1].published_ms == START_MS + HOUR_MS
    assert not await hub.schedule.cancel(TOPIC, "back-end", "soon")
    await hub.pass_time(HOUR_MS)
    await feed.until(lambda seen: seen.ids == ["now", "soon", "late"])


async def test_what_is_released_is_no_older_than_what_was_called_complete(hub: Hub) -> None:
    """G11: heartbeats go out between the look for what is due and its place in the queue."""
    feed = RecordingFeed()
    await hub.engine.open(TOPIC, feed)
    await hub.keep(hub.draft("soon", HOUR_MS))
    claims, look = [], hub.engine.look

    async def slowly(*args: Any) -> Any:
        found = await look(*args)
        if not feed.events:
            hub.clock.now_ms += 1_000
            claims.append(hub.engine.complete_as_of_ms())
        return found

    with patch.object(hub.engine, "look", slowly):
        await hub.pass_time(HOUR_MS)
        await feed.until(lambda seen: seen.ids == ["soon"])
    assert feed.events[0].published_ms >= max(claims)


async def test_a_repeat_is_told_what_became_of_the_first(hub: Hub) -> None:
    """E5: while it waits, and after its release."""
    feed = RecordingFeed()
    await hub.engine.open(TOPIC, feed)
    await hub.keep(hub.draft("a", HOUR_MS))
    assert await hub.keep(hub.draft("a", 2 * HOUR_MS)) == [Scheduled(duplicate=True)]
    assert await hub.keep(hub.draft("a", HOUR_MS, publisher="another")) == [Scheduled()]
    await hub.pass_time(HOUR_MS)
    await feed.until(lambda seen: len(seen.events) == 2)
    (again,) = await hub.keep(hub.draft("a", HOUR_MS))
    assert isinstance(again, Stored)
    assert (again.offset, again.duplicate) == (1, True)


async def test_a_draft_published_before_it_is_due_is_stored_once(hub: Hub) -> None:
    feed = RecordingFeed()
    await hub.engine.open(TOPIC, feed)
    await hub.keep(hub.draft("a", HOUR_MS), hub.draft("b", HOUR_MS))
    assert offsets(await hub.engine.publish([hub.store.draft("a")])) == [1]
    assert not await hub.schedule.cancel(TOPIC, "back-end", "a"), "published: none waits any more"
    await hub.pass_time(HOUR_MS)
    await feed.until(lambda seen: "b" in seen.ids)
    assert feed.ids == ["a", "b"]


@pytest.mark.parametrize("kept", ["kept", "trimmed"])
async def test_it_is_stored_once_also_when_its_id_was_forgotten(hub: Hub, kept: str) -> None:
    """G4: ids are remembered for a minute, and drafts wait for up to a year."""
    hub.store.lifetime_s = 60.0
    await hub.close()
    await hub.open()
    feed = RecordingFeed()
    await hub.engine.open(TOPIC, feed)
    await hub.keep(hub.draft("a", HOUR_MS), hub.draft("b", HOUR_MS, publisher="another"))
    # Restarted: that drafts wait is known from the store.
    await hub.close()
    await hub.open()
    await hub.engine.open(TOPIC, feed)
    now = [hub.store.draft("a"), hub.store.draft("b"), hub.store.draft("a", "meeting/other")]
    assert offsets(await hub.engine.publish(now)) == [1, 2, 1]
    if kept == "trimmed":
        await steward_of(hub.engine).purge(TOPIC)
    await hub.keep(hub.draft("last", HOUR_MS))
    await _forget_ids(hub)
    await hub.pass_time(HOUR_MS)
    await feed.until(lambda seen: "last" in seen.ids)
    assert feed.ids == ["a", "b", "b", "last"], "the ids of another publisher are its own"


async def test_what_is_refused_leaves_the_draft_waiting(hub: Hub) -> None:
    """Nothing of a group was stored: the draft still comes when it is due."""
    feed = RecordingFeed()
    await hub.engine.open(TOPIC, feed)
    await hub.keep(hub.draft("a", HOUR_MS))
    group = [hub.store.draft("a", group=1), hub.store.draft("x", group=1, expected_offset=7)]
    results = await hub.engine.publish(group)
    assert isinstance(results[1], HubError)
    await hub.pass_time(HOUR_MS)
    await feed.until(lambda seen: seen.ids == ["a"])


async def test_only_its_publisher_takes_a_draft_back(hub: Hub) -> None:
    await hub.keep(hub.draft("a", HOUR_MS))
    assert not await hub.schedule.cancel(TOPIC, "another", "a")
    assert not await hub.schedule.cancel("meeting/other", "back-end", "a")
    assert await hub.schedule.cancel(TOPIC, "back-end", "a")
    assert not await hub.schedule.cancel(TOPIC, "back-end", "a")
    feed = RecordingFeed()
    await hub.engine.open(TOPIC, feed)
    await hub.keep(hub.draft("b", HOUR_MS))
    await hub.pass_time(HOUR_MS)
    await feed.until(lambda seen: seen.ids == ["b"])


async def test_what_fell_due_while_the_hub_was_away_comes_at_once(hub: Hub) -> None:
    """Late after downtime: also what has expired meanwhile, for the readers to count."""
    await hub.keep(
        hub.draft("a", HOUR_MS), hub.draft("x", HOUR_MS, expires_ms=START_MS + 2 * HOUR_MS)
    )
    await hub.close()
    hub.clock.now_ms += 5 * HOUR_MS
    await hub.open()
    feed = RecordingFeed()
    head = await hub.engine.open(TOPIC, feed)
    await feed.until(lambda seen: head.head + len(seen.events) == 2)
    events = await read_all(hub.engine)
    assert [(e.offset, e.event_id, e.expires_ms) for e in events] == [
        (1, "a", 0),
        (2, "x", START_MS + 2 * HOUR_MS),
    ]


async def test_a_sleeper_wakes_by_itself_when_the_next_is_due(hub: Hub) -> None:
    """No poll: the loop's own timer, set for the earliest draft."""
    feed = RecordingFeed()
    await hub.engine.open(TOPIC, feed)
    await hub.keep(hub.draft("later", HOUR_MS))
    await hub.keep(hub.draft("soon", 50))
    # The clock stands: the timer finds the draft not due and sleeps again, until time moves.
    hub.clock.now_ms += 50
    await feed.until(lambda seen: seen.ids == ["soon"])


async def test_many_are_released_in_parts(hub: Hub) -> None:
    feed = RecordingFeed()
    await hub.engine.open(TOPIC, feed)
    count = 2 * scheduled.MAX_RELEASED + 1
    await hub.keep(*(hub.draft(f"{n}", HOUR_MS + n) for n in range(count)))
    await hub.pass_time(2 * HOUR_MS)
    await feed.until(lambda seen: len(seen.events) == count)
    assert feed.ids == [f"{n}" for n in range(count)]


async def test_a_full_schedule_refuses(hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scheduled, "MAX_SCHEDULED", 2)
    kept = await hub.keep(*(hub.draft(f"{n}", HOUR_MS) for n in range(3)))
    assert kept[:2] == [Scheduled(), Scheduled()]
    assert isinstance(kept[2], HubError)
    assert kept[2].reason_name == "SCHEDULE_LIMIT"


async def test_erasing_a_user_takes_what_was_still_to_come(hub: Hub) -> None:
    await hub.keep(
        hub.draft("a", HOUR_MS, publisher="alice"),
        hub.draft("b", HOUR_MS, "user/alice"),
        hub.draft("c", HOUR_MS, "user/alice/more"),
        hub.draft("d", HOUR_MS, "user/alicent"),
    )
    assert await steward_of(hub.engine).erase("alice") == 3
    assert await hub.schedule.cancel("user/alicent", "back-end", "d")


async def test_a_user_whose_name_is_no_segment_owns_no_topic(hub: Hub) -> None:
    await hub.keep(hub.draft("a", HOUR_MS, "user/alice/more"))
    assert await steward_of(hub.engine).erase("alice/more") == 0
    assert await hub.schedule.cancel("user/alice/more", "back-end", "a")


async def _forget_ids(hub: Hub) -> None:
    """Forget all ids, as the housekeeper does once their lifetime is over."""
    await hub.engine.operate(hub.engine.shard_of(TOPIC), _ForgetIds())


class _ForgetIds:
    topics = ()
    weight = LIGHT

    def run(self, work: Work) -> None:
        work.connection.execute("DELETE FROM dedup")


def _body(event_id: str) -> bytes:
    return event_pb2.Event(id=event_id).SerializeToString()
