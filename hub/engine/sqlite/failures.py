"""What goes wrong below the engine, as typed errors."""

from __future__ import annotations

import sqlite3
from typing import TYPE_CHECKING, Final

from hub.engine.sqlite.database import CommitFailed
from hub.errors import FailedPrecondition, Internal, ResourceExhausted, Unavailable
from shipspeak.realtime.v1 import error_reason_pb2

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

RETRY_AFTER_S: Final = 1.0
ACCEPTING_LOSS: Final = (
    "a hub started once with --accept-lost-shards makes an empty file in its place, the events in "
    "it are gone for good, and readers of its topics get RESET"
)

# Primary result codes that say "the storage", not "this statement":
# https://www.sqlite.org/rescode.html
_STORAGE_CODES: Final = frozenset(
    {
        sqlite3.SQLITE_BUSY,
        sqlite3.SQLITE_LOCKED,
        sqlite3.SQLITE_NOMEM,
        sqlite3.SQLITE_READONLY,
        sqlite3.SQLITE_IOERR,
        sqlite3.SQLITE_CORRUPT,
        sqlite3.SQLITE_FULL,
        sqlite3.SQLITE_CANTOPEN,
        sqlite3.SQLITE_PROTOCOL,
        sqlite3.SQLITE_NOTADB,
        sqlite3.SQLITE_PERM,
        sqlite3.SQLITE_AUTH,
        sqlite3.SQLITE_NOLFS,
    }
)


def is_storage_failure(error: Exception) -> bool:
    """Whether the disk or the file failed, so that other drafts would have failed too."""
    if isinstance(error, MemoryError | CommitFailed):
        return True
    code = getattr(error, "sqlite_errorcode", None)
    return isinstance(error, sqlite3.Error) and code is not None and code & 0xFF in _STORAGE_CODES


def storage_failed(shard: int, error: Exception, topic: str = "") -> Unavailable:
    """Nothing was stored.

    Raised or answered when the shard's file does not take the write or give the read.
    """
    return Unavailable(
        error_reason_pb2.ERROR_REASON_STORAGE_FAILED,
        f"shard {shard}: storage failed ({error}); nothing was stored, "
        "send it again with the same id",
        topic=topic,
        retry_after=RETRY_AFTER_S,
        shard=shard,
    )


def start_failed(path: Path, error: Exception, shard: int | None = None) -> Unavailable:
    """The store cannot be opened; for whoever runs the hub.

    Args:
        path: the shard's file, or the data directory.
        error: what the system said.
        shard: whose file it is; None = the directory.
    """
    if shard is None:
        message = (
            f"the data directory {path} cannot be used ({error}); "
            "name a directory that this user may write, with --data-dir"
        )
        return Unavailable(error_reason_pb2.ERROR_REASON_STORAGE_FAILED, message)
    return Unavailable(
        error_reason_pb2.ERROR_REASON_STORAGE_FAILED,
        f"{path} cannot be opened ({error}); where the file is damaged, restore it from a backup, "
        f"or move it away with its -wal and -shm: {ACCEPTING_LOSS}",
        shard=shard,
    )


def shards_lost(data_dir: Path, missing: Sequence[int], names: Sequence[str]) -> Unavailable:
    """Files are gone from a store that was whole once."""
    return Unavailable(
        error_reason_pb2.ERROR_REASON_STORAGE_FAILED,
        f"{', '.join(names)} in {data_dir} missing or empty, and acknowledged events with it; "
        f"check that the disk is mounted, or restore from a backup. Without one: {ACCEPTING_LOSS}",
        shard=missing[0],
    )


def outcome_unknown(shard: int, why: str, topic: str = "") -> Unavailable:
    """The commit had begun, and what became of it cannot be told."""
    return Unavailable(
        error_reason_pb2.ERROR_REASON_OUTCOME_UNKNOWN,
        f"shard {shard}: {why}; it may be stored or not, send it again with the same id",
        topic=topic,
        retry_after=RETRY_AFTER_S,
        shard=shard,
    )


def shard_unavailable(shard: int, why: str, *, topic: str = "") -> Unavailable:
    """The shard has no owner here."""
    return Unavailable(
        error_reason_pb2.ERROR_REASON_SHARD_UNAVAILABLE,
        f"shard {shard}: {why}",
        topic=topic,
        retry_after=RETRY_AFTER_S,
        shard=shard,
    )


def overloaded(shard: int, waiting_bytes: int, *, topic: str) -> ResourceExhausted:
    """More waits for the disk than the shard may hold in memory."""
    return ResourceExhausted(
        error_reason_pb2.ERROR_REASON_OVERLOADED,
        f"shard {shard}: {waiting_bytes} bytes already wait for the disk; send it again later",
        topic=topic,
        retry_after=RETRY_AFTER_S,
        shard=shard,
    )


def too_many_old(topic: str) -> ResourceExhausted:
    """Old drafts of more topics came at once than may be looked for in the logs."""
    return ResourceExhausted(
        error_reason_pb2.ERROR_REASON_OVERLOADED,
        "old drafts of too many topics came at once to look all of them up; send it again",
        topic=topic,
        retry_after=RETRY_AFTER_S,
    )


def faulty(shard: int, topic: str = "") -> Internal:
    """An unknown failure; what is known of it is in the log."""
    return Internal(
        error_reason_pb2.ERROR_REASON_INTERNAL,
        f"shard {shard}: a fault of the hub, see its log",
        topic=topic,
        shard=shard,
    )


def too_many_scheduled(topic: str, most: int) -> ResourceExhausted:
    """The shard keeps as many scheduled drafts as it may."""
    return ResourceExhausted(
        error_reason_pb2.ERROR_REASON_SCHEDULE_LIMIT,
        f"{most} drafts are scheduled here already; cancel some, or publish when it is due",
        topic=topic,
        max=most,
    )


def too_many_receipts(topic: str, most: int) -> ResourceExhausted:
    """A user's topic holds as many receipts about events of other topics as it may."""
    return ResourceExhausted(
        error_reason_pb2.ERROR_REASON_RECEIPT_LIMIT,
        f"{topic} holds {most} receipts about events of other topics; they go with their age",
        topic=topic,
        max=most,
    )


def offset_mismatch(topic: str, expected: int, head: int) -> FailedPrecondition:
    """The topic's head is not what the publisher expected."""
    return FailedPrecondition(
        error_reason_pb2.ERROR_REASON_OFFSET_MISMATCH,
        f"expected offset {expected}, the topic's head is {head}; "
        "read what is new and decide again",
        topic=topic,
        head=head,
    )


def idempotency_expired(topic: str, event_id: str) -> FailedPrecondition:
    """The id is older than the memory of ids and not in the log; it may have been trimmed."""
    return FailedPrecondition(
        error_reason_pb2.ERROR_REASON_IDEMPOTENCY_EXPIRED,
        f"id {event_id} was first sent too long ago to tell whether it was stored; "
        "check, then use a new id",
        topic=topic,
    )
