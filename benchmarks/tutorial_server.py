"""Runs the tutorial's hub as a process: ``python -m benchmarks.tutorial_server --ready-file PATH``.

``--web`` adds the browsers' door and runs on uvloop, as uvicorn does by default; without it the
process is what the gRPC tutorial shows, on plain asyncio.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import signal
import socket
from pathlib import Path

import grpc.aio
import uvicorn
import uvloop

from benchmarks.tutorial_hub import TutorialHub, register
from benchmarks.tutorial_web import web_app

_BACKLOG = 4096
_STOP_SECONDS = 1


async def serve(ready_file: Path, *, web: bool) -> None:
    """Serves until SIGTERM; writes the addresses once it does."""
    hub = TutorialHub()
    server = grpc.aio.server()
    register(hub, server)
    grpc_port, http_port = server.add_insecure_port("127.0.0.1:0"), 0
    await server.start()
    stopped = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stopped.set)
    browsers = None
    if web:
        door = socket.create_server(("127.0.0.1", 0), backlog=_BACKLOG)
        http_port = door.getsockname()[1]
        browsers = asyncio.create_task(_browser_door(hub).serve(sockets=[door]))
    fresh = ready_file.with_suffix(".new")
    doors = {"grpc": f"127.0.0.1:{grpc_port}", "http": f"http://127.0.0.1:{http_port}"}
    fresh.write_text(json.dumps(doors))
    fresh.replace(ready_file)
    await stopped.wait()
    if browsers is not None:
        browsers.cancel()
    await server.stop(_STOP_SECONDS)


class _Door(uvicorn.Server):
    """uvicorn inside our loop: the signals are ours."""

    def install_signal_handlers(self) -> None:
        """Leaves them alone."""


def _browser_door(hub: TutorialHub) -> uvicorn.Server:
    config = uvicorn.Config(
        web_app(hub),
        http="httptools",
        lifespan="off",
        access_log=False,
        log_level="warning",
        backlog=_BACKLOG,
    )
    return _Door(config)


def main() -> None:
    """Reads the arguments and serves."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--ready-file", type=Path, required=True)
    parser.add_argument("--web", action="store_true")
    arguments = parser.parse_args()
    work = serve(arguments.ready_file, web=arguments.web)
    if arguments.web:
        uvloop.run(work)
    else:
        asyncio.run(work)


if __name__ == "__main__":
    main()
