"""Connections to a shard file, and transactions on them."""

from __future__ import annotations

import sqlite3
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

JOURNAL_SIZE_LIMIT: Final = 64 * 1024 * 1024
BUSY_TIMEOUT_MS: Final = 5_000


def connect_writer(
    path: Path, factory: type[sqlite3.Connection] = sqlite3.Connection
) -> sqlite3.Connection:
    """Open the one connection that writes. It may be made in one thread and used in another.

    FULL: a commit returns after its fsync (G1). No automatic checkpoint: it would happen inside a
    commit.
    """
    connection = sqlite3.connect(
        path,
        timeout=BUSY_TIMEOUT_MS / 1000,
        isolation_level=None,
        check_same_thread=False,
        factory=factory,
    )
    try:
        connection.execute("PRAGMA journal_mode=WAL").fetchone()
        connection.execute("PRAGMA synchronous=FULL")
        connection.execute("PRAGMA wal_autocheckpoint=0").fetchone()
        connection.execute(f"PRAGMA journal_size_limit={JOURNAL_SIZE_LIMIT}").fetchone()
        connection.execute("PRAGMA cache_size=-16384")
        connection.execute("PRAGMA temp_store=MEMORY")
        # What is deleted is overwritten with zeros, whatever SQLite was built with.
        connection.execute("PRAGMA secure_delete=ON").fetchone()
    except BaseException:
        connection.close()
        raise
    return connection


def connect_reader(path: Path) -> sqlite3.Connection:
    """Open a connection that cannot write.

    It may be closed by another thread than it was used in.
    """
    connection = sqlite3.connect(
        f"{path.absolute().as_uri()}?mode=ro",
        uri=True,
        timeout=BUSY_TIMEOUT_MS / 1000,
        isolation_level=None,
        check_same_thread=False,
    )
    connection.execute("PRAGMA query_only=1")
    return connection


def connect_checkpointer(path: Path) -> sqlite3.Connection:
    """Open a connection for checkpoints alone.

    FULL: the pages are in the file before the log is reused.
    """
    connection = sqlite3.connect(
        path, timeout=BUSY_TIMEOUT_MS / 1000, isolation_level=None, check_same_thread=False
    )
    connection.execute("PRAGMA synchronous=FULL")
    connection.execute("PRAGMA wal_autocheckpoint=0").fetchone()
    return connection


class CommitFailed(sqlite3.Error):
    """COMMIT itself failed: nobody can tell yet whether the transaction is in the file.

    The log may hold it complete although its sync failed; then the next start finds it there,
    unless another commit has taken its place meanwhile. The cause is what SQLite said.
    """


@contextmanager
def writing(connection: sqlite3.Connection) -> Iterator[None]:
    """Run one write transaction: durable after the block, undone when it raises.

    Raises:
        CommitFailed: the block was run, and whether it is durable is not known.
    """
    if connection.in_transaction:
        # An earlier rollback failed together with its disk; nothing of it may leak into this one.
        connection.rollback()
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield
    except BaseException:
        if connection.in_transaction:
            connection.rollback()
        raise
    try:
        connection.execute("COMMIT")
    except Exception as error:
        if connection.in_transaction:
            connection.rollback()
        raise CommitFailed(str(error)) from error


@contextmanager
def snapshot(connection: sqlite3.Connection) -> Iterator[None]:
    """Run several reads on one state of the file."""
    connection.execute("BEGIN")
    try:
        yield
    finally:
        if connection.in_transaction:
            connection.rollback()
