"""The other instances, as work subscriptions need them."""

from __future__ import annotations

from typing import Any, Protocol

from hub.errors import Unavailable
from shipspeak.realtime.v1 import error_reason_pb2 as reasons


class Peers(Protocol):
    """The other instances.

    Attributes:
        instance: name of this one.
    """

    instance: str

    def leader(self) -> str:
        """The instance that leads; "" = none, now."""

    async def ask(self, instance: str, method: str, thing: Any) -> Any:
        """Ask another one. Raises: HubError."""

    def tell(self, instance: str, *words: Any) -> None:
        """Tell another one; nothing where it is gone."""


def not_led() -> Unavailable:
    """Nobody leads here, for a moment."""
    return Unavailable(
        reasons.ERROR_REASON_SHARD_UNAVAILABLE,
        "work subscriptions are just changing hands; try again",
        retry_after=0.5,
    )
