"""A shard without threads: its writer, housekeeper and reader on a real file."""

from __future__ import annotations

import sqlite3
from typing import TYPE_CHECKING, Any

from hub.engine.sqlite.database import connect_writer
from hub.engine.sqlite.housekeeping import Housekeeper
from hub.engine.sqlite.policy import Retention, keep_everything
from hub.engine.sqlite.reader import ShardReader
from hub.engine.sqlite.requests import Answer, Open, Outcome, Publish, Published
from hub.engine.sqlite.schema import prepare
from hub.engine.sqlite.writer import ShardWriter
from hub.model.events import NORMAL, Append

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from hub.engine.sqlite.topics import Trimmed

START_MS = 1_800_000_000_000
TOPIC = "meeting/42"
LIFETIME_MS = 1_000_000


class FailingCommits(sqlite3.Connection):
    """A real connection whose COMMIT can fail as a disk lets it fail.

    Attributes:
        fail: None, or what the next COMMIT does before it raises: "lost" undoes the transaction,
            "kept" commits it (its frames were whole although their sync failed).
    """

    fail: str | None = None

    def execute(self, sql: str, parameters: Any = (), /) -> sqlite3.Cursor:
        """As ever, but for COMMIT."""
        if sql != "COMMIT" or self.fail is None:
            return super().execute(sql, parameters)
        how, self.fail = self.fail, None
        super().execute("COMMIT" if how == "kept" else "ROLLBACK")
        error = sqlite3.OperationalError("disk I/O error")
        error.sqlite_errorcode = sqlite3.SQLITE_IOERR_FSYNC
        raise error


class PlainShard:
    """Opens, or opens again, one shard file."""

    def __init__(
        self,
        path: Path,
        retention: Callable[[str], Retention] = keep_everything,
        lifetime_ms: int = LIFETIME_MS,
    ) -> None:
        self.path = path
        connection = connect_writer(path, FailingCommits)
        assert isinstance(connection, FailingCommits)
        self.connection = connection
        prepare(connection, 0, 1, START_MS)
        self.writer = ShardWriter(connection, 0, lifetime_ms)
        self.housekeeper = Housekeeper(self.writer, retention, lifetime_ms)
        self.reader = ShardReader(path)

    def commit(self, *calls: list[Append]) -> Outcome:
        outcome = self.writer.commit([Publish(call, 0) for call in calls])
        self.housekeeper.note(outcome)
        return outcome

    def open(self, topic: str) -> Answer:
        return self.writer.commit([Open(topic)]).answers[0]

    def tidy(self, now_ms: int) -> list[Trimmed]:
        """Look round once and remove everything that is due."""
        trimmed: list[Trimmed] = []
        self.housekeeper.look_round(now_ms)
        while self.housekeeper.busy:
            trimmed += self.housekeeper.step(now_ms)
        return trimmed

    def events(self, topic: str = TOPIC) -> list[tuple[int, str]]:
        page = self.reader.read(topic, 0, 10**6, 1 << 30)
        return [(event.offset, event.event_id) for event in page.events]

    def count(self, table: str) -> int:
        statement = f"SELECT count(*) FROM {table}"  # noqa: S608 - a name of the test
        return int(self.writer.connection.execute(statement).fetchone()[0])

    def close(self) -> None:
        self.reader.close()
        self.writer.connection.close()


def draft(event_id: str, topic: str = TOPIC, **fields: object) -> Append:
    values: dict[str, object] = {
        "publisher": "back-end",
        "priority": NORMAL,
        "key": "",
        "published_ms": START_MS,
        "body": b"",
        **fields,
    }
    return Append(topic=topic, event_id=event_id, **values)  # type: ignore[arg-type]


def drafts(*event_ids: str) -> list[Append]:
    return [draft(event_id) for event_id in event_ids]


def results(outcome: Outcome) -> list[object]:
    """The results of all calls of a batch, one after the other."""
    return [
        result
        for answer in outcome.answers
        if isinstance(answer, Published)
        for result in answer.results
    ]
