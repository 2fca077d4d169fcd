"""JSON bodies and their fields, checked."""

from __future__ import annotations

import json
import unicodedata
from typing import TYPE_CHECKING, Any

from shipspeak_demo.web.errors import ApiError, bad_request
from shipspeak_demo.web.services import LARGEST_UPLOAD

if TYPE_CHECKING:
    from starlette.requests import Request

LARGEST_BODY = 16 * 1024
_LONGEST_TEXT = 200


async def json_body(request: Request, largest: int = LARGEST_BODY) -> dict[str, Any]:
    """Read a JSON object of at most so many bytes; raises ApiError."""
    # The content type also makes a browser ask first (preflight) before it sends another site's.
    kind = request.headers.get("content-type", "").split(";")[0].strip().lower()
    if kind != "application/json":
        problem = "The content type is not application/json."
        raise ApiError(415, "BAD_CONTENT_TYPE", problem, "Send Content-Type: application/json.")
    raw = bytearray()
    async for chunk in request.stream():
        raw += chunk
        if len(raw) > largest:
            problem = f"The body is larger than {largest} bytes."
            raise ApiError(413, "TOO_LARGE", problem, "Send the fields alone.")
    try:
        body = json.loads(raw)
    except (ValueError, RecursionError) as error:
        raise bad_request("The body is not JSON.", "Send a JSON object.") from error
    if not isinstance(body, dict):
        raise bad_request("The body is not a JSON object.", "Send a JSON object.")
    return body


def text_field(body: dict[str, Any], name: str, *, default: str | None = None) -> str:
    """Take a text for display: 1 to 200 characters, no control characters; raises ApiError."""
    value = body.get(name, default)
    if not isinstance(value, str) or not 1 <= len(value.strip()) <= _LONGEST_TEXT:
        problem = f"'{name}' is not a text of 1 to {_LONGEST_TEXT} characters."
        raise bad_request(problem, f"Send '{name}' as text.")
    value = value.strip()
    # Cc: control characters; Cs: half surrogates, which are no text on any wire.
    if any(unicodedata.category(letter) in {"Cc", "Cs"} for letter in value):
        raise bad_request(f"'{name}' holds control characters.", "Leave them out.")
    return value


def size_field(body: dict[str, Any]) -> int:
    """Take the size of an upload in bytes; raises ApiError."""
    size = body.get("size")
    if type(size) is not int or size < 1:
        raise bad_request("'size' is not a whole number of bytes from 1.", "Send the file's size.")
    if size > LARGEST_UPLOAD:
        problem = f"{size} bytes are more than an upload may have ({LARGEST_UPLOAD})."
        raise ApiError(413, "TOO_LARGE", problem, "Choose a smaller file.")
    return size


def number_field(
    body: dict[str, Any], name: str, least: float, most: float, *, default: float | None = None
) -> float:
    """Take a number between two bounds; raises ApiError."""
    value = body.get(name, default)
    # A bool is an int in Python, and a float may be no number.
    if isinstance(value, bool) or not isinstance(value, int | float) or not least <= value <= most:
        problem = f"'{name}' is not a number from {least:g} to {most:g}."
        raise bad_request(problem, f"Send '{name}' as a number.")
    return value


def speech_field(body: dict[str, Any], name: str, longest: int) -> str:
    """Take a text with line breaks, which may be empty; raises ApiError."""
    value = body.get(name)
    if not isinstance(value, str) or len(value) > longest:
        problem = f"'{name}' is not a text of at most {longest} characters."
        raise bad_request(problem, "Begin a new session for more.")
    if any(unicodedata.category(letter) == "Cs" for letter in value):
        raise bad_request(f"'{name}' holds halves of letters.", "Send whole letters.")
    return value
