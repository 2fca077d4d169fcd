"""Who calls: the user of the page token that came with the request."""

from __future__ import annotations

from typing import TYPE_CHECKING

from shipspeak_demo.tokens import BadToken, user_of
from shipspeak_demo.web.errors import signed_out
from shipspeak_demo.web.services import services_of

if TYPE_CHECKING:
    from starlette.requests import Request

_SCHEME = "bearer "


def user(request: Request) -> str:
    """Tell the user; raises ApiError where the token is absent, another's, or has ended."""
    sent = request.headers.get("authorization", "")
    if not sent.lower().startswith(_SCHEME):
        raise signed_out("The request has no token.")
    services = services_of(request)
    try:
        return user_of(services.settings, sent[len(_SCHEME) :].strip(), services.now())
    except BadToken as error:
        raise signed_out("The token is not good here, or has ended.") from error


def maybe_user(request: Request) -> str:
    """Tell the user, or nothing for a request without a token; raises ApiError for a bad one."""
    return user(request) if "authorization" in request.headers else ""
