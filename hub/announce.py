"""Tells whoever started the hub that it serves, and where: in the log, and in the ready file."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING

import structlog

if TYPE_CHECKING:
    from pathlib import Path

    from hub.settings import Settings

log = structlog.get_logger(__name__)


def announce(settings: Settings, instance: str, grpc_port: int, http_port: int) -> None:
    """Log that the hub serves, and write the ready file where one is asked for."""
    log.info(
        "serving",
        instance=instance,
        grpc=f"{settings.host}:{grpc_port}",
        page=f"{_scheme(settings)}://{settings.host}:{http_port}/",
        data=str(settings.data_dir),
        shards=settings.shards,
    )
    if settings.dev:
        log.warning(
            "DEVELOPMENT_MODE",
            meaning="callers without a token may do anything; never use it in production",
        )
    if settings.allow_plaintext and not settings.tls:
        log.warning(
            "PLAIN_TEXT",
            meaning="tokens and events can be read on the way; do TLS in front of the hub",
        )
    if settings.ready_file is not None:
        _write_ready_file(settings, settings.ready_file, grpc_port, http_port)


def _scheme(settings: Settings) -> str:
    return "https" if settings.tls else "http"


def _write_ready_file(settings: Settings, path: Path, grpc_port: int, http_port: int) -> None:
    """Write {grpc, http, pid} as JSON; whoever sees the file sees all of it."""
    ready = {
        "grpc": f"{settings.host}:{grpc_port}",
        "http": f"{_scheme(settings)}://{settings.host}:{http_port}",
        "pid": os.getpid(),
    }
    unfinished = path.with_suffix(".tmp")
    unfinished.write_text(json.dumps(ready))
    unfinished.replace(path)
