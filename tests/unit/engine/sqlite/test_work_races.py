"""What comes between two steps of the register: news, a half-made subscription, a late ack."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from hub.engine.sqlite import SqliteEngine
from hub.engine.sqlite.work_place import Create
from hub.engine.work import Ruling, Settlement, WorkSpec
from hub.model.events import NORMAL, Append
from shipspeak.realtime.v1 import error_reason_pb2 as reasons
from shipspeak.realtime.v1 import event_pb2

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence
    from pathlib import Path

TOPIC = "meeting/1"
NOW_MS = 1_800_000_000_000
SPEC = WorkSpec("analyse", "meeting/*", ordered=False, created_ms=1)


@pytest.fixture
async def engine(tmp_path: Path) -> AsyncIterator[SqliteEngine]:
    made = SqliteEngine(tmp_path / "data", clock=lambda: NOW_MS)
    await made.start()
    yield made
    await made.stop()


def drafts(*ids: str) -> list[Append]:
    return [
        Append(TOPIC, one, "p", event_pb2.Event(id=one).SerializeToString(), NORMAL, "", NOW_MS)
        for one in ids
    ]


async def handed_out(engine: SqliteEngine) -> Sequence[str]:
    shard = engine.shard_of(TOPIC)
    taken = await engine.work.take(SPEC.name, shard, again=(), fresh=10, hand_out=True)
    return [event_pb2.Event.FromString(data).id for _, data in taken.handed_out]


async def test_an_event_stored_while_a_seek_looks_is_not_skipped(
    engine: SqliteEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """G2: nothing was there since that time when it looked, and then there was."""
    await engine.work.create(SPEC)
    operate = engine.operate
    published = False

    async def late(shard: int, operation: Any) -> Any:
        nonlocal published
        if not published:
            published = True
            await engine.publish(drafts("between"))
        return await operate(shard, operation)

    monkeypatch.setattr(engine, "operate", late)
    await engine.work.seek_time(SPEC.name, NOW_MS)
    assert await handed_out(engine) == ["between"]


async def test_two_half_made_ones_of_a_name_become_the_newer(engine: SqliteEngine) -> None:
    """Each shard has the name, and not all have the same pattern behind it."""
    newer = WorkSpec(SPEC.name, "user/*", ordered=True, created_ms=2)
    for shard in range(engine.shard_count):
        await engine.operate(shard, Create(newer if shard == 0 else SPEC))
    assert await engine.work.specs() == [newer]
    await engine.publish(drafts("a"))
    for shard in range(engine.shard_count):
        taken = await engine.work.take(SPEC.name, shard, again=(), fresh=10, hand_out=True)
        assert not taken.handed_out


async def test_an_ack_counts_until_its_dead_letter_is_being_published(
    engine: SqliteEngine,
) -> None:
    """E1: what is answered as committed never becomes a dead letter, and the other way round."""
    await engine.work.create(SPEC)
    shard = engine.shard_of(TOPIC)
    await engine.publish(drafts("a", "b"))
    taken = await engine.work.take(SPEC.name, shard, again=(), fresh=10, hand_out=True)
    a, b = (item.ref for item, _ in taken.handed_out)
    reason = reasons.ERROR_REASON_RETENTION
    kill = [Settlement(ref, Ruling.DEAD, reason=reason) for ref in (a, b)]
    assert await engine.work.settle(SPEC.name, shard, kill) == [True, True]
    (one,) = await engine.work.exhume(shard, 1)
    assert one.event_id == "a"
    done = [Settlement(ref, Ruling.DONE) for ref in (a, b)]
    assert await engine.work.settle(SPEC.name, shard, done) == [False, True]
    # Whoever died while it published does it again.
    assert [dead.event_id for dead in await engine.work.exhume(shard, 10)] == ["a"]
    await engine.work.bury(shard, [one.ref])
    assert await engine.work.exhume(shard, 10) == []
