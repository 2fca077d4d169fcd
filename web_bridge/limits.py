"""What one request may cost, and how long it may take."""

from __future__ import annotations

from dataclasses import dataclass

# The default of grpc's own servers.
MESSAGE_BYTES = 4 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Limits:
    """Bounds of the bridge.

    Attributes:
        message_bytes: the largest request message, without its 5-byte prefix.
        discard_bytes: how much of a refused body is read and thrown away, so that the client has
            finished writing and reads the answer; beyond it the connection is closed.
        body_seconds: time for the whole request body; the answer after it is 408.
        header_idle_seconds: a stream's headers go out after this much silence, so that handlers
            may set metadata before the first message and clients still see an idle stream open.
        cancel_seconds: how long a cancelled handler is waited for.
        linger_seconds: how long an ended stream waits for a reader that does not read.
        streams: open server streams outside the push path (health watches); each costs three tasks.
        text_header_bytes: status details above this size go in the body trailer only, because
            proxies bound header blocks, commonly at 8 KiB.
    """

    message_bytes: int = MESSAGE_BYTES
    discard_bytes: int = 16 * 1024 * 1024
    body_seconds: float = 30.0
    header_idle_seconds: float = 0.02
    cancel_seconds: float = 1.0
    linger_seconds: float = 5.0
    streams: int = 1000
    text_header_bytes: int = 2048
