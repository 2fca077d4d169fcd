"""Where the client's token comes from: a fixed one, or a function that is asked anew."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from shipspeak_realtime.errors import AuthError

GetToken = Callable[[], Awaitable[str | None]]


class TokenSource:
    """Hands out the token; asks for a new one once for all who need it at that moment.

    Args:
        token: a JWT, an async function that gets one (None from it = signed out), or None for a
            hub that asks for none.
    """

    def __init__(self, token: str | GetToken | None) -> None:
        self._get = token if callable(token) else None
        self._current = None if callable(token) else token
        self._asking: asyncio.Task[str | None] | None = None

    @property
    def renewable(self) -> bool:
        """Whether a new token can be had."""
        return self._get is not None

    async def current(self) -> str | None:
        """The token in use; None for a hub that asks for none.

        Raises:
            AuthError: when the function says that nobody is signed in.
        """
        if self._get is not None and self._current is None:
            return await self.renew()
        return self._current

    async def renew(self) -> str | None:
        """A new token, where one can be had; else the fixed one.

        Raises:
            AuthError: when the function says that nobody is signed in.
            Exception: whatever the function raises.
        """
        if self._get is None:
            return self._current
        if self._asking is None or self._asking.done():
            self._asking = asyncio.ensure_future(_ask(self._get))
        # Shielded: one caller that gives up must not take the token from the others.
        token = await asyncio.shield(self._asking)
        if token is None:
            message = "the token function returned None: nobody is signed in"
            raise AuthError(message, reason="TOKEN_MISSING")
        self._current = token
        return token


async def _ask(get: GetToken) -> str | None:
    return await get()
