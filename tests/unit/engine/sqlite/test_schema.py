"""Files and directories that are not the ones meant are refused with the reason."""

from __future__ import annotations

import contextlib
import fcntl
import os
import sqlite3
from pathlib import Path

import pytest

from hub.engine.sqlite import SqliteEngine
from hub.engine.sqlite.files import file_system, refuse_network
from hub.errors import Unavailable
from shipspeak.realtime.v1 import error_reason_pb2
from tests.unit.engine.sqlite.support import PlainShard, drafts

STORAGE = error_reason_pb2.ERROR_REASON_STORAGE_FAILED
SHARD = error_reason_pb2.ERROR_REASON_SHARD_UNAVAILABLE


async def make(directory: Path, shards: int = 4) -> None:
    engine = SqliteEngine(directory, shards=shards)
    await engine.start()
    await engine.stop()


def set_meta(path: Path, key: str, value: int) -> None:
    with sqlite3.connect(path) as connection:
        connection.execute("UPDATE meta SET value = ? WHERE key = ?", (value, key))
    connection.close()


@pytest.mark.parametrize("shards", [1, 8])
async def test_another_number_of_shards_is_refused(tmp_path: Path, shards: int) -> None:
    await make(tmp_path, 4)
    with pytest.raises(Unavailable, match="--shards 4") as caught:
        await make(tmp_path, shards)
    assert caught.value.reason == STORAGE
    assert not (tmp_path / "shard-004.db").exists()
    await make(tmp_path, 4)


async def test_a_newer_schema_is_refused(tmp_path: Path) -> None:
    await make(tmp_path)
    set_meta(tmp_path / "shard-002.db", "schema", 99)
    with pytest.raises(Unavailable, match="schema 99") as caught:
        await make(tmp_path)
    assert caught.value.metadata["shard"] == "2"


WORK = ("work", "work_open", "work_dead", "work_publishing", "work_replayed")


def test_a_file_of_an_older_hub_gets_the_tables_that_have_come_since(tmp_path: Path) -> None:
    path = tmp_path / "shard-000.db"
    with contextlib.closing(PlainShard(path)) as shard:
        shard.commit(drafts("a", "b"))
        for table in ("scheduled", "purge", *WORK):
            shard.connection.execute(f"DROP TABLE {table}")
        shard.connection.execute("DROP INDEX event_by_id")
        shard.connection.execute("CREATE INDEX event_receipt ON event (topic_id, event_id)")
    set_meta(path, "schema", 1)

    with contextlib.closing(PlainShard(path)) as shard:
        assert shard.events() == [(1, "a"), (2, "b")]
        assert shard.commit(drafts("b", "c")).stored == 1
        assert not any(shard.count(table) for table in ("scheduled", "purge", *WORK))
        indexes = shard.connection.execute("SELECT name FROM sqlite_master WHERE type = 'index'")
        names = {row[0] for row in indexes}
        assert {"scheduled_id", "scheduled_due", "event_offset", "event_by_id"} <= names
        assert "event_receipt" not in names


async def test_a_renamed_file_is_refused(tmp_path: Path) -> None:
    await make(tmp_path)
    (tmp_path / "shard-001.db").replace(tmp_path / "shard-003.db")
    with pytest.raises(Unavailable, match="belongs to shard 1"):
        await make(tmp_path)


async def test_a_file_that_is_no_database_is_refused(tmp_path: Path) -> None:
    (tmp_path / "shard-000.db").write_bytes(b"not a database" * 100)
    with pytest.raises(Unavailable) as caught:
        await make(tmp_path)
    assert caught.value.reason == STORAGE


async def test_the_directory_is_for_its_user_alone(tmp_path: Path) -> None:
    await make(tmp_path / "new" / "data")
    assert (tmp_path / "new" / "data").stat().st_mode & 0o777 == 0o700


async def test_a_second_owner_is_refused_and_told_what_to_do(tmp_path: Path) -> None:
    engine = SqliteEngine(tmp_path)
    await engine.start()
    with pytest.raises(Unavailable, match=f"pid {os.getpid()}.*stop that hub") as caught:
        await make(tmp_path)
    assert caught.value.reason == SHARD
    await engine.stop()
    await make(tmp_path)


async def test_a_refused_start_keeps_no_lock(tmp_path: Path) -> None:
    await make(tmp_path)
    with (tmp_path / "shard-003.lock").open() as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        with pytest.raises(Unavailable):
            await make(tmp_path)
    await make(tmp_path)


MOUNTS = """\
/dev/vda / ext4 rw 0 0
tmpfs /run tmpfs rw 0 0
host:/export /srv/data nfs4 rw 0 0
/dev/vdb /srv/data/local xfs rw 0 0
host:/a /mnt/with\\040space nfs rw 0 0
"""


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("/var/lib/hub", "ext4"),
        ("/run/hub", "tmpfs"),
        ("/runner", "ext4"),
        ("/srv/data/hub", "nfs4"),
        ("/srv/data", "nfs4"),
        ("/srv/data/local/hub", "xfs"),
        ("/mnt/with space/hub", "nfs"),
    ],
)
def test_the_file_system_of_a_path(path: str, kind: str) -> None:
    assert file_system(Path(path), MOUNTS) == kind


def test_a_network_file_system_is_refused(tmp_path: Path) -> None:
    mounts = f"{MOUNTS}server:/x {tmp_path.resolve()} nfs rw 0 0\n"
    with pytest.raises(Unavailable, match="local disk") as caught:
        refuse_network(tmp_path, mounts)
    assert caught.value.reason == SHARD
