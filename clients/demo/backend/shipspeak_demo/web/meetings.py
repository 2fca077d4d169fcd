"""Routes of meetings: make, list, result, transcript, recover."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from starlette.responses import JSONResponse, Response

from shipspeak_demo.facts import StageBegan
from shipspeak_demo.store import Meeting, NotFailed, NotOffered
from shipspeak_demo.transcript import BrokenTranscript, Transcript, read_transcript
from shipspeak_demo.web.auth import maybe_user
from shipspeak_demo.web.body import json_body, size_field, text_field
from shipspeak_demo.web.errors import ApiError, bad_request, not_found
from shipspeak_demo.web.services import services_of

if TYPE_CHECKING:
    from starlette.requests import Request

    from shipspeak_demo.web.services import Services

_MOST_LISTED = 100


async def create(request: Request) -> Response:
    """POST /api/meetings."""
    services = services_of(request)
    body = await json_body(request)
    size = size_field(body)
    filename = text_field(body, "filename")
    title = text_field(body, "title", default=filename)
    owner = maybe_user(request)
    meeting = await asyncio.to_thread(services.meetings.create, title, filename, size, owner)
    _announce_upload(services, meeting)
    return JSONResponse(_ticket(meeting), 201, headers={"Location": _upload_url(meeting)})


async def index(request: Request) -> Response:
    """GET /api/meetings."""
    meetings = await asyncio.to_thread(services_of(request).meetings.newest, _MOST_LISTED)
    return JSONResponse({"meetings": [_shown(meeting) for meeting in meetings]})


async def show(request: Request) -> Response:
    """GET /api/meetings/{id}."""
    return JSONResponse(_shown(await _meeting(request)))


async def result(request: Request) -> Response:
    """GET /api/meetings/{id}/result."""
    meeting = await _meeting(request)
    if meeting.result is None:
        raise _not_ready(meeting)
    return JSONResponse(meeting.result)


async def transcript(request: Request) -> Response:
    """GET /api/meetings/{id}/transcript: what the figures can be checked against."""
    meeting = await _meeting(request)
    if meeting.status == "uploading":
        raise _not_ready(meeting)
    path = services_of(request).settings.uploads / meeting.upload_id
    try:
        read = await asyncio.to_thread(lambda: read_transcript(path.read_bytes()))
    except BrokenTranscript as error:
        raise ApiError(422, "BROKEN_TRANSCRIPT", str(error), error.what_to_do) from error
    return JSONResponse(await asyncio.to_thread(_transcript_shown, read))


async def retry(request: Request) -> Response:
    """POST /api/meetings/{id}/retry."""
    services = services_of(request)
    meeting_id = request.path_params["id"]
    body = await json_body(request)
    option = body.get("option", "retry_stage")
    try:
        if option == "retry_stage":
            meeting = await asyncio.to_thread(services.meetings.retry_stage, meeting_id)
            ticket = _ticket(meeting)
            ticket = {name: ticket[name] for name in ("id", "topic", "attempt")}
            return JSONResponse(ticket, 202)
        if option == "upload_again":
            filename, size = text_field(body, "filename"), size_field(body)
            again = services.meetings.upload_again
            meeting = await asyncio.to_thread(again, meeting_id, filename, size)
            _announce_upload(services, meeting)
            return JSONResponse(_ticket(meeting), 201, headers={"Location": _upload_url(meeting)})
    except KeyError as error:
        raise not_found("meeting") from error
    except NotFailed as error:
        problem = f"The meeting is {error.status}; there is nothing to recover from."
        raise ApiError(409, "NOT_FAILED", problem, "Look at the meeting again.") from error
    except NotOffered as error:
        problem = f"{option} is no way out of this failure."
        what_to_do = f"Send {' or '.join(error.options)}."
        raise ApiError(409, "NOT_OFFERED", problem, what_to_do) from error
    problem = f"'{str(option)[:40]}' is no recovery option."
    raise bad_request(problem, "Send retry_stage or upload_again.")


async def _meeting(request: Request) -> Meeting:
    meetings = services_of(request).meetings
    try:
        return await asyncio.to_thread(meetings.get, request.path_params["id"])
    except KeyError as error:
        raise not_found("meeting") from error


def _not_ready(meeting: Meeting) -> ApiError:
    problem = f"The meeting is {meeting.status}."
    return ApiError(409, "NOT_READY", problem, "Watch its topic and ask again.")


def _announce_upload(services: Services, meeting: Meeting) -> None:
    services.announcer.put(
        StageBegan(meeting_id=meeting.id, attempt=meeting.attempt, stage="upload", previous="")
    )


def _upload_url(meeting: Meeting) -> str:
    return f"/api/uploads/{meeting.upload_id}"


def _ticket(meeting: Meeting) -> dict[str, Any]:
    return {
        "id": meeting.id,
        "topic": f"meeting/{meeting.id}",
        "attempt": meeting.attempt,
        "upload_url": _upload_url(meeting),
        "size": meeting.size,
    }


def _shown(meeting: Meeting) -> dict[str, Any]:
    return {
        **_ticket(meeting),
        "title": meeting.title,
        "filename": meeting.filename,
        "owner": meeting.owner,
        "status": meeting.status,
        "received": meeting.received,
        "created_at": meeting.created_at,
        "updated_at": meeting.updated_at,
        "failure": meeting.failure,
    }


def _transcript_shown(read: Transcript) -> dict[str, Any]:
    cues = [
        {"start_ms": c.start_ms, "end_ms": c.end_ms, "speaker": c.speaker, "text": c.text}
        for c in read.cues
    ]
    return {"format": read.format, "timing": read.timing, "cues": cues}
