"""Whether the hub's memory comes back: by what the same floods add when they come again.

Not by its size: Python and malloc keep what they have once had.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tests.attacks.attack import Attack
    from tests.attacks.scene import Scene

# A leak shows in each round; what malloc and the garbage of a busy machine add, in some.
ROUNDS = 10
# What a round may add again and again: more is a leak.
LEAK_BYTES = 8 << 20
# Each of them makes what a hub could forget to let go: calls, sessions, connections.
_FLOODS = ("flood of resets", "flood of sessions", "flood of handshakes")


async def round_of_floods(scene: Scene, table: Sequence[Attack]) -> int:
    """Flood once; by how many bytes the hub has grown."""
    before = scene.rss()
    for attack in table:
        if attack.name in _FLOODS:
            answers = await attack.answers(scene)
            assert answers == dict.fromkeys(answers, attack.expected), attack.name
    # The hub has dealt with all that it was sent before it serves what comes after.
    await asyncio.to_thread(scene.crowd.lap)
    return scene.rss() - before
