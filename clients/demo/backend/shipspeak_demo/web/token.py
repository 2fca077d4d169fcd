"""Route of page tokens."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from starlette.responses import JSONResponse, Response

from shipspeak_demo.tokens import page_token
from shipspeak_demo.web.errors import bad_request
from shipspeak_demo.web.services import services_of

if TYPE_CHECKING:
    from starlette.requests import Request

_USER = re.compile(r"[A-Za-z0-9_-]{1,64}")


async def show(request: Request) -> Response:
    """GET /api/token."""
    services = services_of(request)
    user = request.query_params.get("user", "guest")
    if not _USER.fullmatch(user):
        problem = "'user' is not 1 to 64 letters, digits, '_' or '-'."
        raise bad_request(problem, "Send another name, or none.")
    token, expires_at = page_token(services.settings, user, services.now())
    body = {"token": token, "expires_at": expires_at, "user": user}
    return JSONResponse(body, headers={"Cache-Control": "no-store"})
