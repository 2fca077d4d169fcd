"""What happened, line by line, as a hash: two runs of one seed must have the same."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.simulation.loop import VirtualLoop


class Trace:
    """Takes lines.

    Args:
        loop: gives each line its time.
    """

    def __init__(self, loop: VirtualLoop) -> None:
        self._loop = loop
        self._lines: list[tuple[float, str]] = []

    def __call__(self, line: str) -> None:
        """Write down one line."""
        self._lines.append((self._loop.time(), line))

    @property
    def lines(self) -> list[str]:
        """All so far, with their times, for a person to read."""
        return [f"{at:.6f} {line}\n" for at, line in self._lines]

    @property
    def digest(self) -> str:
        """Of all lines so far."""
        return hashlib.blake2b("".join(self.lines).encode(), digest_size=8).hexdigest()
