"""G1: what was acknowledged survives kill -9, and a judge that would notice if it did not."""

from __future__ import annotations

import sqlite3
from typing import TYPE_CHECKING

import pytest

from tests.unit.engine.sqlite.crash import judge, kill_rounds

if TYPE_CHECKING:
    from pathlib import Path


def test_nothing_acknowledged_is_lost_by_kill_9(tmp_path: Path) -> None:
    acknowledged = kill_rounds(tmp_path / "data", rounds=3, seed=20)
    assert acknowledged.answers >= 600
    assert len(acknowledged.last) == 64


def test_the_judge_notices_a_lost_a_doubled_and_a_moved_event(tmp_path: Path) -> None:
    data = tmp_path / "data"
    acknowledged = kill_rounds(data, rounds=1, seed=1)
    (topic, _), offset = next(iter(acknowledged.offset_of.items()))
    harms = [
        "DELETE FROM event",
        "UPDATE event SET event_id = '0-1'",
        "UPDATE event SET offset = -offset",
    ]
    place = "WHERE topic_id = (SELECT id FROM topic WHERE name = ?) AND offset = ?"
    for harm in harms:
        for path in sorted(data.glob("*.db")):
            connection = sqlite3.connect(path)
            if connection.execute("SELECT 1 FROM topic WHERE name = ?", (topic,)).fetchone():
                break
            connection.close()
        backup = sqlite3.connect(":memory:")
        connection.backup(backup)
        connection.execute(f"{harm} {place}", (topic, offset))
        connection.commit()
        with pytest.raises(AssertionError):
            judge(data, acknowledged, {})
        backup.backup(connection)
        connection.close()
        backup.close()
    judge(data, acknowledged, {})
