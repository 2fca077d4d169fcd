"""Changes of the connection's state, told to whoever listens."""

from __future__ import annotations

import asyncio
from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING, Self
from weakref import WeakSet

if TYPE_CHECKING:
    from shipspeak_realtime.errors import RealtimeError
    from shipspeak_realtime.states import State

_KEPT_CHANGES = 100


@dataclass(frozen=True, slots=True)
class ConnectionChange:
    """One change of the connection's state.

    Attributes:
        state: the new state.
        previous: the one before.
        error: what caused it, where something failed.
        retry_in: seconds until the next try: in state BACKOFF, and in NEEDS_AUTH where the token
            function is asked again; None = nothing is tried any more.
    """

    state: State
    previous: State
    error: RealtimeError | None = None
    retry_in: float | None = None


class Changes:
    """All listeners of one connection."""

    def __init__(self) -> None:
        # Weak: a loop that is left by `break` tells nobody, and its listener goes with it.
        self._listeners: WeakSet[Listener] = WeakSet()

    def listen(self, *, ended: bool) -> Listener:
        """Every change from this call on; `ended`: there will be none."""
        listener = Listener()
        if ended:
            listener.end()
        else:
            self._listeners.add(listener)
        return listener

    def tell(self, change: ConnectionChange) -> None:
        """Tell all listeners."""
        for listener in self._listeners:
            listener.put(change)

    def end(self) -> None:
        """No more will come."""
        for listener in self._listeners:
            listener.end()


class Listener:
    """A bounded queue of changes; the oldest give way when nobody reads."""

    def __init__(self) -> None:
        self._waiting: deque[ConnectionChange] = deque(maxlen=_KEPT_CHANGES)
        self._filled = asyncio.Event()
        self._ended = False

    def put(self, change: ConnectionChange) -> None:
        """Add a change."""
        self._waiting.append(change)
        self._filled.set()

    def end(self) -> None:
        """No more will come."""
        self._ended = True
        self._filled.set()

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> ConnectionChange:
        while not self._waiting:
            if self._ended:
                raise StopAsyncIteration
            self._filled.clear()
            await self._filled.wait()
        return self._waiting.popleft()
