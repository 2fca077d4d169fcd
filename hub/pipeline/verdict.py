"""The engine's verdicts as they are told on the wire, and the proof of a place inside a run."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from hub.engine.contract import Verdict
from hub.model.cursor import Cursor
from shipspeak.realtime.v1 import frame_pb2

if TYPE_CHECKING:
    from hub.engine.contract import Engine
    from shipspeak.realtime.v1 import event_pb2

WIRE_VERDICTS: Final = {
    Verdict.OK: frame_pb2.VERDICT_OK,
    Verdict.GAP: frame_pb2.VERDICT_GAP,
    Verdict.RESET: frame_pb2.VERDICT_RESET,
}


async def handled_inside_run(
    engine: Engine, topic: str, cursor: Cursor, position: event_pb2.Position
) -> bool:
    """Whether the event that a reader handled last, behind its cursor, stands in the log."""
    offset, event_id = position.handled_offset, position.handled_id
    if offset <= cursor.offset or not event_id:
        return False
    place = Cursor(cursor.epoch, offset, event_id, cursor.as_of_ms)
    return (await engine.resume(topic, place)).verdict is Verdict.OK
