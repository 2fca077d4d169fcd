"""Short-lived tokens for pages, and the processes' own."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import jwt

from shipspeak_demo.people import TEAM_TOPIC

if TYPE_CHECKING:
    from shipspeak_demo.settings import Settings

LIFETIME_S = 600
PUBLISHER = "shipspeak-demo"
"""Subject of back end and worker alike: the hub knows a repeated event by publisher and id."""


class BadToken(Exception):
    """The token is not one of this back end's, or has ended."""


def page_token(settings: Settings, user: str, now: float) -> tuple[str, int]:
    """Make a page's token; returns it and its end in Unix seconds.

    It reads what the team shares and what is the user's own, and lets the user be seen.
    """
    own = [f"user/{user}", f"user/{user}/progress", f"practice/{user}/*"]
    grants = {
        "subscribe": ["meeting/*", *own, "system/all", TEAM_TOPIC],
        "presence": ["meeting/*", TEAM_TOPIC],
    }
    return _signed(settings, user, now, grants)


def publisher_token(settings: Settings, now: float) -> str:
    """Make the token with which back end and worker publish."""
    topics = ["meeting/*", "practice/*/*", "user/*", "user/*/progress", "system/all"]
    return _signed(settings, PUBLISHER, now, {"publish": topics})[0]


def user_of(settings: Settings, token: str, now: float) -> str:
    """Tell whose page token this is.

    Raises:
        BadToken: it is none, or it has ended.
    """
    # The end is judged by the injected clock, which is the one that set it.
    options = {"require": ["sub", "exp"], "verify_exp": False, "verify_iat": False}
    try:
        claims = jwt.decode(
            token,
            settings.secret,
            algorithms=["HS256"],
            audience=settings.audience,
            issuer=settings.issuer,
            options=options,  # type: ignore[arg-type]  # a TypedDict there, a plain dict here
        )
    except jwt.InvalidTokenError as error:
        raise BadToken(str(error)) from error
    if claims["exp"] <= now:
        raise BadToken("the token has ended")
    return str(claims["sub"])


def _signed(
    settings: Settings, subject: str, now: float, grants: dict[str, list[str]]
) -> tuple[str, int]:
    expires_at = int(now) + LIFETIME_S
    claims: dict[str, Any] = {
        "sub": subject,
        "iss": settings.issuer,
        "aud": settings.audience,
        "iat": int(now),
        "exp": expires_at,
        "grants": {
            **{right: grants.get(right, []) for right in _RIGHTS},
            "admin": False,
        },
    }
    return jwt.encode(claims, settings.secret, algorithm="HS256"), expires_at


_RIGHTS = ("publish", "subscribe", "presence", "work")
