"""``rthub topics``, ``rthub sessions`` and ``rthub queue``: a look inside a hub, and removal."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from hub.cli.credentials import channel_credentials
from hub.cli.health import BAD_ARGUMENTS, CALL_FAILED, CANNOT_CONNECT, HealthCommand
from hub.cli.told import check_server
from shipspeak_realtime import AdminClient, NetworkError, RealtimeError

if TYPE_CHECKING:
    from google.protobuf.timestamp_pb2 import Timestamp

    from shipspeak.realtime.v1 import admin_service_pb2

ResultT = TypeVar("ResultT")

Server = Annotated[
    str,
    typer.Option(envvar="RTHUB_SERVER", help="host:port of the gRPC door.", callback=check_server),
]
Token = Annotated[
    str,
    typer.Option(envvar="RTHUB_TOKEN", help="JWT with the admin right.", show_default=False),
]
Topic = Annotated[str, typer.Argument(help="kind/id, such as meeting/42.")]
Timeout = Annotated[float, typer.Option(min=0.1, help="Seconds for a call that removes nothing.")]
LOCAL = "127.0.0.1:50051"
TIMEOUT_SECONDS = 10.0

_console = Console(highlight=False, soft_wrap=True)
_errors = Console(stderr=True, highlight=False, soft_wrap=True)

queue = typer.Typer(no_args_is_help=True, help="Look into one topic's queue, and empty it.")


def topics(
    pattern: Annotated[str, typer.Argument(help="Pattern, such as 'meeting/*'; empty = all.")] = "",
    server: Server = LOCAL,
    token: Token = "",
    timeout: Timeout = TIMEOUT_SECONDS,
) -> None:
    """List topics: how many events each keeps, since when, and who reads it.

    Exits 0 done, 1 bad arguments, 2 cannot connect, 3 the call failed.
    """
    run_admin(server, token, timeout, lambda admin: _show_topics(admin, pattern))


def sessions(
    user: Annotated[str, typer.Option(help="Only this user's.")] = "",
    topic: Annotated[str, typer.Option(help="Only those that read this topic.")] = "",
    server: Server = LOCAL,
    token: Token = "",
    timeout: Timeout = TIMEOUT_SECONDS,
) -> None:
    """List sessions: whose, over what, reading what.

    Exits 0 done, 1 bad arguments, 2 cannot connect, 3 the call failed.
    """
    run_admin(server, token, timeout, lambda admin: _show_sessions(admin, user, topic))


@queue.command("show", cls=HealthCommand)
def show(
    topic: Topic, server: Server = LOCAL, token: Token = "", timeout: Timeout = TIMEOUT_SECONDS
) -> None:
    """Show one topic's depth, oldest event and readers; exits 1 when there is no such topic."""
    run_admin(server, token, timeout, lambda admin: _show_queue(admin, topic))


@queue.command("purge", cls=HealthCommand)
def purge(
    topic: Topic,
    yes: Annotated[  # noqa: FBT002 - typer makes it the flag --yes
        bool, typer.Option("--yes", "-y", help="Do not ask.")
    ] = False,
    server: Server = LOCAL,
    token: Token = "",
    timeout: Timeout = TIMEOUT_SECONDS,
) -> None:
    """Remove all events of a topic for good. Offsets go on; readers are told GAP."""
    confirm(f"Remove all events of {topic} for good?", yes=yes)
    removed = run_admin(server, token, timeout, lambda admin: admin.purge(topic))
    typer.echo(f"purged {topic}: {removed} events removed")


@queue.command("delete", cls=HealthCommand)
def delete(
    topic: Topic,
    event_id: Annotated[str, typer.Argument(help="The event's id.")],
    offset: Annotated[
        int, typer.Option(min=0, help="Only the one there; without it all that have the id.")
    ] = 0,
    publisher: Annotated[str, typer.Option(help="Only those of this publisher.")] = "",
    yes: Annotated[  # noqa: FBT002 - typer makes it the flag --yes
        bool, typer.Option("--yes", "-y", help="Do not ask.")
    ] = False,
    server: Server = LOCAL,
    token: Token = "",
    timeout: Timeout = TIMEOUT_SECONDS,
) -> None:
    """Remove one event's content for good. Its offset and its id stay."""
    confirm(f"Remove {event_id} of {topic} for good?", yes=yes)
    run_admin(
        server,
        token,
        timeout,
        lambda admin: admin.delete_event(topic, event_id, offset=offset, publisher=publisher),
    )
    typer.echo(f"deleted {topic} {event_id}")


def confirm(question: str, *, yes: bool) -> None:
    """Ask, unless it was said before; a no ends the command."""
    if not yes and not typer.confirm(question, err=True):
        raise typer.Exit(BAD_ARGUMENTS)


async def _show_topics(admin: AdminClient, pattern: str) -> None:
    table = table_of("topic", "head", "depth", "oldest", "readers", right=(1, 2, 4))
    async for info in admin.topics(pattern):
        table.add_row(*_topic_row(info))
    _console.print(table)


async def _show_queue(admin: AdminClient, topic: str) -> None:
    async for info in admin.topics(topic):
        if info.topic == topic:
            table = table_of("topic", "head", "depth", "oldest", "readers", right=(1, 2, 4))
            table.add_row(*_topic_row(info))
            _console.print(table)
            return
    _errors.print(f"[bold red]no such topic[/] {escape(topic)}: nothing was ever published to it")
    raise typer.Exit(BAD_ARGUMENTS)


async def _show_sessions(admin: AdminClient, user: str, topic: str) -> None:
    table = table_of("session", "user", "transport", "sdk", "peer", "age", "topics")
    async for info in admin.sessions(user=user, topic=topic):
        table.add_row(
            info.session_id,
            escape(info.user) or "anonymous",
            info.transport,
            escape(info.sdk),
            escape(info.peer),
            _age(info.since),
            ", ".join(info.topics),
        )
    _console.print(table)


def _topic_row(info: admin_service_pb2.TopicInfo) -> tuple[str, ...]:
    oldest = _age(info.oldest_at) if info.HasField("oldest_at") else "-"
    return info.topic, str(info.head), str(info.depth), oldest, str(info.readers)


def table_of(*columns: str, right: tuple[int, ...] = ()) -> Table:
    """An empty table; ``right`` are the columns of numbers."""
    table = Table(box=None, pad_edge=False, header_style="bold")
    for index, column in enumerate(columns):
        table.add_column(column, justify="right" if index in right else "left", no_wrap=True)
    return table


def _age(timestamp: Timestamp) -> str:
    return age_words((datetime.now(UTC) - timestamp.ToDatetime(tzinfo=UTC)).total_seconds())


def age_words(seconds: float) -> str:
    """A time span in its largest unit."""
    seconds = max(0.0, seconds)
    for unit, size in (("d", 86_400), ("h", 3_600), ("min", 60)):
        if seconds >= size:
            return f"{seconds / size:.0f} {unit}"
    return f"{seconds:.0f} s"


def run_admin(
    server: str,
    token: str,
    timeout: float,
    work: Callable[[AdminClient], Awaitable[ResultT]],
) -> ResultT:
    """Do something with a hub's admin service; a failure is told, and ends the command."""

    async def run() -> ResultT:
        async with AdminClient(
            server, token=token or None, credentials=channel_credentials(), timeout=timeout
        ) as admin:
            return await work(admin)

    try:
        return asyncio.run(run())
    except RealtimeError as error:
        away = isinstance(error, NetworkError) and not error.reason
        what = "cannot connect" if away else "the call failed"
        _errors.print(f"[bold red]{what}[/] {escape(str(error))}")
        raise typer.Exit(CANNOT_CONNECT if away else CALL_FAILED) from error


def commands(app: typer.Typer) -> None:
    """Add the commands of this module."""
    options: dict[str, Any] = {"cls": HealthCommand}
    app.command("topics", **options)(topics)
    app.command("sessions", **options)(sessions)
    app.add_typer(queue, name="queue")
