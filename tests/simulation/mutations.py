"""Planted bugs: hubs that break their word in one place, which a simulation must see."""

from __future__ import annotations

import asyncio
import math
import sqlite3
from contextlib import AbstractContextManager, ExitStack, contextmanager
from typing import TYPE_CHECKING, Any
from unittest.mock import patch

from hub.engine.contract import Resume, Verdict
from hub.engine.sqlite import reader
from hub.fanout.chunk import Entry
from hub.fanout.keys import LatestOfKeys
from hub.fanout.registry import TopicRegistry
from hub.session.lanes import Lanes
from hub.session.position import EVERYTHING, Subscription
from hub.session.session import Session
from hub.session.window import ByteWindow
from tests.simulation.kinds.mutations import BESIDE

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from hub.engine.contract import TopicHead
    from hub.model.cursor import Cursor

LATE_COMMIT_SECONDS = 0.3


@contextmanager
def _open_transaction(connection: sqlite3.Connection) -> Iterator[None]:
    """Answer first, commit later: what is acknowledged is not safe yet."""
    if not connection.in_transaction:
        connection.execute("BEGIN IMMEDIATE")

        def commit() -> None:
            try:
                if connection.in_transaction:
                    connection.execute("COMMIT")
            except sqlite3.ProgrammingError:
                pass  # the hub has died meanwhile

        asyncio.get_running_loop().call_later(LATE_COMMIT_SECONDS, commit)
    yield


def _believe(cursor: Cursor, state: TopicHead, *_: object) -> Resume:
    """Every cursor is right."""
    return Resume(Verdict.OK, cursor.offset, 0, state)


def _recall_nothing(*_: object) -> tuple[dict[Any, int], set[Any]]:
    """No id was ever seen."""
    return {}, set()


def _claim_now(registry: Any) -> int:
    """Whatever is under way is forgotten."""
    return int(registry._clock() * 1000)


def _without_end(make: Any) -> Any:
    """Chunks and pages forget when their events end."""

    def made(*args: Any, **options: Any) -> Any:
        entry = make(*args, **options)
        entry.expires_ms = 0
        return entry

    return made


@contextmanager
def _keep_the_oldest() -> Iterator[None]:
    """Of a key the ring keeps the first event, and the log too."""

    def superseded(_: object, chunks: Any, first: int, _now_ms: int, horizon: int) -> set[int]:
        keys: set[str] = set()
        found: set[int] = set()
        for index, entry in enumerate(chunks[0].entries[first:], first):
            if entry.key and entry.offset <= horizon:
                if entry.key in keys:
                    found.add(index)
                keys.add(entry.key)
        return found

    statement = reader._AFTER_CONFLATED.replace("max(offset)", "min(offset)")
    with (
        patch.object(LatestOfKeys, "superseded", superseded),
        patch.object(reader, "_AFTER_CONFLATED", statement),
    ):
        yield


def _mutations() -> dict[str, Callable[[], AbstractContextManager[Any]]]:
    return {
        "acknowledge before the commit": lambda: patch(
            "hub.engine.sqlite.writer.writing", _open_transaction
        ),
        "skip the cursor check": lambda: patch("hub.engine.sqlite.reader.judge_cursor", _believe),
        "forget ids": lambda: patch("hub.engine.sqlite.writer.recall", _recall_nothing),
        "deliver what has expired": lambda: patch("hub.fanout.ring.Entry", _without_end(Entry)),
        "ignore priorities": lambda: patch.object(Lanes, "_most_urgent", Lanes._oldest),
        "ignore the window": lambda: patch.object(ByteWindow, "open", property(lambda _: True)),
        "claim completeness at once": lambda: patch.object(
            TopicRegistry, "complete_as_of_ms", _claim_now
        ),
        "believe a token for ever": lambda: patch.object(
            Session, "rights_until", property(lambda _: math.inf, lambda _, __: None), create=True
        ),
        "keep the oldest of a key": _keep_the_oldest,
        "conflate everybody": lambda: patch.object(Subscription, "horizon", lambda *_: EVERYTHING),
        "conflate who asked, lag or not": lambda: patch.object(
            Subscription, "horizon", lambda self, _: EVERYTHING if self.conflate else 0
        ),
        "notice silence late": lambda: patch("hub.session.manager.SILENT_HEARTBEATS", 4.0),
        **{name: make for named in BESIDE.values() for name, make in named.items()},
    }


MUTATIONS = tuple(_mutations())


def planted(name: str) -> AbstractContextManager[Any]:
    """Inside it the bug of that name is there; without a name, none."""
    return _mutations()[name]() if name else ExitStack()
