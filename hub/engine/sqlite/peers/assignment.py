"""Who tries to own which shard: the same answer wherever the same instances are known to live.

Rendezvous hashing with a limit: each shard goes to the instance that scores highest for it and has
not got its share yet. An instance that comes or goes moves few shards beside its own.
"""

from __future__ import annotations

import hashlib
import math
from collections import Counter
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection


def assign(shards: int, members: Collection[int]) -> list[int]:
    """The member that should own each shard.

    Args:
        shards: how many there are.
        members: numbers of the instances that live; at least one.
    """
    share = math.ceil(shards / len(members))
    loads: Counter[int] = Counter()
    chosen: list[int] = []
    for shard in range(shards):
        free = [member for member in members if loads[member] < share]
        best = max(free, key=lambda member: (_score(shard, member), member))
        loads[best] += 1
        chosen.append(best)
    return chosen


def _score(shard: int, member: int) -> bytes:
    return hashlib.blake2b(f"{shard} {member}".encode(), digest_size=8).digest()
