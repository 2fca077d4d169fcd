"""The authorizer of the settings, if they name one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hub.auth.authorizer import Authorizer

if TYPE_CHECKING:
    from collections.abc import Callable

    from hub.settings import Settings
    from hub.telemetry.metrics import Metrics


class Authority:
    """Makes the authorizer, and ends it.

    Args:
        settings: ``authorizer_*``.
        metrics: questions are counted by how they ended.
        clock: seconds since the epoch.

    Attributes:
        authorizer: None = tokens and grants alone decide.
    """

    def __init__(self, settings: Settings, metrics: Metrics, clock: Callable[[], float]) -> None:
        self.authorizer: Authorizer | None = None
        self._http = None
        if settings.authorizer_url is None:
            return
        # Few hubs have one, and its client takes a tenth of a second to load.
        from hub.auth.authorizer_http import HttpAuthorizer  # noqa: PLC0415

        timeout = settings.authorizer_timeout
        self._http = HttpAuthorizer(settings.authorizer_url, settings.authorizer_secret, timeout)
        self.authorizer = Authorizer(
            self._http.ask,
            clock,
            timeout=timeout,
            keep=settings.authorizer_cache,
            count=metrics.authorizer_asked,
        )

    async def stop(self) -> None:
        """Ask nothing any more. Idempotent."""
        if self.authorizer is not None:
            await self.authorizer.stop()
        if self._http is not None:
            await self._http.close()
