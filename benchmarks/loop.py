"""One event loop for all that is asynchronous in a benchmark's process, in a thread of its own.

grpc.aio polls for a whole process; loops that come and go leave it calling closed ones.
"""

from __future__ import annotations

import asyncio
import threading
from functools import cache
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Coroutine

_T = TypeVar("_T")


def run(work: Coroutine[object, object, _T], timeout: float) -> _T:
    """Run a coroutine on the loop and wait for it.

    Raises:
        TimeoutError: it took longer than ``timeout`` seconds.
    """
    return asyncio.run_coroutine_threadsafe(work, _loop()).result(timeout)


@cache
def _loop() -> asyncio.AbstractEventLoop:
    loop = asyncio.new_event_loop()
    threading.Thread(target=loop.run_forever, daemon=True, name="benchmark-loop").start()
    return loop
