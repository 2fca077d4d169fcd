"""Publishers that are a block: frequent news at a pace, and last words at the end."""

from __future__ import annotations

import logging
from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Self

from shipspeak_realtime.conflate import Conflater
from shipspeak_realtime.errors import RealtimeError

if TYPE_CHECKING:
    from types import TracebackType

    from shipspeak_realtime.client import RealtimeClient
    from shipspeak_realtime.clock import Clock

_log = logging.getLogger("shipspeak_realtime")


class LiveBlock(ABC):
    """Publishes the news of one topic until its block ends.

    Cancellation is no end: whoever takes the work up again goes on.

    Attributes:
        topic: where it publishes.
    """

    def __init__(self, client: RealtimeClient, topic: str, clock: Clock) -> None:
        self.topic = topic
        self._client = client
        self._pace = Conflater(clock)
        self._ended = False

    async def __aenter__(self) -> Self:
        """Begin."""
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if error is not None and not isinstance(error, Exception):
            self._pace.drop()
            return
        try:
            await self._last_words(error)
        except RealtimeError:
            if error is None:
                raise
            # The block's own error is what the caller must see.
            _log.exception("the end of %s could not be published", self.topic)

    @abstractmethod
    async def _last_words(self, error: Exception | None) -> None:
        """Publish what is still to be said; ``error`` ended the block."""
