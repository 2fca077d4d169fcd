"""Failures that nobody waits for any more."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import asyncio


def hear(done: asyncio.Future[Any]) -> None:
    """Take note of a shared task's failure, as a done-callback.

    Whoever waits for the task is told by it. Where all have left, its failure is nobody's, and the
    loop must not log it as one that was never retrieved.
    """
    if not done.cancelled():
        done.exception()
