"""Short-lived tokens for pages, and the processes' own."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import jwt

if TYPE_CHECKING:
    from shipspeak_demo.settings import Settings

LIFETIME_S = 600
PUBLISHER = "shipspeak-demo"
"""Subject of back end and worker alike: the hub knows a repeated event by publisher and id."""


def page_token(settings: Settings, user: str, now: float) -> tuple[str, int]:
    """Make a page's token, good for reading; returns it and its end in Unix seconds."""
    reads = ["meeting/*", f"user/{user}", "system/all"]
    return _signed(settings, user, now, publish=[], subscribe=reads)


def publisher_token(settings: Settings, now: float) -> str:
    """Make the token with which back end and worker publish about meetings."""
    return _signed(settings, PUBLISHER, now, publish=["meeting/*"], subscribe=[])[0]


def _signed(
    settings: Settings, subject: str, now: float, *, publish: list[str], subscribe: list[str]
) -> tuple[str, int]:
    expires_at = int(now) + LIFETIME_S
    claims: dict[str, Any] = {
        "sub": subject,
        "iss": settings.issuer,
        "aud": settings.audience,
        "iat": int(now),
        "exp": expires_at,
        "grants": {
            "publish": publish,
            "subscribe": subscribe,
            "presence": [],
            "work": [],
            "admin": False,
        },
    }
    return jwt.encode(claims, settings.secret, algorithm="HS256"), expires_at
