"""How far purges have reached: two of one topic side by side, and the drafts of an odd name."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hub.engine.schedule import ScheduledDraft
from hub.engine.sqlite.purges import note_purge, purged_ms, was_purged
from hub.engine.sqlite.requests import Operate, Operated
from hub.engine.sqlite.scheduled import AddScheduled, EraseScheduled
from tests.unit.engine.sqlite.support import START_MS, TOPIC, PlainShard, draft, drafts

if TYPE_CHECKING:
    from pathlib import Path


def test_a_note_that_comes_late_takes_nothing_back(tmp_path: Path) -> None:
    """The second note of the first purge, after the first of the second."""
    shard = PlainShard(tmp_path / "shard.db")
    shard.commit(drafts("a", "b", "c"))
    (topic_id,) = shard.connection.execute("SELECT id FROM topic").fetchone()
    note_purge(shard.connection, topic_id, 2, START_MS)
    note_purge(shard.connection, topic_id, 3, START_MS + 9)
    note_purge(shard.connection, topic_id, 2, START_MS + 5)
    assert purged_ms(shard.connection, topic_id, 3) == START_MS + 9
    assert was_purged(shard.connection, TOPIC, 3)
    assert not was_purged(shard.connection, TOPIC, 4)
    shard.close()


def test_a_user_without_a_topic_of_its_own_takes_no_draft_of_others(tmp_path: Path) -> None:
    """A name with a slash is no segment, so nothing below user/ is that user's."""
    shard = PlainShard(tmp_path / "shard.db")
    waiting = [
        ScheduledDraft(draft(f"d{number}", topic, publisher=publisher), START_MS + 1)
        for number, (topic, publisher) in enumerate(
            [
                ("user/ann", "news"),
                ("user/ann/b", "news"),
                ("user/ann/b", "ann/b"),
                ("/x", "odd"),
                ("", "odd"),
            ]
        )
    ]
    _run(shard, AddScheduled(waiting))
    assert _run(shard, EraseScheduled("ann/b", "", 10)) == 1
    assert _run(shard, EraseScheduled("ann/b", "user/ann/b", 10)) == 0, "no topic of its own"
    left = shard.connection.execute("SELECT topic, publisher FROM scheduled ORDER BY seq")
    assert left.fetchall() == [
        ("user/ann", "news"),
        ("user/ann/b", "news"),
        ("/x", "odd"),
        ("", "odd"),
    ]
    assert _run(shard, EraseScheduled("ann", "user/ann", 10)) == 2
    shard.close()


def _run(shard: PlainShard, operation: AddScheduled | EraseScheduled) -> object:
    (answer,) = shard.writer.commit([Operate(operation)]).answers
    assert isinstance(answer, Operated), answer
    return answer.value
