"""The file of the durable outbox."""

from __future__ import annotations

import sqlite3
import stat
from typing import TYPE_CHECKING

import pytest

from shipspeak.realtime.v1 import event_pb2
from shipspeak_realtime import OutboxError, OutboxFullError, SqliteOutbox
from shipspeak_realtime.durable.lock import SenderLock
from shipspeak_realtime.durable.rows import NewRow
from shipspeak_realtime.durable.store import OutboxFile

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

NOW = 1_700_000_000.0


def row(number: int, topic: str = "meeting/1", size: int = 0) -> NewRow:
    draft = event_pb2.Draft(id=f"d{number}", topic=topic)
    return NewRow(draft.id, topic, draft.SerializeToString() + bytes(size), NOW + number, None)


@pytest.fixture
def file(tmp_path: Path) -> Iterator[OutboxFile]:
    opened = OutboxFile(tmp_path / "outbox.db", 100, 10_000)
    yield opened
    opened.close()


def test_drafts_wait_in_their_order_and_tell_whether_they_were_tried(file: OutboxFile) -> None:
    assert file.add([row(1), row(2), row(3)]) == [True] * 3
    first = file.take(0, 2, NOW + 10)
    assert [(r.id, r.first_sent_at) for r in first] == [("d1", None), ("d2", None)]
    again = file.take(0, 10, NOW + 20)
    assert [r.first_sent_at for r in again] == [NOW + 10, NOW + 10, None]
    assert [r.id for r in file.take(first[1].seq, 10, NOW)] == ["d3"]


def test_an_id_that_waits_is_kept_once(file: OutboxFile) -> None:
    assert file.add([row(1), row(1)]) == [True, True]
    assert file.state().waiting == 1


def test_bounds_count_what_is_in_the_file(tmp_path: Path) -> None:
    file = OutboxFile(tmp_path / "outbox.db", 2, 1_000)
    assert file.add([row(1, size=900), row(2, size=900), row(3)]) == [True, False, True]
    assert file.add([row(4)]) == [False]
    file.remove([r.seq for r in file.take(0, 10, NOW)])
    assert file.add([row(4)]) == [True]
    assert (file.state().waiting, file.state().oldest_at) == (1, NOW + 4)
    file.close()


def test_what_is_refused_stays_until_somebody_decides(file: OutboxFile) -> None:
    file.add([row(1), row(2), row(3)])
    file.refuse([(r.seq, "RIGHT_MISSING: no") for r in file.take(0, 2, NOW)], NOW + 9)
    assert [r.id for r in file.take(0, 10, NOW)] == ["d3"]
    assert [(r.draft.id, r.why, r.refused_at) for r in file.refused(10)] == [
        ("d1", "RIGHT_MISSING: no", NOW + 9),
        ("d2", "RIGHT_MISSING: no", NOW + 9),
    ]
    assert file.retry(["d1", "d3", "unknown"]) == 1
    # As one that was never sent: a hub that has forgotten its id would refuse it again.
    assert [(r.id, r.first_sent_at) for r in file.take(0, 10, NOW)] == [("d3", NOW), ("d1", None)]
    assert file.discard(["d1", "d2"]) == 1
    state = file.state()
    assert (state.waiting, state.refused) == (2, 0)


def test_what_was_refused_is_published_anew_under_its_id(file: OutboxFile) -> None:
    file.add([row(1)])
    [first] = file.take(0, 10, NOW)
    file.refuse([(first.seq, "RIGHT_MISSING: no")], NOW)
    assert file.add([row(1)]) == [True]
    assert [r.id for r in file.take(first.seq, 10, NOW)] == ["d1"]
    assert (file.state().waiting, file.state().refused) == (1, 0)


def test_one_holder_at_a_time_sends(tmp_path: Path) -> None:
    one, other = SenderLock(tmp_path / "outbox.db"), SenderLock(tmp_path / "outbox.db")
    assert one.take()
    assert one.take()
    assert not other.take()
    other.release()
    assert not other.take()
    one.release()
    assert other.take()
    other.release()


def test_another_database_is_no_outbox(tmp_path: Path) -> None:
    path = tmp_path / "other.db"
    with sqlite3.connect(path) as other:
        other.execute("CREATE TABLE theirs (x)")
    other.close()
    with pytest.raises(sqlite3.DatabaseError, match="no outbox"):
        OutboxFile(path, 10, 1_000)


async def test_a_file_that_cannot_be_used_is_a_typed_error(tmp_path: Path) -> None:
    outbox = SqliteOutbox(tmp_path / "nowhere" / "outbox.db")
    with pytest.raises(OutboxError) as failed:
        await outbox.open()
    assert failed.value.reason == "OUTBOX_FILE"
    with pytest.raises(OutboxError) as closed:
        await outbox.state()
    assert closed.value.reason == "OUTBOX_CLOSED"


def modes(folder: Path) -> set[int]:
    return {stat.S_IMODE(path.stat().st_mode) for path in folder.iterdir()}


async def test_the_file_is_its_owners_alone(tmp_path: Path) -> None:
    outbox = SqliteOutbox(tmp_path / "outbox.db", max_drafts=1)
    await outbox.open()
    await outbox.add(row(1))
    assert modes(tmp_path) == {0o600}
    with pytest.raises(OutboxFullError):
        await outbox.add(row(2))
    with pytest.raises(OutboxError) as twice:
        await outbox.open()
    assert twice.value.reason == "OUTBOX_IN_USE"
    await outbox.close()
    await outbox.close()
