"""What the suites of the register share."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hub.engine.work import Ruling, Settlement, Taken, WorkSpec
from shipspeak.realtime.v1 import event_pb2

if TYPE_CHECKING:
    from collections.abc import Sequence

    from hub.engine.work import WorkStore

NAME = "analyse"
SPEC = WorkSpec(NAME, "meeting/*", ordered=False, created_ms=1)


async def take(
    work: WorkStore,
    shard: int,
    fresh: int = 100,
    again: Sequence[int] = (),
    *,
    hand_out: bool = True,
) -> Taken:
    return await work.take(NAME, shard, again=again, fresh=fresh, hand_out=hand_out)


def ids(taken: Taken) -> list[tuple[str, int]]:
    """(event id, attempt) of what was handed out."""
    return [(event_pb2.Event.FromString(data).id, item.attempts) for item, data in taken.handed_out]


def refs(taken: Taken) -> list[int]:
    return [item.ref for item, _ in taken.handed_out]


def done(*numbers: int) -> list[Settlement]:
    return [Settlement(ref, Ruling.DONE) for ref in numbers]
