"""Tokens of the hub that wants them (`locked_hub`)."""

from __future__ import annotations

from typing import Any

from hub.auth.tokens import mint

SECRET = "integration-secret-0123456789abcdef"
_READER = {"publish": ["meeting/*"], "subscribe": ["meeting/*", "user/{sub}"]}


def make_token(subject: str = "alice", *, lifetime: float = 60, **grants: Any) -> str:
    """A token for ``lifetime`` seconds; without grants that of a user of meetings."""
    return mint(
        SECRET,
        subject=subject,
        issuer="shipspeak",
        audience="shipspeak-realtime",
        lifetime=lifetime,
        **(grants or _READER),
    )
