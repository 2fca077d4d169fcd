"""How many bytes of events a namespace may keep."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from hub.errors import ResourceExhausted
from shipspeak.realtime.v1 import error_reason_pb2 as reasons

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

# Room comes by retention, by a purge or by another setting: none of them is quick.
RETRY_SECONDS: Final = 10.0
OTHERS: Final = "*"


class StorageCaps:
    """Refuses drafts for namespaces that are full; what they keep stays.

    What the hub itself writes (receipts, dead letters, revocations) is let in, or a full namespace
    could not be tidied up.

    Args:
        caps: bytes by namespace; "*" = each of the others.
        stored: tells the bytes that a namespace keeps.
    """

    def __init__(self, caps: Mapping[str, int], stored: Callable[[str], int]) -> None:
        self._caps = caps
        self._stored = stored

    def check(self, namespace: str, topic: str) -> None:
        """Check that a namespace has room; drafts under way may exceed it by their size.

        Raises:
            ResourceExhausted: STORAGE_LIMIT, with the time after which to try again.
        """
        cap = self._caps.get(namespace, self._caps.get(OTHERS))
        if cap is None or self._stored(namespace) < cap:
            return
        raise ResourceExhausted(
            reasons.ERROR_REASON_STORAGE_LIMIT,
            f"{namespace} topics keep {cap} bytes, which is all they may; wait until retention has "
            "made room, purge topics, or raise RTHUB_NAMESPACE_BYTES",
            topic=topic,
            retry_after=RETRY_SECONDS,
            max=cap,
        )
