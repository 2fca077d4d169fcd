"""Callbacks of the virtual loop, as asyncio has them, without what only its debugging needs."""

from __future__ import annotations

import asyncio
from contextvars import copy_context
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextvars import Context


def _nothing() -> None:
    """What is left of a cancelled callback: whatever it held may go."""


class LightHandle(asyncio.Handle):
    """A callback that is ready.

    A simulation makes thousands and looks at none, so the base class's own beginning, which asks
    twice whether it debugs, is left out.
    """

    __slots__ = ()

    _context: Context
    _cancelled: bool

    def __init__(
        self,
        callback: Callable[..., object],
        args: tuple[Any, ...],
        loop: asyncio.AbstractEventLoop,
        context: Context | None,
    ) -> None:
        self._context = copy_context() if context is None else context
        self._loop = loop
        self._callback = callback
        self._args = args
        self._cancelled = False
        self._repr = None
        self._source_traceback = None

    def cancel(self) -> None:
        """As in asyncio."""
        self._cancelled = True
        self._callback, self._args = _nothing, ()


class LightTimer(asyncio.TimerHandle):
    """A callback at a time."""

    __slots__ = ()

    _context: Context
    _cancelled: bool

    def __init__(
        self,
        when: float,
        callback: Callable[..., object],
        args: tuple[Any, ...],
        loop: asyncio.AbstractEventLoop,
        context: Context | None,
    ) -> None:
        self._context = copy_context() if context is None else context
        self._loop = loop
        self._callback = callback
        self._args = args
        self._cancelled = False
        self._repr = None
        self._source_traceback = None
        self._when = when
        self._scheduled = False

    def cancel(self) -> None:
        """As in asyncio."""
        self._cancelled = True
        self._callback, self._args = _nothing, ()
