"""Routes of announcements and reminders."""

from __future__ import annotations

from typing import TYPE_CHECKING

from starlette.responses import JSONResponse, Response

from shipspeak_demo.desk import KINDS, Announcement
from shipspeak_demo.people import person_of
from shipspeak_demo.web.auth import user
from shipspeak_demo.web.body import json_body, number_field, text_field
from shipspeak_demo.web.errors import ApiError, bad_request
from shipspeak_demo.web.services import services_of
from shipspeak_realtime import RealtimeError

if TYPE_CHECKING:
    from starlette.requests import Request

_DAY_S = 86_400.0
_LEAST_S = 5.0
_REMINDED = ("Time to practise", "You asked to be reminded.")


async def announce(request: Request) -> Response:
    """POST /api/news: tell everybody; for those at the desk."""
    services, who = services_of(request), user(request)
    if not person_of(who).desk:
        problem = "Announcements to everybody are made at the product desk."
        raise ApiError(403, "NOT_YOURS", problem, "Ask the product lead.")
    body = await json_body(request)
    kind = next((one for one in KINDS if one == body.get("kind")), None)
    if kind is None:
        raise bad_request("'kind' is no kind of announcement.", f"Send {', '.join(KINDS)}.")
    news = Announcement(
        kind=kind,
        title=text_field(body, "title"),
        body=text_field(body, "body") if body.get("body") else "",
        in_s=number_field(body, "in_s", 0, 7 * _DAY_S, default=0),
        lasts_s=number_field(body, "lasts_s", _LEAST_S, 30 * _DAY_S, default=_DAY_S),
    )
    try:
        receipt = await services.desk.announce(news)
    except RealtimeError as error:
        raise _away() from error
    return JSONResponse({"id": receipt.id, "outcome": receipt.outcome.name.lower()}, 202)


async def remind(request: Request) -> Response:
    """POST /api/reminders: remind me, in place of what waited before."""
    services, who = services_of(request), user(request)
    body = await json_body(request)
    due = services.desk.moment(number_field(body, "in_s", _LEAST_S, 30 * _DAY_S))
    try:
        await services.profile.remind(who, *_REMINDED, due)
    except RealtimeError as error:
        raise _away() from error
    return JSONResponse({"reminder_at": due.timestamp()}, 202)


def _away() -> ApiError:
    problem = "The hub does not take it at the moment."
    return ApiError(503, "HUB_AWAY", problem, "Try again in a moment.")
