"""The SQLite engine: a log file and a writer thread per shard, durable when it answers."""

from __future__ import annotations

from hub.engine.sqlite.engine import SqliteEngine
from hub.engine.sqlite.inbox import SqliteInbox
from hub.engine.sqlite.policy import Retention, RetentionPolicy
from hub.engine.sqlite.schedule import SqliteSchedule
from hub.engine.sqlite.steward import SqliteSteward

__all__ = [
    "Retention",
    "RetentionPolicy",
    "SqliteEngine",
    "SqliteInbox",
    "SqliteSchedule",
    "SqliteSteward",
]
