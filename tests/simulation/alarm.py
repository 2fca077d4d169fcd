"""A test's time-out ends a simulation wherever it strikes.

It strikes as an exception out of a signal's handler, so inside whatever the loop runs. asyncio
keeps what a task or a callback raises for those who wait for it, and lets only two classes pass.
"""

from __future__ import annotations

import signal
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import FrameType


class _Passing(KeyboardInterrupt):
    """Passes through tasks and callbacks, and carries what was raised."""

    def __init__(self, raised: BaseException) -> None:
        super().__init__()
        self.raised = raised


@contextmanager
def surfacing() -> Iterator[None]:
    """Let what an alarm raises inside leave the block as it was raised."""
    before = signal.getsignal(signal.SIGALRM)
    if not callable(before):
        yield
        return

    def strike(number: int, frame: FrameType | None) -> Any:
        try:
            return before(number, frame)
        except BaseException as error:
            raise _Passing(error) from error

    signal.signal(signal.SIGALRM, strike)
    try:
        yield
    except _Passing as passing:
        raise passing.raised from None
    finally:
        signal.signal(signal.SIGALRM, before)
