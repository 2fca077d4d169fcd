"""The bytes that each namespace keeps: as the files say, whatever was stored, trimmed or undone."""

from __future__ import annotations

import sqlite3
from typing import TYPE_CHECKING

import pytest

from hub.engine.sqlite import Retention, SqliteEngine, SqliteSteward
from hub.model.events import Append
from tests.contract.engine.harness import ManualClock
from tests.support.until import until

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

KEPT = 5


def _engine(folder: Path, *, sized: bool = True) -> SqliteEngine:
    return SqliteEngine(
        folder,
        shards=2,
        clock=ManualClock(),
        retention=lambda _topic: Retention(KEPT),
        round_interval_s=0.02,
        sized=sized,
    )


@pytest.fixture
async def engine(tmp_path: Path) -> AsyncIterator[SqliteEngine]:
    made = _engine(tmp_path)
    await made.start()
    yield made
    await made.stop()


def _append(topic: str, number: int, size: int) -> Append:
    return Append(
        topic=topic,
        event_id=f"e{number}",
        publisher="p",
        body=bytes([1]) * size,
        priority=3,
        key="",
        published_ms=ManualClock()(),
    )


def _in_files(folder: Path, namespace: str) -> int:
    total = 0
    for file in folder.glob("*.db"):
        with sqlite3.connect(file) as connection:
            (found,) = connection.execute(
                "SELECT coalesce(sum(length(body)), 0) FROM event JOIN topic "
                "ON topic.id = event.topic_id WHERE name LIKE ?",
                (f"{namespace}/%",),
            ).fetchone()
        total += found
    return total


async def test_what_is_stored_and_taken_out_is_counted(engine: SqliteEngine) -> None:
    await engine.publish([_append(f"meeting/{n}", n, 100) for n in range(8)])
    await engine.publish([_append("user/alice", n, 7) for n in range(2)])
    assert engine.stored_bytes("meeting") == 800
    assert engine.stored_bytes("user") == 14
    # A repeat stores nothing.
    await engine.publish([_append("meeting/0", 0, 100)])
    assert engine.stored_bytes("meeting") == 800
    steward = SqliteSteward(engine)
    assert await steward.withdraw("meeting/1", "e1", 0, "")
    assert engine.stored_bytes("meeting") == 700
    await steward.purge("meeting/2")
    assert engine.stored_bytes("meeting") == 600
    assert engine.stored_bytes("practice") == 0


async def test_retention_makes_room_and_a_restart_counts_again(tmp_path: Path) -> None:
    engine = _engine(tmp_path)
    await engine.start()
    for number in range(40):
        await engine.publish([_append("meeting/1", number, 10)])
    await until(lambda: engine.stored_bytes("meeting") <= 2 * KEPT * 10)
    await engine.stop()
    kept = _in_files(tmp_path, "meeting")
    assert kept > 0
    again = _engine(tmp_path)
    await again.start()
    assert again.stored_bytes("meeting") == kept
    await again.stop()


async def test_nobody_pays_who_has_no_limit(tmp_path: Path) -> None:
    engine = _engine(tmp_path, sized=False)
    await engine.start()
    await engine.publish([_append("meeting/1", 1, 10)])
    assert engine.stored_bytes("meeting") == 0
    await engine.stop()
