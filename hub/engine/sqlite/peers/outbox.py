"""What waits to be written to one end of a link; whatever gathers meanwhile goes in one message."""

from __future__ import annotations

import asyncio
from collections import deque
from typing import Final

# A message is not made longer than this by another part.
MESSAGE_BYTES: Final = 512 * 1024


class Outbox:
    """Serialized parts, in order.

    Attributes:
        size: bytes that wait.
    """

    def __init__(self) -> None:
        self._parts: deque[bytes] = deque()
        self._filled = asyncio.Event()
        self.size = 0

    def put(self, part: bytes) -> None:
        """Add a part: a field of LinkRequest or LinkResponse with its tag."""
        self._parts.append(part)
        self.size += len(part)
        self._filled.set()

    async def take(self) -> bytes:
        """The next message, when there is one."""
        await self._filled.wait()
        taken: list[bytes] = []
        size = 0
        while self._parts and size < MESSAGE_BYTES:
            part = self._parts.popleft()
            taken.append(part)
            size += len(part)
        self.size -= size
        if not self._parts:
            self._filled.clear()
        return b"".join(taken)
