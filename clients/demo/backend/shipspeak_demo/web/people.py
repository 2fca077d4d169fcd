"""Routes of people: who may sign in, and what follows when somebody has."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from starlette.responses import JSONResponse, Response

from shipspeak_demo.people import PEOPLE, Person, person_of
from shipspeak_demo.web.auth import user
from shipspeak_demo.web.services import services_of

if TYPE_CHECKING:
    from starlette.requests import Request


async def index(request: Request) -> Response:
    """GET /api/people."""
    del request
    return JSONResponse({"people": [_shown(person) for person in PEOPLE]})


async def arrive(request: Request) -> Response:
    """POST /api/arrivals: the page of a user is open, who is told how things stand."""
    services = services_of(request)
    who = user(request)
    services.profile.greet(who)
    waiting = await asyncio.to_thread(services.told.reminder, who)
    due = None if waiting is None else waiting[1]
    return JSONResponse({**_shown(person_of(who)), "reminder_at": due}, 202)


def _shown(person: Person) -> dict[str, object]:
    return {"id": person.id, "name": person.name, "role": person.role, "desk": person.desk}
