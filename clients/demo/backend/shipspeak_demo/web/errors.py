"""Errors that a caller sees: a status, a code, what is wrong and what to do."""

from __future__ import annotations

from typing import TYPE_CHECKING

from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse, Response

if TYPE_CHECKING:
    from collections.abc import Mapping

    from starlette.requests import Request


class ApiError(Exception):
    """An answer other than success."""

    def __init__(
        self,
        status: int,
        code: str,
        message: str,
        what_to_do: str,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        """Keep the parts of the answer."""
        super().__init__(message)
        self.status = status
        self.code = code
        self.message = message
        self.what_to_do = what_to_do
        self.headers = headers


def bad_request(message: str, what_to_do: str) -> ApiError:
    """The caller's words cannot be understood."""
    return ApiError(422, "BAD_REQUEST", message, what_to_do)


def not_found(what: str) -> ApiError:
    """There is no such thing."""
    return ApiError(404, "NOT_FOUND", f"There is no such {what}.", "List the meetings and choose.")


def signed_out(what_is_wrong: str) -> ApiError:
    """The caller has not said who it is, or not so that it can be believed."""
    return ApiError(401, "SIGNED_OUT", what_is_wrong, "Ask for a token and send it.")


def answer_api_error(request: Request, error: Exception) -> Response:
    """Turn an ``ApiError`` into its answer."""
    del request
    if not isinstance(error, ApiError):
        raise error
    body = {"code": error.code, "message": error.message, "what_to_do": error.what_to_do}
    return JSONResponse({"error": body}, error.status, headers=error.headers)


def answer_http_error(request: Request, error: Exception) -> Response:
    """Turn the framework's own errors (no such route, wrong method) into the same shape."""
    del request
    if not isinstance(error, HTTPException):
        raise error
    code = {404: "NOT_FOUND", 405: "METHOD_NOT_ALLOWED"}.get(error.status_code, "BAD_REQUEST")
    body = {"code": code, "message": error.detail, "what_to_do": "See the table of routes."}
    return JSONResponse({"error": body}, error.status_code, headers=error.headers)
