"""What happened, line by line, as a hash: two runs of one seed must have the same."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.simulation.loop import VirtualLoop


class Trace:
    """Takes lines; keeps them only when asked.

    Args:
        loop: gives each line its time.
        keep: whether the lines are kept, for a person to read.
    """

    def __init__(self, loop: VirtualLoop, *, keep: bool = False) -> None:
        self.lines: list[str] = []
        self._loop, self._keep = loop, keep
        self._hash = hashlib.blake2b(digest_size=8)

    def __call__(self, line: str) -> None:
        """Write down one line."""
        timed = f"{self._loop.time():.6f} {line}\n"
        self._hash.update(timed.encode())
        if self._keep:
            self.lines.append(timed)

    @property
    def digest(self) -> str:
        """Of all lines so far."""
        return self._hash.hexdigest()
