"""Holds calls to the register for as long as a test wants."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from typing import Any

    import pytest

    from tests.unit.work.bench import WorkBench


class Gate:
    """Holds calls of one method until it is opened.

    Args:
        call: the method.
        after: the call is done, and its answer held if it brings events.
    """

    def __init__(self, call: Callable[..., Awaitable[Any]], *, after: bool) -> None:
        self._call = call
        self._after = after
        self.reached, self.open = asyncio.Event(), asyncio.Event()

    async def __call__(self, *args: Any, **options: Any) -> Any:
        answer: Any = None
        if self._after:
            answer = await self._call(*args, **options)
            if not answer.handed_out:
                return answer
        self.reached.set()
        await self.open.wait()
        return answer if self._after else await self._call(*args, **options)


def gate(
    bench: WorkBench, method: str, monkeypatch: pytest.MonkeyPatch, *, after: bool = False
) -> Gate:
    """Put a gate before, or after, a method of the bench's register."""
    made = Gate(getattr(bench.engine.work, method), after=after)
    monkeypatch.setattr(bench.engine.work, method, made)
    return made
