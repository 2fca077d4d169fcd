"""What a client counted since it was made."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(slots=True)
class Stats:
    """Counters of one client; `hub.stats()` gives a copy.

    Attributes:
        events: handed to the application.
        duplicates: events that came again and were left out.
        gaps: verdicts GAP: history was trimmed.
        resets: verdicts RESET: another log.
        holes: runs that began above the position, each answered by a new Subscribe.
        conflated: events that the hub left out for newer ones of the same key.
        expired: events that the hub left out because their time was over.
        withdrawn: events that the hub left out because they were deleted or taken back.
        reconnects: sessions after the first.
        bytes_received: serialized ServerFrames.
        published: drafts with a receipt.
        publish_retries: drafts that were sent again.
        rtt_seconds: the last round trip by Ping; None = not measured.
    """

    events: int = 0
    duplicates: int = 0
    gaps: int = 0
    resets: int = 0
    holes: int = 0
    conflated: int = 0
    expired: int = 0
    withdrawn: int = 0
    reconnects: int = 0
    bytes_received: int = 0
    published: int = 0
    publish_retries: int = 0
    rtt_seconds: float | None = None
