"""Drafts for later that are published before their time leave with that commit."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from hub.engine.schedule import ScheduledDraft
from hub.engine.sqlite.requests import Operate
from hub.engine.sqlite.scheduled import AddScheduled, Release, due_drafts
from hub.engine.sqlite.storing import TAKE_BACK
from tests.unit.engine.sqlite.support import START_MS, TOPIC, PlainShard, draft

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def shard(tmp_path: Path) -> Iterator[PlainShard]:
    made = PlainShard(tmp_path / "shard.db")
    yield made
    made.close()


def test_they_leave_with_the_commit_or_not_at_all(shard: PlainShard) -> None:
    names = ("a", "b")
    later = AddScheduled([ScheduledDraft(draft(name), START_MS) for name in names])
    shard.writer.commit([Operate(later)])
    shard.connection.fail = "lost"
    shard.commit([draft("a")])
    assert (shard.count("scheduled"), shard.events()) == (2, [])
    shard.commit([draft("a")])
    assert (shard.count("scheduled"), shard.events()) == (1, [(1, "a")])
    due = due_drafts(shard.connection, START_MS)
    shard.connection.fail = "lost"
    shard.writer.commit([Operate(Release(due, lambda: START_MS))])
    assert shard.count("scheduled") == 1
    shard.commit([draft("b")])
    assert (shard.count("scheduled"), shard.events()) == (0, [(1, "a"), (2, "b")])


def test_the_many_that_wait_are_not_walked(shard: PlainShard) -> None:
    """Each commit asks: by the index, however many there are."""
    statement = TAKE_BACK.replace("{rows}", "(?,?,?),(?,?,?)")
    keys = [TOPIC, "back-end", "a"] * 2
    plan = shard.connection.execute(f"EXPLAIN QUERY PLAN {statement}", keys).fetchall()
    assert any("USING COVERING INDEX scheduled_id" in row[3] for row in plan), plan
    assert not [row for row in plan if row[3].startswith(("SCAN scheduled", "SCAN s "))], plan
