"""Receipts of one shard: the writer looks at nothing but what has come since a reader's look."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from hub.engine.contract import AppendResult, Stored
from hub.engine.inbox import Noted
from hub.engine.sqlite.engine import wall_clock_ms
from hub.engine.sqlite.inbox import StoreReceipts
from hub.engine.sqlite.policy import Retention
from hub.engine.sqlite.removal import Purge
from hub.engine.sqlite.requests import Operate, Operated
from hub.engine.sqlite.spoken import BY_ID, COUNT, Spoken, look_for
from hub.errors import HubError
from hub.model.receipts import DISMISSED, READ, WITHDRAWN, Mark
from tests.unit.engine.sqlite.support import START_MS, TOPIC, PlainShard, draft, drafts

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from shipspeak.realtime.v1 import notification_pb2


@pytest.fixture
def shard(tmp_path: Path) -> Iterator[PlainShard]:
    made = PlainShard(tmp_path / "shard.db", lambda _: Retention(max_events=10_000))
    yield made
    made.close()


def _look(shard: PlainShard, *event_ids: str) -> Spoken:
    return look_for(shard.reader.connection, TOPIC, event_ids)


def _say(
    shard: PlainShard,
    spoken: Spoken,
    event_id: str,
    state: notification_pb2.ReceiptState.ValueType,
    publisher: str = "back-end",
) -> AppendResult:
    own = publisher if state == WITHDRAWN else ""
    mark = Mark(TOPIC, event_id, state, publisher, event_publisher=own)
    operation = StoreReceipts([mark], {(TOPIC, TOPIC): spoken}, lambda: START_MS)
    (answer,) = shard.writer.commit([Operate(operation)]).answers
    assert isinstance(answer, Operated)
    result: AppendResult = answer.value[0]
    return result


def test_a_long_log_costs_the_writer_nothing(shard: PlainShard) -> None:
    """No publisher of the shard waits for the walk, not even for an event that is not there."""
    shard.commit([draft(f"e{number}") for number in range(3_000)])
    steps = 0

    def count() -> None:
        nonlocal steps
        steps += 100

    for event_id in ("nope", "e7"):
        spoken = _look(shard, event_id)
        shard.connection.set_progress_handler(count, 100)
        _say(shard, spoken, event_id, WITHDRAWN)
        shard.connection.set_progress_handler(None, 100)
        assert steps < 3_000, "one step of the machine for each event would be more"


def test_what_has_come_since_the_look_counts(shard: PlainShard) -> None:
    shard.commit(drafts("a"))
    spoken = _look(shard, "a", "late")
    shard.commit(drafts("late"))
    first = _say(shard, spoken, "a", DISMISSED, "alice")
    assert first == Noted(shard.reader.head(TOPIC).epoch, 3, first=True)
    again = _say(shard, spoken, "a", READ, "root")
    assert isinstance(again, Stored)
    assert (again.offset, again.duplicate) == (3, True), "a state moves forward only"
    assert isinstance(_say(shard, spoken, "late", READ), Stored)


def test_what_was_removed_since_the_look_is_unknown(shard: PlainShard) -> None:
    shard.commit(drafts("a", "b"))
    spoken = _look(shard, "a", "never")
    shard.writer.commit([Operate(Purge(TOPIC, wall_clock_ms))])
    for event_id in ("a", "never"):
        refused = _say(shard, spoken, event_id, READ)
        assert isinstance(refused, HubError)
        assert refused.reason_name == "EVENT_UNKNOWN"


def test_a_topic_that_was_never_written_has_nothing(shard: PlainShard) -> None:
    refused = _say(shard, _look(shard, "a"), "a", READ)
    assert isinstance(refused, HubError)


def test_events_and_receipts_are_found_by_their_ids_without_a_walk(shard: PlainShard) -> None:
    """In a log of any length, by readers and by the writer."""
    shard.commit([draft(f"e{number}") for number in range(3_000)])
    _say(shard, _look(shard, "e7"), "e7", READ)
    plan = shard.connection.execute(f"EXPLAIN QUERY PLAN {BY_ID}", (1, 0, "[]")).fetchall()
    found = "SEARCH e USING INDEX event_by_id (topic_id=? AND event_id=?)"
    assert any(found in row[3] for row in plan), plan
    assert not any("SCAN e" in row[3] for row in plan), plan
    plan = shard.connection.execute(f"EXPLAIN QUERY PLAN {COUNT}", (1,)).fetchall()
    assert any("COVERING INDEX event_by_id" in row[3] for row in plan), plan
    steps = 0

    def count() -> None:
        nonlocal steps
        steps += 100

    reader = shard.reader.connection
    reader.set_progress_handler(count, 100)
    assert [one.offset for one in _look(shard, "e7", "nope").events] == [8]
    reader.set_progress_handler(None, 100)
    assert steps < 3_000, "one step of the machine for each event would be more"
