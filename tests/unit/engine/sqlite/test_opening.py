"""A store that cannot be opened says which file it is and what an operator does about it."""

from __future__ import annotations

import sqlite3
from typing import TYPE_CHECKING

import pytest

from hub.engine.contract import Stored
from hub.engine.sqlite import SqliteEngine
from hub.errors import Unavailable
from shipspeak.realtime.v1 import error_reason_pb2
from tests.unit.engine.sqlite.support import draft

if TYPE_CHECKING:
    from pathlib import Path

LOST = "shard-001.db"


async def start_and_stop(directory: Path, *, accept_lost_shards: bool = False) -> None:
    engine = SqliteEngine(directory, shards=3, accept_lost_shards=accept_lost_shards)
    await engine.start()
    await engine.stop()


async def refusal(directory: Path) -> Unavailable:
    with pytest.raises(Unavailable) as caught:
        await start_and_stop(directory)
    assert caught.value.reason == error_reason_pb2.ERROR_REASON_STORAGE_FAILED
    return caught.value


def lose(directory: Path, name: str = LOST) -> None:
    for path in directory.glob(f"{name}*"):
        path.unlink()


@pytest.mark.parametrize("shard", [1, 2])
async def test_a_broken_file_is_named_with_an_operators_remedy(tmp_path: Path, shard: int) -> None:
    await start_and_stop(tmp_path)
    path = tmp_path / f"shard-{shard:03d}.db"
    with path.open("r+b") as file:
        file.write(b"\xff" * 4096)
    error = await refusal(tmp_path)
    assert str(path) in error.message
    assert "backup" in error.message
    assert "accept-lost-shards" in error.message
    assert "same id" not in error.message
    assert error.metadata["shard"] == str(shard)


async def test_a_database_that_is_no_shard_is_refused(tmp_path: Path) -> None:
    await start_and_stop(tmp_path)
    lose(tmp_path)
    connection = sqlite3.connect(tmp_path / LOST)
    connection.execute("CREATE TABLE meta (key TEXT, value INTEGER)")
    connection.close()
    assert str(tmp_path / LOST) in (await refusal(tmp_path)).message


async def test_a_folder_below_a_file_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("no folder")
    error = await refusal(tmp_path / "file" / "data")
    assert str(tmp_path / "file" / "data") in error.message
    assert "shard 0" not in error.message
    assert "same id" not in error.message


async def test_a_lost_file_is_not_replaced_unasked(tmp_path: Path) -> None:
    await start_and_stop(tmp_path)
    lose(tmp_path)
    for _ in range(2):
        error = await refusal(tmp_path)
        assert LOST in error.message
        assert "accept-lost-shards" in error.message
        assert not (tmp_path / LOST).exists()


async def test_a_file_cut_to_nothing_is_lost_too(tmp_path: Path) -> None:
    await start_and_stop(tmp_path)
    (tmp_path / LOST).write_bytes(b"")
    assert LOST in (await refusal(tmp_path)).message


async def test_a_file_without_its_log_is_lost_too(tmp_path: Path) -> None:
    """What a killed hub had stored since its start may all be in the log beside the file."""
    await start_and_stop(tmp_path)
    lose(tmp_path)
    connection = sqlite3.connect(tmp_path / LOST)
    connection.execute("PRAGMA journal_mode=WAL")
    connection.close()
    assert (tmp_path / LOST).stat().st_size > 0
    assert LOST in (await refusal(tmp_path)).message


async def test_an_accepted_loss_goes_on_and_is_accepted_once(tmp_path: Path) -> None:
    await start_and_stop(tmp_path)
    lose(tmp_path)
    await start_and_stop(tmp_path, accept_lost_shards=True)
    await start_and_stop(tmp_path)
    lose(tmp_path, "shard-002.db")
    assert "shard-002.db" in (await refusal(tmp_path)).message


async def test_a_first_start_that_was_cut_short_has_lost_nothing(tmp_path: Path) -> None:
    """Only a store that was whole once can have lost a file."""
    blocked = tmp_path / "shard-002.lock"
    blocked.mkdir()
    await refusal(tmp_path)
    assert (tmp_path / "shard-000.db").exists()
    blocked.rmdir()
    engine = SqliteEngine(tmp_path, shards=3)
    await engine.start()
    (result,) = await engine.publish([draft("a")])
    assert isinstance(result, Stored)
    await engine.stop()
