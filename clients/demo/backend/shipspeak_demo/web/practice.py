"""Routes of practice sessions: begin, speak, end, look back."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from starlette.responses import JSONResponse, Response

from shipspeak_demo.practice import Ended
from shipspeak_demo.web.auth import user
from shipspeak_demo.web.body import json_body, number_field, speech_field
from shipspeak_demo.web.errors import ApiError, not_found
from shipspeak_demo.web.services import services_of

if TYPE_CHECKING:
    from starlette.requests import Request

    from shipspeak_demo.store import Practice

LONGEST_TEXT = 12_000
"""Characters of one session: about 2,000 words."""
_LARGEST_SPEECH = 64 * 1024
_LONGEST_S = 3600.0
_MOST_REVISIONS = 2**53
_MOST_LISTED = 20


async def create(request: Request) -> Response:
    """POST /api/practice."""
    practice = await services_of(request).rooms.open(user(request))
    return JSONResponse(_shown(practice), 201)


async def index(request: Request) -> Response:
    """GET /api/practice: one's own sessions."""
    practices = services_of(request).practices
    found = await asyncio.to_thread(practices.newest, user(request), _MOST_LISTED)
    return JSONResponse({"sessions": [_shown(one) for one in found]})


async def show(request: Request) -> Response:
    """GET /api/practice/{id}."""
    practices = services_of(request).practices
    try:
        one = await asyncio.to_thread(practices.get, request.path_params["id"], user(request))
    except KeyError as error:
        raise not_found("session") from error
    return JSONResponse({**_shown(one), "text": one.text})


async def speak(request: Request) -> Response:
    """PUT /api/practice/{id}/speech: the whole text as it is now."""
    rooms, who = services_of(request).rooms, user(request)
    body = await json_body(request, _LARGEST_SPEECH)
    text = speech_field(body, "text", LONGEST_TEXT)
    revision = int(number_field(body, "revision", 1, _MOST_REVISIONS))
    untimed_s = number_field(body, "untimed_s", 0, _LONGEST_S, default=0)
    try:
        heard = await rooms.hear(who, request.path_params["id"], text, revision, untimed_s)
    except KeyError as error:
        raise not_found("session") from error
    except Ended as error:
        problem = "The session is over."
        raise ApiError(409, "ENDED", problem, "Begin a new session.") from error
    return JSONResponse(
        {
            "is_taken": heard.is_taken,
            "revision": heard.revision,
            "untimed_words": heard.untimed_words,
        }
    )


async def finish(request: Request) -> Response:
    """POST /api/practice/{id}/finish; the summary comes on the session's topic."""
    rooms, who = services_of(request).rooms, user(request)
    try:
        return JSONResponse(_shown(await rooms.finish(who, request.path_params["id"])))
    except KeyError as error:
        raise not_found("session") from error


def _shown(practice: Practice) -> dict[str, Any]:
    figures = {name: value for name, (value, _unit) in practice.figures.items()}
    return {
        "id": practice.id,
        "topic": practice.topic,
        "started_at": practice.started_at,
        "ended_at": practice.ended_at,
        "elapsed_s": practice.elapsed_s,
        "untimed_s": practice.untimed_s,
        "overall": practice.overall,
        "dimensions": dict(practice.dimensions),
        "figures": figures,
    }
