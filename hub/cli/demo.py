"""``rthub demo``: a hub and the reference product, each part a process of its own."""

from __future__ import annotations

import asyncio
import json
import os
import secrets
import signal
import socket
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated

import structlog
import typer
from rich.console import Console

from hub.telemetry.logs import configure_logs

log = structlog.get_logger(__name__)
_console = Console()

_REPOSITORY = Path(__file__).parent.parent.parent
_DEMO = _REPOSITORY / "clients" / "demo"
_RESTART_SECONDS = 0.5
_STOP_SECONDS = 15.0


@dataclass(slots=True)
class Child:
    """A process that is started again when it dies.

    Attributes:
        name: for the log.
        command: arguments.
        env: its environment.
    """

    name: str
    command: list[str]
    env: Mapping[str, str] = field(default_factory=dict)

    async def keep_running(self) -> None:
        """Run until cancelled; then end it by SIGTERM."""
        while True:
            process = await asyncio.create_subprocess_exec(*self.command, env=dict(self.env))
            log.info("started", process=self.name, pid=process.pid)
            try:
                status = await process.wait()
            except asyncio.CancelledError:
                await self._end(process)
                raise
            log.warning("died", process=self.name, status=status, again_in_seconds=_RESTART_SECONDS)
            await asyncio.sleep(_RESTART_SECONDS)

    async def _end(self, process: asyncio.subprocess.Process) -> None:
        if process.returncode is not None:
            return
        process.send_signal(signal.SIGTERM)
        try:
            async with asyncio.timeout(_STOP_SECONDS):
                await process.wait()
        except TimeoutError:
            log.warning("killing", process=self.name, pid=process.pid)
            process.kill()
            await process.wait()


def demo(
    port: Annotated[
        int, typer.Option(help="Port of the page; 0 = 8080, or a free one when it is taken.")
    ] = 0,
    data_dir: Annotated[
        Path | None, typer.Option(help="Keep everything here; default: a new temporary folder.")
    ] = None,
    speed: Annotated[
        float,
        typer.Option(help="Times faster than the transcript was spoken; 0 = as fast as possible."),
    ] = 120,
    free_ports: Annotated[  # noqa: FBT002 - typer makes it the flag --free-ports
        bool, typer.Option("--free-ports", help="Any free ports, to run several side by side.")
    ] = False,
) -> None:
    """Run the reference product: upload a transcript and watch its analysis live, in every tab."""
    if not _DEMO.is_dir():
        raise typer.BadParameter(
            "the reference product is not part of the installed package:"
            " run this in the project's source tree, by `make run`"
        )
    configure_logs(json=False, level="info")
    with tempfile.TemporaryDirectory(prefix="rthub-demo-") as temporary:
        asyncio.run(_run(data_dir or Path(temporary), port, speed, free_ports=free_ports))


async def _run(data_dir: Path, port: int, speed: float, *, free_ports: bool) -> None:
    # The usual ports are easy to remember; two demos that start at once may both find them free.
    usual = (0, 0, 0) if free_ports else (8080, 50051, 8090)
    http_port = _free_port(port or usual[0], exact=bool(port))
    grpc_port, backend_port = _free_port(usual[1]), _free_port(usual[2])
    page = f"http://127.0.0.1:{http_port}"
    backend = f"http://127.0.0.1:{backend_port}"
    ready_file = data_dir / "hub-ready.json"
    # The launcher may have been killed with its hub: an old file must not pass for a new hub.
    ready_file.unlink(missing_ok=True)
    stopping = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stopping.set)
    children = _children(data_dir, ready_file, speed, ports=(http_port, grpc_port, backend_port))
    tasks = [asyncio.create_task(child.keep_running(), name=child.name) for child in children]
    watcher = asyncio.create_task(stopping.wait())
    try:
        while not ready_file.exists() and not watcher.done():
            await asyncio.wait([watcher], timeout=0.1)
        if not watcher.done():
            _console.print(f"\n[bold green]ShipSpeak Realtime demo[/]  {page}/\n", highlight=False)
            _console.print(
                f"  gRPC door   127.0.0.1:{grpc_port}\n  back end    {backend}", highlight=False
            )
            _console.print(
                f"  in a terminal: rthub tail meeting/ID --server 127.0.0.1:{grpc_port}",
                highlight=False,
            )
            _console.print("  Ctrl-C ends everything.\n", highlight=False)
        await asyncio.wait([watcher, *tasks], return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in (watcher, *tasks):
            task.cancel()
        results = await asyncio.gather(watcher, *tasks, return_exceptions=True)
    for result in results:
        if isinstance(result, Exception):
            raise result


def _children(
    data_dir: Path, ready_file: Path, speed: float, *, ports: tuple[int, int, int]
) -> list[Child]:
    http_port, grpc_port, backend_port = ports
    page, backend = f"http://127.0.0.1:{http_port}", f"http://127.0.0.1:{backend_port}"
    # A secret for this run only, never printed; the processes get it by their environment.
    common = {
        **os.environ,
        "RTHUB_AUTH_HS256_SECRET": os.environ.get("RTHUB_AUTH_HS256_SECRET")
        or secrets.token_urlsafe(48),
        "RTHUB_AUTH_ISSUER": "shipspeak",
        "RTHUB_AUTH_AUDIENCE": "shipspeak-realtime",
    }
    config = {"backend": backend, "hub": "", "grpc": f"127.0.0.1:{grpc_port}"}
    hub_env = {
        **common,
        "RTHUB_PAGE_CONFIG": json.dumps(config),
        "RTHUB_PAGE_CONNECT_SOURCES": backend,
    }
    product_env = {
        **common,
        "PYTHONPATH": os.pathsep.join([str(_DEMO / "backend"), os.environ.get("PYTHONPATH", "")]),
        "SHIPSPEAK_DEMO_DATA": str(data_dir / "product"),
        "SHIPSPEAK_DEMO_HUB": f"127.0.0.1:{grpc_port}",
        "SHIPSPEAK_DEMO_ALLOWED_ORIGINS": f"{page},http://localhost:{http_port}",
        "SHIPSPEAK_DEMO_SAMPLES": str(_DEMO / "samples"),
        "SHIPSPEAK_DEMO_PUBLIC_URL": backend,
    }
    serve = f"serve --dev --http-port {http_port} --grpc-port {grpc_port} --origin {page}".split()
    serve += ["--data-dir", str(data_dir / "hub"), "--ready-file", str(ready_file)]
    back_end = f"-m shipspeak_demo.backend --port {backend_port}".split()
    worker = f"-m shipspeak_demo.worker --speed {speed}".split()
    python = sys.executable
    return [
        Child("hub", [python, "-m", "hub", *serve], hub_env),
        Child("back end", [python, *back_end], product_env),
        Child("worker", [python, *worker], product_env),
    ]


def _free_port(wanted: int, *, exact: bool = False) -> int:
    """The wanted port when it is free, else any other.

    Raises:
        typer.BadParameter: ``exact`` and it is taken.
    """
    for candidate in (wanted, 0):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", candidate))
            except OSError:
                if exact:
                    raise typer.BadParameter(f"port {wanted} is taken; choose another") from None
                continue
            port: int = probe.getsockname()[1]
            return port
    raise typer.BadParameter("no free port was found")
