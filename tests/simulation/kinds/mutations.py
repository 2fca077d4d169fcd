"""Planted bugs that only those can see who use the hub in these ways, by the name of the kind."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any
from unittest.mock import patch

from hub.engine.inbox import Noted
from hub.engine.sqlite import schedule
from hub.engine.sqlite.inbox import _Log
from hub.engine.sqlite.removal import Purge, Purged
from hub.engine.sqlite.scheduled import CancelScheduled
from hub.fanout.topic import LiveTopic
from hub.presence.room import PresenceRoom
from hub.work.burial import Burials
from hub.work.queue import WorkQueue

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import AbstractContextManager

EARLY_MS = 1_000
_KEEP_DONE = (
    "SELECT pos FROM work_open WHERE work_id = ? AND pos IN (SELECT value FROM json_each(?))"
)
_wait, _one, _due = WorkQueue._wait, _Log._one, schedule._due


def _nothing(*_: object, **__: object) -> None:
    """Do it not, and say nothing."""


def _hurry(queue: WorkQueue, item: Any, _not_before: float) -> None:
    """What was put back waits for nothing."""
    _wait(queue, item, 0.0)


def _first(log: _Log, mark: Any, event: Any) -> Any:
    """Everybody was first."""
    result = _one(log, mark, event)
    return replace(result, first=True) if isinstance(result, Noted) else result


def _early(now_ms: int, reader: Any) -> Any:
    """Whatever is due soon is due."""
    return _due(now_ms + EARLY_MS, reader)


def _purged(purge: Purge, work: Any) -> Purged:
    """Say that it is done."""
    return Purged(0, work.topic(purge.topic).head, done=True)


BESIDE: dict[str, dict[str, Callable[[], AbstractContextManager[Any]]]] = {
    "work": {
        "forget acknowledged work": lambda: patch(
            "hub.engine.sqlite.work_settle._DONE", _KEEP_DONE
        ),
        "hurry what was put back": lambda: patch.object(WorkQueue, "_wait", _hurry),
        "bury no dead letter": lambda: patch.object(Burials, "notify", _nothing),
    },
    "presence": {
        "allow no grace": lambda: patch("hub.pipeline.presence.GRACE_SECONDS", 0.0),
        "keep the dead present": lambda: patch.object(PresenceRoom, "end", _nothing),
        "hide a clean leave": lambda: patch.object(PresenceRoom, "leave", _nothing),
    },
    "schedule": {
        "release before it is due": lambda: patch.object(schedule, "_due", _early),
        "take nothing back": lambda: patch.object(CancelScheduled, "run", lambda *_: True),
    },
    "inbox": {
        "call every device first": lambda: patch.object(_Log, "_one", _first),
        "keep what was withdrawn": lambda: patch.object(_Log, "_withdraw", _nothing),
    },
    "removal": {
        "hand over what was deleted": lambda: patch.object(LiveTopic, "on_withdrawn", _nothing),
        "purge nothing": lambda: patch.object(Purge, "run", _purged),
    },
}


def kind_of(mutation: str) -> str:
    """The kind that has to run for it to be seen; empty = the streams are enough."""
    return next((kind for kind, named in BESIDE.items() if mutation in named), "")
