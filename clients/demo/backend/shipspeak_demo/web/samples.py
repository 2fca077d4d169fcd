"""Routes of the sample transcripts."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING, Any

from starlette.responses import JSONResponse, Response

from shipspeak_demo.web.errors import not_found
from shipspeak_demo.web.services import services_of

if TYPE_CHECKING:
    from pathlib import Path

    from starlette.requests import Request


async def index(request: Request) -> Response:
    """GET /api/samples."""
    samples = await asyncio.to_thread(_samples, services_of(request).settings.samples)
    return JSONResponse({"samples": samples})


async def show(request: Request) -> Response:
    """GET /api/samples/{name}; only names in the index are served."""
    folder = services_of(request).settings.samples
    name = request.path_params["name"]
    if name not in {sample["name"] for sample in await asyncio.to_thread(_samples, folder)}:
        raise not_found("sample")
    data = await asyncio.to_thread((folder / name).read_bytes)
    return Response(data, media_type="text/plain; charset=utf-8")


def _samples(folder: Path) -> list[dict[str, Any]]:
    samples: list[dict[str, Any]] = json.loads((folder / "index.json").read_text("utf-8"))[
        "samples"
    ]
    return [{**sample, "size": (folder / sample["name"]).stat().st_size} for sample in samples]
