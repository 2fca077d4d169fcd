"""Judges a cursor against a topic's log; pure.

A place in the log is proved by the id of the event that stands there. The epoch alone is not
enough: a file restored from a backup keeps its epoch and goes on with other events at the same
offsets.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from hub.engine.contract import Resume, TopicHead, Verdict

if TYPE_CHECKING:
    from hub.model.cursor import Cursor


def judge_cursor(
    cursor: Cursor, state: TopicHead, event_id: str | None, purged_ms: int = 0
) -> Resume:
    """Say where a reader with ``cursor`` stands.

    Args:
        cursor: what the reader holds.
        state: the topic now.
        event_id: the id at the cursor's offset: of the kept event, or of the newest trimmed one
            when the offset is the floor; None when neither is known.
        purged_ms: when the cursor's offset was purged; 0 = it was not.
    """
    if cursor.epoch != state.epoch or cursor.offset > state.head:
        return _reset(state)
    if cursor.offset < state.floor:
        return Resume(Verdict.GAP, state.floor, state.floor - cursor.offset, state)
    # From here on, nothing behind the cursor was trimmed; is it the same log?
    if cursor.offset > 0:
        if event_id is None:
            return _reset(state)
        if cursor.event_id and cursor.event_id != event_id:
            return _reset(state)
    if cursor.offset > 0 and purged_ms and cursor.as_of_ms <= purged_ms:
        # It has read all that is gone, and is told all the same (G6); in doubt, twice.
        return Resume(Verdict.GAP, cursor.offset, 0, state)
    return Resume(Verdict.OK, cursor.offset, 0, state)


def _reset(state: TopicHead) -> Resume:
    return Resume(Verdict.RESET, state.floor, None, state)
