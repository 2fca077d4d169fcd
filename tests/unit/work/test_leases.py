"""Leases keep no more than they need (G7)."""

from __future__ import annotations

import itertools

from hub.work.items import Item, Member
from hub.work.leases import Leases

MEMBER = Member("one", "one", 10, 30.0)


def test_deadlines_that_were_put_off_are_let_go() -> None:
    ids = map(str, itertools.count())
    leases = Leases(lambda: next(ids))
    held = [leases.give(Item(0, ref, "meeting/1", ref), MEMBER, 100.0) for ref in range(10)]
    for step in range(1_000):
        for lease in held:
            leases.run(lease, 200.0 + step)
    assert len(leases._ends._heap) <= 2 * len(held) + 16
    assert leases.next_end() == 1199.0
    assert leases.end_due(1198.0) == []
    assert sorted(lease.delivery_id for lease in leases.end_due(1199.0)) == list("0123456789")
    assert len(leases) == 0


def test_a_lease_with_a_ruling_under_way_does_not_end() -> None:
    leases = Leases(lambda: "x")
    lease = leases.give(Item(0, 1, "meeting/1", 1), MEMBER, 100.0)
    leases.hold(lease)
    assert leases.end_due(1_000.0) == []
    leases.run(lease, lease.deadline)
    assert leases.end_due(130.0) == [lease]
