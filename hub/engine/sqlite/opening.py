"""Opens the shard files of a directory: lock, connection, schema, writer; all of them or none."""

from __future__ import annotations

import sqlite3
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING, Final

import structlog

from hub.engine.sqlite.database import CommitFailed, connect_writer
from hub.engine.sqlite.failures import shards_lost, start_failed
from hub.engine.sqlite.files import ShardFiles, ShardLock, prepare_directory
from hub.engine.sqlite.housekeeping import Housekeeper
from hub.engine.sqlite.schema import is_made, is_of_whole_store, note_whole_store, prepare
from hub.engine.sqlite.shard import Shard
from hub.engine.sqlite.thread import WriterThread
from hub.engine.sqlite.writer import ShardWriter

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Callable, Iterator
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
    accept_lost: bool = False,
    sized: bool = False,
) -> list[tuple[Shard, WriterThread]]:
    """Open all shards; their threads are not started. Blocks.

    With ``accept_lost`` empty files are made in place of those that the store has lost; with
    ``sized`` the bytes that they keep are counted.

    Raises:
        Unavailable: a shard is owned by another process, or its file is not the one that is meant,
            cannot be used or is lost.
    """
    try:
        prepare_directory(data_dir)
    except OSError as error:
        raise start_failed(data_dir, error) from error
    with ExitStack() as undo:
        files = _open_files(data_dir, shards, clock(), undo, accept_lost=accept_lost)
        opened = [
            _shard(
                index,
                *one,
                loop=loop,
                clock=clock,
                retention=retention,
                dedup_lifetime_ms=dedup_lifetime_ms,
                round_interval_s=round_interval_s,
                sized=sized,
            )
            for index, one in enumerate(files)
        ]
        undo.pop_all()
    return opened


def open_shard(
    data_dir: Path,
    index: int,
    shards: int,
    *,
    loop: asyncio.AbstractEventLoop,
    clock: Callable[[], int],
    retention: RetentionPolicy,
    dedup_lifetime_ms: int,
    round_interval_s: float,
    sized: bool = False,
) -> tuple[Shard, WriterThread]:
    """Open one shard of a store that ``check_store`` has found whole; as ``open_shards``."""
    names = ShardFiles(data_dir, index)
    with ExitStack() as undo, _telling(names.database, index):
        lock = ShardLock(names.lock, index)
        undo.callback(lock.release)
        if not names.database.exists():
            raise shards_lost(data_dir, [index], [names.database.name])
        connection = connect_writer(names.database)
        undo.callback(connection.close)
        if not is_made(connection):
            raise shards_lost(data_dir, [index], [names.database.name])
        prepare(connection, index, shards, clock())
        opened = _shard(
            index,
            names,
            lock,
            connection,
            loop=loop,
            clock=clock,
            retention=retention,
            dedup_lifetime_ms=dedup_lifetime_ms,
            round_interval_s=round_interval_s,
            sized=sized,
        )
        undo.pop_all()
    return opened


def check_store(data_dir: Path, shards: int, now_ms: int, *, accept_lost: bool = False) -> None:
    """Make the files of a new store, or check those of one that is there; then let go of them.

    Blocks. Raises as ``open_shards``.
    """
    try:
        prepare_directory(data_dir)
    except OSError as error:
        raise start_failed(data_dir, error) from error
    with ExitStack() as undo:
        _open_files(data_dir, shards, now_ms, undo, accept_lost=accept_lost)


def _shard(
    index: int,
    names: ShardFiles,
    lock: ShardLock,
    connection: sqlite3.Connection,
    *,
    loop: asyncio.AbstractEventLoop,
    clock: Callable[[], int],
    retention: RetentionPolicy,
    dedup_lifetime_ms: int,
    round_interval_s: float,
    sized: bool,
) -> tuple[Shard, WriterThread]:
    writer = ShardWriter(connection, index, dedup_lifetime_ms)
    if sized:
        with _telling(names.database, index):
            writer.sizes.watch(connection)
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
    return shard, thread


def _open_files(
    data_dir: Path, shards: int, now_ms: int, undo: ExitStack, *, accept_lost: bool
) -> list[tuple[ShardFiles, ShardLock, sqlite3.Connection]]:
    """Lock and connect each shard; what is there first, to see whether something is lost."""
    files = [ShardFiles(data_dir, index) for index in range(shards)]
    opened: dict[int, tuple[ShardFiles, ShardLock, sqlite3.Connection]] = {}

    def connect(index: int) -> sqlite3.Connection:
        names = files[index]
        lock = ShardLock(names.lock, index)
        undo.callback(lock.release)
        connection = connect_writer(names.database)
        undo.callback(connection.close)
        opened[index] = (names, lock, connection)
        return connection

    missing: list[int] = []
    for index, names in enumerate(files):
        # An empty file is as good as none, and so is one whose log was lost with its tables.
        with _telling(names.database, index):
            if (
                names.database.exists()
                and names.database.stat().st_size
                and is_made(connect(index))
            ):
                prepare(opened[index][2], index, shards, now_ms)
            else:
                missing.append(index)
    whole = any(is_of_whole_store(opened[index][2]) for index in opened if index not in missing)
    if missing and whole:
        lost = [files[index].database.name for index in missing]
        if not accept_lost:
            raise shards_lost(data_dir, missing, lost)
        _logger.warning("lost_shards_accepted", data_dir=str(data_dir), made_empty=lost)
    for index in missing:
        with _telling(files[index].database, index):
            connection = opened[index][2] if index in opened else connect(index)
            prepare(connection, index, shards, now_ms)
    for index, (names, _, connection) in opened.items():
        with _telling(names.database, index):
            if not is_of_whole_store(connection):
                note_whole_store(connection, now_ms)
    return [opened[index] for index in range(shards)]


@contextmanager
def _telling(path: Path, shard: int) -> Iterator[None]:
    """What the system says of a file becomes the refusal that names it."""
    try:
        yield
    except (OSError, sqlite3.Error, CommitFailed) as error:
        raise start_failed(path, error, shard) from error
