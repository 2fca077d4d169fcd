"""The ASGI app: the table of routes and who may call them from a page."""

from __future__ import annotations

from typing import TYPE_CHECKING

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.middleware.cors import CORSMiddleware
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from shipspeak_demo.web import meetings, news, people, practice, samples, token, uploads
from shipspeak_demo.web.errors import ApiError, answer_api_error, answer_http_error

if TYPE_CHECKING:
    from starlette.requests import Request

    from shipspeak_demo.web.services import Services


async def _healthy(request: Request) -> Response:
    del request
    return JSONResponse({"status": "ok"})


ROUTES = [
    Route("/healthz", _healthy),
    Route("/api/token", token.show),
    Route("/api/people", people.index),
    Route("/api/arrivals", people.arrive, methods=["POST"]),
    Route("/api/practice", practice.create, methods=["POST"]),
    Route("/api/practice", practice.index, methods=["GET"]),
    Route("/api/practice/{id}", practice.show),
    Route("/api/practice/{id}/speech", practice.speak, methods=["PUT"]),
    Route("/api/practice/{id}/finish", practice.finish, methods=["POST"]),
    Route("/api/news", news.announce, methods=["POST"]),
    Route("/api/reminders", news.remind, methods=["POST"]),
    Route("/api/samples", samples.index),
    Route("/api/samples/{name}", samples.show),
    Route("/api/meetings", meetings.create, methods=["POST"]),
    Route("/api/meetings", meetings.index, methods=["GET"]),
    Route("/api/meetings/{id}", meetings.show),
    Route("/api/meetings/{id}/result", meetings.result),
    Route("/api/meetings/{id}/transcript", meetings.transcript),
    Route("/api/meetings/{id}/retry", meetings.retry, methods=["POST"]),
    Route("/api/uploads/{upload_id}", uploads.show, methods=["GET"]),
    Route("/api/uploads/{upload_id}", uploads.patch, methods=["PATCH"]),
]


def create_app(services: Services) -> Starlette:
    """Make the app; its origins come from the settings."""
    pages = Middleware(
        CORSMiddleware,
        allow_origins=services.settings.allowed_origins,
        allow_methods=["GET", "HEAD", "POST", "PUT", "PATCH"],
        allow_headers=["Authorization", "Content-Type", "Upload-Offset"],
        expose_headers=["Upload-Offset", "Upload-Length"],
        max_age=600,
    )
    app = Starlette(
        routes=ROUTES,
        middleware=[pages],
        exception_handlers={ApiError: answer_api_error, HTTPException: answer_http_error},
    )
    app.state.services = services
    return app
