"""Keeps issuers' keys fresh: files that change, addresses that are asked again."""

from __future__ import annotations

import asyncio
import urllib.error
import urllib.request
from http.client import HTTPException
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

import structlog

from hub.auth.keys import MAX_SET_BYTES, KeyUnusable

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from hub.auth.keysets import Fetch, KeySet

log = structlog.get_logger(__name__)

# How often files are looked at, and how often addresses are asked though nobody needs them.
LOOK_SECONDS: Final = 5.0
FETCH_SECONDS: Final = 300.0
# For each step of a fetch, and for all of it: an issuer that drips holds up the others else.
FETCH_TIMEOUT_SECONDS: Final = 5.0
FETCH_SECONDS_AT_MOST: Final = 10.0


class KeyUpdates:
    """Looks after key sets in a task of its own.

    Args:
        key_sets: of all issuers.
        on_changed: keys have changed: what was judged by the old ones counts no more.
        fetch: gets a document from an address.
    """

    def __init__(
        self,
        key_sets: Callable[[], Sequence[KeySet]],
        on_changed: Callable[[], None],
        fetch: Fetch | None = None,
    ) -> None:
        self._key_sets = key_sets
        self._on_changed = on_changed
        self._fetch = fetch or _fetch
        self._awake = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    def wake(self) -> None:
        """A key is needed that is not there yet."""
        self._awake.set()

    async def start(self) -> None:
        """Fetch what can be had, then go on in the background: an issuer away stops no start."""
        await self._round(fetch_all=True)
        self._task = asyncio.get_running_loop().create_task(self._run(), name="keys")

    async def stop(self) -> None:
        """End. Idempotent."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait([self._task])

    async def _run(self) -> None:
        looks = 0
        while True:
            try:
                async with asyncio.timeout(LOOK_SECONDS):
                    await self._awake.wait()
            except TimeoutError:
                looks += 1
            self._awake.clear()
            due = looks * LOOK_SECONDS >= FETCH_SECONDS
            looks = 0 if due else looks
            await self._round(fetch_all=due)

    async def _round(self, *, fetch_all: bool) -> None:
        for keys in self._key_sets():
            try:
                if await keys.update(self._bounded, due=fetch_all):
                    self._on_changed()
            except (KeyUnusable, OSError) as error:
                log.warning("keys_unusable", error=str(error), effect="the old ones stay in force")
            except Exception:
                # One issuer's fault must not end the updates of the others.
                log.exception("keys_failed", effect="the old ones stay in force")

    async def _bounded(self, url: str) -> bytes:
        async with asyncio.timeout(FETCH_SECONDS_AT_MOST):
            return await self._fetch(url)


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    """An address is fixed: whoever answers there sends nobody elsewhere."""

    def redirect_request(self, *_args: Any, **_more: Any) -> None:
        return None


async def _fetch(url: str) -> bytes:
    return await asyncio.to_thread(_fetch_blocking, url)


def _fetch_blocking(url: str) -> bytes:
    """The document at an address, without redirects or proxies, bounded in time and size.

    Raises:
        OSError: it cannot be had.
    """
    opener = urllib.request.build_opener(_NoRedirect, urllib.request.ProxyHandler({}))
    # The settings take https only, or http from this machine.
    request = urllib.request.Request(url, headers={"Accept": "application/json"})  # noqa: S310
    try:
        with opener.open(request, timeout=FETCH_TIMEOUT_SECONDS) as answer:
            return bytes(answer.read(MAX_SET_BYTES + 1))
    except (urllib.error.URLError, HTTPException, OSError, ValueError) as error:
        raise OSError(f"keys of {urlsplit(url).netloc} cannot be fetched: {error}") from error
