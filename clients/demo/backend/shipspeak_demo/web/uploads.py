"""Chunked, resumable uploads after the core of the tus protocol (tus.io, version 1.0.0).

The received offset is told only when the bytes below it are on disk, so a client that asks after
a crash of either side goes on from a true offset.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from starlette.requests import ClientDisconnect
from starlette.responses import JSONResponse, Response

from shipspeak_demo.web.errors import ApiError, bad_request, not_found
from shipspeak_demo.web.receiver import Receiver
from shipspeak_demo.web.services import services_of

if TYPE_CHECKING:
    from starlette.requests import Request

    from shipspeak_demo.store import Upload

_CHUNK_TYPE = "application/offset+octet-stream"


async def show(request: Request) -> Response:
    """HEAD or GET /api/uploads/{upload_id}: how far the upload is."""
    upload = await _upload(request)
    headers = {
        "Upload-Offset": str(upload.received),
        "Upload-Length": str(upload.size),
        "Cache-Control": "no-store",
    }
    return JSONResponse({"offset": upload.received, "size": upload.size}, headers=headers)


async def patch(request: Request) -> Response:
    """PATCH /api/uploads/{upload_id}: bytes from the offset on."""
    services = services_of(request)
    if request.headers.get("content-type", "").strip().lower() != _CHUNK_TYPE:
        problem = f"The content type is not {_CHUNK_TYPE}."
        raise ApiError(415, "BAD_CONTENT_TYPE", problem, f"Send Content-Type: {_CHUNK_TYPE}.")
    offset = _offset(request)
    upload_id = request.path_params["upload_id"]
    if upload_id in services.busy:
        problem = "Another request is writing to this upload."
        raise ApiError(423, "UPLOAD_BUSY", problem, "Ask for the offset in a second and go on.")
    services.busy.add(upload_id)
    try:
        upload = await _upload(request)
        if offset != upload.received:
            raise ApiError(
                409,
                "OFFSET_MISMATCH",
                f"{upload.received} bytes are kept, the request begins at {offset}.",
                f"Go on from {upload.received}.",
                {"Upload-Offset": str(upload.received)},
            )
        received = await _receive(request, upload)
    finally:
        services.busy.discard(upload_id)
    return Response(status_code=204, headers={"Upload-Offset": str(received)})


async def _receive(request: Request, upload: Upload) -> int:
    receiver = await asyncio.to_thread(Receiver, services_of(request), upload)
    try:
        async for chunk in request.stream():
            if not await receiver.take(chunk):
                await receiver.flush()
                problem = f"More bytes than the {upload.size} announced."
                raise ApiError(413, "TOO_LARGE", problem, "Make a new meeting for the file.")
        return await receiver.flush()
    except ClientDisconnect:
        # The line broke: what came is kept, and the client goes on from there.
        return await receiver.flush()
    except KeyError as error:
        raise not_found("upload") from error
    finally:
        receiver.close()


def _offset(request: Request) -> int:
    value = request.headers.get("upload-offset", "")
    if not (value.isascii() and value.isdigit()) or len(value) > len("67108864"):
        problem = "Upload-Offset is not a number of bytes."
        raise bad_request(problem, "Ask HEAD for the offset and send it.")
    return int(value)


async def _upload(request: Request) -> Upload:
    try:
        upload_id = request.path_params["upload_id"]
        return await asyncio.to_thread(services_of(request).uploads.get, upload_id)
    except KeyError as error:
        raise not_found("upload") from error
