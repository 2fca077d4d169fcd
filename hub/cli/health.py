"""``rthub health``: one health check, told by the exit code, for probes and scripts."""

from __future__ import annotations

import asyncio
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console
from rich.markup import escape
from typer.core import TyperCommand, TyperGroup

from hub.cli.credentials import channel_credentials
from hub.cli.told import check_server, words_of
from shipspeak.realtime.v1 import admin_service_pb2, realtime_service_pb2
from shipspeak_realtime import Health, RealtimeError, check_health

if TYPE_CHECKING:
    from collections.abc import Iterator

BAD_ARGUMENTS = 1
CANNOT_CONNECT = 2
CALL_FAILED = 3
NOT_SERVING = 4

_SERVICES = tuple(
    service.full_name
    for file in (realtime_service_pb2, admin_service_pb2)
    for service in file.DESCRIPTOR.services_by_name.values()
)

# typer shows the class of one kind of bad argument; the base of all kinds is above it.
_UsageError: Any = typer.BadParameter.__base__

_console = Console(stderr=True, highlight=False, soft_wrap=True)


class BadArguments:
    """Bad arguments exit 1, also those that a command's body finds: 2 says something else."""

    def make_context(self, *args: Any, **extra: Any) -> Any:
        """Parse the arguments."""
        with _exit_1():
            return super().make_context(*args, **extra)  # type: ignore[misc]

    def invoke(self, *args: Any, **extra: Any) -> Any:
        """Run it."""
        with _exit_1():
            return super().invoke(*args, **extra)  # type: ignore[misc]


class HealthCommand(BadArguments, TyperCommand):
    """A command whose exit codes are told in its help."""


class HealthGroup(BadArguments, TyperGroup):
    """Commands of one kind; one that does not exist is a bad argument as well."""


@contextmanager
def _exit_1() -> Iterator[None]:
    try:
        yield
    except _UsageError as error:
        error.exit_code = BAD_ARGUMENTS
        raise


def health(
    server: Annotated[
        str,
        typer.Option(
            envvar="RTHUB_SERVER", help="host:port of the gRPC door.", callback=check_server
        ),
    ] = "127.0.0.1:50051",
    service: Annotated[
        str,
        typer.Option(
            help="Full name of a service, such as shipspeak.realtime.v1.RealtimeService, or of a "
            "shard; empty = the hub as a whole."
        ),
    ] = "",
    timeout: Annotated[
        float, typer.Option(min=0.1, help="Seconds to connect, and again to answer.")
    ] = 3.0,
) -> None:
    """Ask a hub whether it serves.

    Exits 0 serving, 1 bad arguments, 2 cannot connect, 3 the call failed, 4 not serving.
    """
    try:
        answer = asyncio.run(
            check_health(server, service, credentials=channel_credentials(), timeout=timeout)
        )
    except RealtimeError as error:
        if error.code.name == "NOT_FOUND":
            _console.print(
                f"[bold red]the call failed[/] the hub has no service {escape(repr(service))}; it "
                f'knows {", ".join(_SERVICES)}, its shards shard/0 and on, and "" for the whole'
            )
            raise typer.Exit(CALL_FAILED) from error
        no_connection = error.reason == "NOT_CONNECTED"
        what = "cannot connect" if no_connection else "the call failed"
        _console.print(f"[bold red]{what}[/] {escape(words_of(error, server))}")
        raise typer.Exit(CANNOT_CONNECT if no_connection else CALL_FAILED) from error
    if answer is not Health.SERVING:
        _console.print(f"[bold red]{answer.name}[/] {escape(service or server)}")
        raise typer.Exit(NOT_SERVING)
    typer.echo(f"SERVING {service or server}")
