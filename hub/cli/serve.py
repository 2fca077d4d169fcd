"""``rthub serve``: run a hub until SIGTERM or SIGINT."""

from __future__ import annotations

import asyncio
import os
import signal
from pathlib import Path
from typing import Annotated, Any

import structlog
import typer
import uvloop
from pydantic import ValidationError
from rich.console import Console
from rich.markup import escape

from hub.app import Hub
from hub.auth.keys import KeyUnusable
from hub.cli.process import take_all_files, tune_interpreter
from hub.cli.supervisor import Supervisor
from hub.cli.worker import Lifeline, Post
from hub.errors import HubError
from hub.settings import Settings, unknown_variables
from hub.telemetry.logs import configure_logs

log = structlog.get_logger(__name__)
_console = Console(stderr=True, highlight=False, soft_wrap=True)

EXIT_BAD_SETTINGS = 1
EXIT_CANNOT_START = 2


def serve(
    host: Annotated[
        str | None, typer.Option(help="Address of both doors. Default 127.0.0.1.")
    ] = None,
    grpc_port: Annotated[
        int | None, typer.Option(help="gRPC door; 0 = a free port. Default 50051.")
    ] = None,
    http_port: Annotated[
        int | None, typer.Option(help="Browsers' door; 0 = a free port. Default 8080.")
    ] = None,
    data_dir: Annotated[
        Path | None, typer.Option(help="Folder of the shard files. Default ./rthub-data.")
    ] = None,
    shards: Annotated[
        int | None, typer.Option(help="Shard files, fixed when the folder is made. Default 4.")
    ] = None,
    workers: Annotated[
        int | None,
        typer.Option(help="Processes that share the ports and the shards. Default 1."),
    ] = None,
    accept_lost_shards: Annotated[
        bool | None,
        typer.Option(
            "--accept-lost-shards",
            help="Start although shard files are lost: empty ones take their place.",
        ),
    ] = None,
    origin: Annotated[
        list[str] | None, typer.Option(help="Origin whose pages may call; repeat for more.")
    ] = None,
    dev: Annotated[
        bool | None, typer.Option("--dev", help="Development: no token needed. Loud about it.")
    ] = None,
    http_server: Annotated[
        str | None,
        typer.Option(help="Browsers' door: uvicorn, or granian for HTTP/2. Default uvicorn."),
    ] = None,
    ready_file: Annotated[
        Path | None, typer.Option(help="Write {grpc, http, pid} here once serving.")
    ] = None,
    heartbeat: Annotated[
        float | None, typer.Option(help="Heartbeat interval in seconds. Default 20.")
    ] = None,
    log_json: Annotated[bool | None, typer.Option("--log-json", help="Log lines as JSON.")] = None,
) -> None:
    """Run a hub. RTHUB_* environment variables set the same and more; see docs/settings.md."""
    given: dict[str, Any] = {
        "host": host,
        "grpc_port": grpc_port,
        "http_port": http_port,
        "data_dir": data_dir,
        "shards": shards,
        "workers": workers,
        "accept_lost_shards": accept_lost_shards,
        "allowed_origins": tuple(origin) if origin else None,
        "dev": dev,
        "http_server": http_server,
        "ready_file": ready_file,
        "heartbeat_interval": heartbeat,
        "log_json": log_json,
    }
    settings = load_settings({name: value for name, value in given.items() if value is not None})
    post = Post.from_environment()
    if post is not None:
        configure_logs(json=settings.log_json, level=settings.log_level, worker=post.name)
        raise typer.Exit(uvloop.run(run(post.settings(settings), post)))
    writer = "supervisor" if settings.workers > 1 else ""
    configure_logs(json=settings.log_json, level=settings.log_level, worker=writer)
    for name, nearest in unknown_variables(os.environ).items():
        log.warning("unknown_variable", name=name, did_you_mean=nearest or None, effect="ignored")
    raise typer.Exit(uvloop.run(run(settings) if settings.workers == 1 else supervise(settings)))


def load_settings(given: dict[str, Any]) -> Settings:
    """Settings from arguments and environment; exits with a readable list of what is wrong."""
    try:
        return Settings(**given)
    except ValidationError as error:
        for problem in error.errors():
            name = ".".join(str(part) for part in problem["loc"])
            _tell(name, problem["msg"].removeprefix("Value error, "))
        raise typer.Exit(EXIT_BAD_SETTINGS) from error


def _tell(name: str, text: str) -> None:
    _console.print(f"[bold red]settings[/] {escape(f'{name}: {text}' if name else text)}")


def _tell_no_start(settings: Settings, error: OSError | HubError) -> None:
    # The system's number says nothing to a person.
    told = (isinstance(error, OSError) and error.strerror) or str(error)
    if settings.log_json:
        log.error("cannot_start", error=told)
    else:
        _console.print(f"[bold red]cannot start[/] {escape(told)}")


async def supervise(settings: Settings) -> int:
    """Run workers until SIGTERM or SIGINT, then drain them; the exit status."""
    try:
        return await Supervisor(settings).run()
    except (OSError, HubError) as error:
        _tell_no_start(settings, error)
        return EXIT_CANNOT_START


async def run(settings: Settings, post: Post | None = None) -> int:
    """Serve until SIGTERM or SIGINT, then drain; the exit status.

    Args:
        settings: frozen and validated.
        post: what a worker is told by its supervisor, with which it also ends.
    """
    stopping = asyncio.Event()
    lifeline = Lifeline(post, stopping.set) if post is not None else None
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stopping.set)
    take_all_files()
    try:
        hub = Hub(settings, post.place if post is not None else None)
    except KeyUnusable as error:
        _tell("auth", str(error))
        return EXIT_BAD_SETTINGS
    except OSError as error:
        _tell("tls", f"{error.filename}: {error.strerror}" if error.filename else str(error))
        return EXIT_BAD_SETTINGS
    if lifeline is not None:
        lifeline.start()
    try:
        try:
            await hub.start()
        except (OSError, HubError) as error:
            _tell_no_start(settings, error)
            return EXIT_CANNOT_START
        tune_interpreter()
        if lifeline is not None:
            await lifeline.ready()
        await stopping.wait()
        await hub.stop()
    finally:
        # Its threads keep the process alive: whatever fails above, the store is closed.
        await hub.engine.stop()
        if lifeline is not None:
            lifeline.stop()
    return 0
