"""The shards that this instance owns: opened and closed one by one, each behind its lock."""

from __future__ import annotations

import asyncio
import sqlite3
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

import structlog

from hub.engine.sqlite.checkpoint import Checkpointer
from hub.engine.sqlite.opening import open_shard
from hub.errors import Unavailable
from shipspeak.realtime.v1 import error_reason_pb2

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from hub.engine.sqlite.peers.guest import Outlet
    from hub.engine.sqlite.policy import RetentionPolicy
    from hub.engine.sqlite.shard import CommitObserver, Shard
    from hub.engine.sqlite.watchers import Watchers

_logger: Final = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Terms:
    """How shards are opened; as the arguments of SqliteEngine."""

    data_dir: Path
    shards: int
    clock: Callable[[], int]
    retention: RetentionPolicy
    dedup_lifetime_ms: int
    round_interval_s: float
    sized: bool


@dataclass(slots=True)
class Owned:
    """A shard that is open here.

    Attributes:
        shard: the loop's side of it.
        checkpointer: of its file.
        outlets: topics that other instances follow.
    """

    shard: Shard
    checkpointer: Checkpointer
    outlets: dict[str, Outlet] = field(default_factory=dict)


async def take(
    index: int, terms: Terms, watchers: Watchers, on_commit: CommitObserver | None
) -> Owned | None:
    """Become the owner of a shard; None = another process is.

    Raises:
        Unavailable: its file cannot be used.
    """
    loop = asyncio.get_running_loop()
    try:
        shard, thread = await asyncio.to_thread(
            open_shard,
            terms.data_dir,
            index,
            terms.shards,
            loop=loop,
            clock=terms.clock,
            retention=terms.retention,
            dedup_lifetime_ms=terms.dedup_lifetime_ms,
            round_interval_s=terms.round_interval_s,
            sized=terms.sized,
        )
    except Unavailable as error:
        if error.reason == error_reason_pb2.ERROR_REASON_SHARD_UNAVAILABLE:
            return None
        raise
    shard.on_commit = on_commit
    shard.watchers = watchers
    shard.run(thread)
    try:
        checkpointer = Checkpointer([(shard.files.database, thread)])
    except sqlite3.Error:
        shard.refuse()
        await asyncio.to_thread(shard.close)
        raise
    checkpointer.start()
    return Owned(shard, checkpointer)


async def give(owned: Owned) -> None:
    """Finish what was accepted, close the file, free the lock."""
    owned.shard.refuse()
    try:
        await asyncio.to_thread(owned.checkpointer.stop)
    finally:
        await asyncio.to_thread(owned.shard.close)
