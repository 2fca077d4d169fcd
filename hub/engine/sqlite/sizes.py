"""How many bytes of events a shard keeps, by namespace, as its commits leave them.

Triggers of the writer's own connection keep the sums in a temporary table, so that a transaction
which is undone, in part or whole, undoes its share of them. They cost something for each row and a
look at every event when the file is opened, so a hub without limits has none of it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    import sqlite3

_SETUP: Final = """
CREATE TEMP TABLE stored (namespace TEXT PRIMARY KEY, bytes INTEGER NOT NULL);
INSERT INTO stored
    SELECT substr(name, 1, instr(name, '/') - 1), sum(length(body))
    FROM main.event JOIN main.topic ON topic.id = event.topic_id GROUP BY 1;
CREATE TEMP TRIGGER stored_more AFTER INSERT ON main.event BEGIN
    INSERT INTO stored
        SELECT substr(name, 1, instr(name, '/') - 1), length(NEW.body)
        FROM main.topic WHERE id = NEW.topic_id
        ON CONFLICT (namespace) DO UPDATE SET bytes = bytes + excluded.bytes;
END;
CREATE TEMP TRIGGER stored_less AFTER DELETE ON main.event BEGIN
    UPDATE stored SET bytes = bytes - length(OLD.body) WHERE namespace =
        (SELECT substr(name, 1, instr(name, '/') - 1) FROM main.topic WHERE id = OLD.topic_id);
END;
CREATE TEMP TRIGGER stored_other AFTER UPDATE OF body ON main.event BEGIN
    UPDATE stored SET bytes = bytes - length(OLD.body) + length(NEW.body) WHERE namespace =
        (SELECT substr(name, 1, instr(name, '/') - 1) FROM main.topic WHERE id = OLD.topic_id);
END;
"""


class Sizes:
    """The sums of one shard.

    Attributes:
        bytes: by namespace, as of the last commit; a new dict each time, so that another thread
            may look.
    """

    def __init__(self) -> None:
        self.bytes: dict[str, int] = {}
        self._connection: sqlite3.Connection | None = None

    def watch(self, connection: sqlite3.Connection) -> None:
        """Count what is there, and from now on what the connection changes.

        Raises:
            sqlite3.Error: the file cannot be read.
        """
        connection.executescript(_SETUP)
        self._connection = connection
        self.refresh()

    def refresh(self) -> None:
        """Take the sums over, after a commit; nothing where nobody watches."""
        if self._connection is not None:
            self.bytes = dict(self._connection.execute("SELECT namespace, bytes FROM stored"))
