"""Opens the shard files of a directory: lock, connection, schema, writer; all of them or none."""

from __future__ import annotations

from contextlib import ExitStack
from typing import TYPE_CHECKING, Final

import structlog

from hub.engine.sqlite.database import connect_writer
from hub.engine.sqlite.files import ShardFiles, ShardLock, prepare_directory
from hub.engine.sqlite.housekeeping import Housekeeper
from hub.engine.sqlite.schema import prepare
from hub.engine.sqlite.shard import Shard
from hub.engine.sqlite.thread import WriterThread
from hub.engine.sqlite.writer import ShardWriter

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Callable
    from pathlib import Path

    from hub.engine.sqlite.policy import RetentionPolicy

_logger: Final = structlog.get_logger(__name__)


def open_shards(
    data_dir: Path,
    shards: int,
    *,
    loop: asyncio.AbstractEventLoop,
    clock: Callable[[], int],
    retention: RetentionPolicy,
    dedup_lifetime_ms: int,
    round_interval_s: float,
) -> list[tuple[Shard, WriterThread]]:
    """Open all shards; their threads are not started. Blocks.

    Raises:
        Unavailable: a shard is owned by another process, or its file is not the one that is meant.
        OSError, sqlite3.Error: the directory or a file cannot be used.
    """
    prepare_directory(data_dir)
    opened: list[tuple[Shard, WriterThread]] = []
    files = [ShardFiles(data_dir, index) for index in range(shards)]
    existing = [one.database.exists() for one in files]
    if any(existing) and not all(existing):
        # A first start that was cut short, or a lost file: its topics get new epochs and readers
        # RESET.
        missing = [one.database.name for one in files if not one.database.exists()]
        _logger.warning("shard_files_missing", data_dir=str(data_dir), missing=missing)
    with ExitStack() as undo:
        for index, names in enumerate(files):
            lock = ShardLock(names.lock, index)
            undo.callback(lock.release)
            connection = connect_writer(names.database)
            undo.callback(connection.close)
            prepare(connection, index, shards, clock())
            writer = ShardWriter(connection, index, dedup_lifetime_ms)
            housekeeper = Housekeeper(writer, retention, dedup_lifetime_ms)
            shard = Shard(index, names, lock)
            thread = WriterThread(
                index,
                writer,
                housekeeper,
                shard,
                loop=loop,
                clock=clock,
                round_interval_s=round_interval_s,
            )
            opened.append((shard, thread))
        undo.pop_all()
    return opened
