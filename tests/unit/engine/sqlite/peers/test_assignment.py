"""The assignment of shards to instances: fair, stable, the same everywhere."""

from __future__ import annotations

import math

import pytest

from hub.engine.sqlite.peers.assignment import assign


@pytest.mark.parametrize("members", range(1, 9))
@pytest.mark.parametrize("shards", [1, 4, 16])
def test_nobody_gets_more_than_a_fair_share(shards: int, members: int):
    chosen = assign(shards, range(members))
    assert len(chosen) == shards
    most = max(chosen.count(member) for member in range(members))
    assert most <= math.ceil(shards / members)


def test_the_order_in_which_members_are_named_is_of_no_account():
    assert assign(16, [2, 0, 5]) == assign(16, [5, 2, 0])


def test_one_that_comes_back_gets_its_shards_back():
    before = assign(16, [0, 1, 2])
    without = assign(16, [0, 2])
    assert 1 not in without
    assert assign(16, [0, 1, 2]) == before


def test_one_that_goes_moves_few_shards_beside_its_own():
    before, after = assign(16, range(4)), assign(16, [0, 1, 3])
    moved = [shard for shard in range(16) if before[shard] != 2 and before[shard] != after[shard]]
    assert len(moved) <= 4
