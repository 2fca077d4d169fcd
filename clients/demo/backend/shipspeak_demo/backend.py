"""The back end's program: ``python -m shipspeak_demo.backend``."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import socket
from typing import TYPE_CHECKING

import uvicorn

from shipspeak_demo import program
from shipspeak_demo.compose import make_services
from shipspeak_demo.publishing import open_hub
from shipspeak_demo.store import Database
from shipspeak_demo.web.app import create_app

if TYPE_CHECKING:
    from collections.abc import Iterator

    from shipspeak_demo.settings import Settings

_GRACE_S = 3


class _Server(uvicorn.Server):
    """uvicorn without its signal handlers: the program has its own."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Leave signals alone."""
        yield


async def serve(settings: Settings, listener: socket.socket) -> None:
    """Serve until SIGTERM or SIGINT."""
    stopped = program.stop_event()
    database = Database(settings.database)
    async with open_hub(settings) as hub:
        services = make_services(settings, database, hub)
        await services.aftermath.catch_up()
        config = uvicorn.Config(
            create_app(services),
            lifespan="off",
            log_config=None,
            access_log=False,
            timeout_graceful_shutdown=_GRACE_S,
        )
        server = _Server(config)
        serving = asyncio.create_task(server.serve([listener]))
        host, port = listener.getsockname()[:2]
        program.say(f"shipspeak-demo backend ready http://{host}:{port}")
        stopping = asyncio.create_task(stopped.wait())
        await asyncio.wait({serving, stopping}, return_when=asyncio.FIRST_COMPLETED)
        stopping.cancel()
        server.should_exit = True
        await serving
        await services.announcer.close(_GRACE_S)
        await services.aftermath.close(_GRACE_S)
        await services.profile.close()
    database.close()


def main() -> None:
    """Parse the command line and serve."""
    parser = argparse.ArgumentParser(prog="shipspeak_demo.backend", description=__doc__)
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on")
    parser.add_argument("--port", type=int, default=8090, help="port; 0 = any free one")
    parser.add_argument("--data", help="folder of the database and the uploaded files")
    arguments = parser.parse_args()
    settings = program.start(arguments.data)
    # Listening before the ready line: whoever reads the line can connect.
    listener = socket.create_server((arguments.host, arguments.port), backlog=128)
    asyncio.run(serve(settings, listener))


if __name__ == "__main__":
    main()
