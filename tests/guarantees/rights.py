"""Who might do what, since when and until when: what tokens, grants and revocations said."""

from __future__ import annotations

from dataclasses import dataclass

EVERYWHERE = "**"


@dataclass(frozen=True, slots=True)
class Right:
    """One right of one principal for one stretch of time.

    A change of rights ends one and begins another; a revocation ends one early.

    Attributes:
        principal: whose; a subscriber, or a client that publishes.
        action: "subscribe" or "publish".
        topic: where; EVERYWHERE = in all topics.
        from_ms: its beginning by the hub's clock, milliseconds since the epoch.
        until_ms: its end, by the same clock.
    """

    principal: str
    action: str
    topic: str
    from_ms: int
    until_ms: int
