"""Many rulings at once are written down in parts that hold up nobody for long."""

from __future__ import annotations

from hub.engine.work import OpenItem, Ruling, Settlement
from hub.work.items import MAX_DEAD, Settle, settles
from hub.work.queue import WorkQueue


def test_what_dies_together_is_settled_in_parts() -> None:
    """As after a start, or when a member that held much has gone for the last time."""
    queue = WorkQueue([0], ordered=False, max_attempts=3, new_id=lambda: "d")
    queue.restore(0, [OpenItem(ref, "meeting/1", ref, 3) for ref in range(1, 101)])
    parts = [effect for effect in queue.poll(0.0) if isinstance(effect, Settle)]
    assert [len(part.settlements) for part in parts] == [MAX_DEAD] * 6 + [4]
    assert [one.ref for part in parts for one in part.settlements] == list(range(1, 101))


def test_only_the_dead_are_heavy() -> None:
    done = [Settlement(ref, Ruling.DONE) for ref in range(500)]
    assert list(settles(0, done)) == [Settle(0, tuple(done))]
    assert list(settles(0, [])) == []
    dead = [Settlement(ref, Ruling.DEAD) for ref in range(500, 500 + MAX_DEAD + 1)]
    mixed = [*done[:3], *dead, done[3]]
    first, second = settles(0, mixed)
    assert first.settlements == tuple(mixed[: 3 + MAX_DEAD])
    assert second.settlements == tuple(mixed[3 + MAX_DEAD :])
