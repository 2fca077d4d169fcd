"""Where the client's token comes from: a fixed one, or a function that is asked anew."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Awaitable, Callable

from shipspeak_realtime.errors import AuthError, NetworkError, RealtimeError

GetToken = Callable[[], Awaitable[str | None]]

# What a header's value can carry (RFC 9110, 5.5), without blanks: a JWT has none.
_TOKEN = re.compile(r"[\x21-\x7e]*")


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
            AuthError: when the function says that nobody is signed in, or gives no valid token.
            NetworkError: when the function failed.
        """
        if self._get is not None and self._current is None:
            return await self.renew()
        return _checked(self._current)

    async def renew(self) -> str | None:
        """A new token, where one can be had; else the fixed one.

        Raises:
            AuthError: when the function says that nobody is signed in, or gives no valid token.
            NetworkError: when the function failed: whatever it raised is the cause.
            RealtimeError: what the function raised, where it is one already.
        """
        if self._get is None:
            return _checked(self._current)
        token = await self._ask(self._get)
        if token is None:
            message = "the token function returned None: nobody is signed in"
            raise AuthError(message, reason="TOKEN_MISSING")
        self._current = _checked(token)
        return token

    async def _ask(self, get: GetToken) -> str | None:
        if self._asking is None or self._asking.done():
            self._asking = asyncio.ensure_future(_call(get))
        asking = self._asking
        try:
            # Shielded: one caller that gives up must not take the token from the others.
            return await asyncio.shield(asking)
        except RealtimeError:
            raise
        except asyncio.CancelledError as error:
            task = asyncio.current_task()
            if not asking.cancelled() or (task is not None and task.cancelling()):
                raise
            message = "the token function was cancelled"
            raise NetworkError(message) from error
        except Exception as error:
            # The application's function may raise anything; it may do better when asked again.
            message = f"the token function failed: {error!r}"
            raise NetworkError(message) from error


async def _call(get: GetToken) -> str | None:
    return await get()


def _checked(token: object) -> str | None:
    """The token, if a header can carry it; gRPC would fail without saying what is wrong."""
    if token is None or (isinstance(token, str) and _TOKEN.fullmatch(token)):
        return token
    message = "the token has characters that no JWT has (a line break at its end?): give it bare"
    raise AuthError(message, reason="TOKEN_MALFORMED")
