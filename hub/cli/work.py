"""``rthub work`` and ``rthub dead``: queues of back-end workers, and what they gave up."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import Annotated

import typer
from rich.console import Console
from rich.markup import escape

from hub.cli import work_run
from hub.cli.credentials import channel_credentials
from hub.cli.health import HealthCommand
from hub.cli.operate import (
    LOCAL,
    TIMEOUT_SECONDS,
    Server,
    Timeout,
    Token,
    age_words,
    confirm,
    run_admin,
    table_of,
)
from hub.topics.namespaces import DEFAULT_NAMESPACES
from shipspeak.realtime.v1 import event_pb2
from shipspeak_realtime import AdminClient, Event, RealtimeClient, describe

_console = Console(highlight=False, soft_wrap=True)

work = typer.Typer(no_args_is_help=True, help="Look into work subscriptions, and move them.")
dead = typer.Typer(no_args_is_help=True, help="Look at dead letters, and publish them again.")

Name = Annotated[str, typer.Argument(help="Name of the work subscription.")]


def _known(namespace: str) -> str:
    names = [kind.name for kind in DEFAULT_NAMESPACES]
    if namespace not in names:
        message = f"there is no namespace {namespace!r}; there are {', '.join(names)}"
        raise typer.BadParameter(message)
    return namespace


Namespace = Annotated[
    str, typer.Argument(help="Namespace of the events, such as meeting.", callback=_known)
]
Yes = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")]

_AGO = re.compile(r"(\d+)(s|min|h|d)")
_SECONDS = {"s": 1, "min": 60, "h": 3_600, "d": 86_400}


@work.command("list", cls=HealthCommand)
def list_work(
    server: Server = LOCAL, token: Token = "", timeout: Timeout = TIMEOUT_SECONDS
) -> None:
    """List work subscriptions: members, what they hold, what is not acknowledged."""
    run_admin(server, token, timeout, _show_work)


@work.command("seek", cls=HealthCommand)
def seek(
    name: Name,
    to: Annotated[
        str,
        typer.Option(help="A time (2026-05-01T12:00:00Z), or how long ago: 15min, 2h, 1d."),
    ],
    yes: Yes = False,  # noqa: FBT002 - typer makes it the flag --yes
    server: Server = LOCAL,
    token: Token = "",
    timeout: Timeout = TIMEOUT_SECONDS,
) -> None:
    """Go to the first event at or after a time; everything from there on is handed out again."""
    at = _time(to)
    confirm(f"Move {name} to {at.isoformat(timespec='seconds')}?", yes=yes)
    run_admin(server, token, timeout, lambda admin: admin.seek_work(name, at))
    typer.echo(f"moved {name} to {at.isoformat(timespec='seconds')}")


@work.command("delete", cls=HealthCommand)
def delete(
    name: Name,
    yes: Yes = False,  # noqa: FBT002 - as above
    server: Server = LOCAL,
    token: Token = "",
    timeout: Timeout = TIMEOUT_SECONDS,
) -> None:
    """Forget a work subscription and what is open in it. The events stay in their topics."""
    confirm(f"Forget {name} and what is open in it?", yes=yes)
    run_admin(server, token, timeout, lambda admin: admin.delete_work(name))
    typer.echo(f"deleted {name}")


@dead.command("list", cls=HealthCommand)
def list_dead(
    namespace: Namespace,
    limit: Annotated[int, typer.Option(min=1, max=1000, help="The newest so many.")] = 100,
    server: Server = LOCAL,
    token: Token = "",
    timeout: Timeout = TIMEOUT_SECONDS,
) -> None:
    """List the dead letters of a namespace, newest first; needs the subscribe right on them."""

    async def show(_admin: AdminClient) -> None:
        async with RealtimeClient(
            server, token=token or None, credentials=channel_credentials()
        ) as hub:
            page = await hub.read_history(f"dead/{namespace}", limit=limit, reverse=True)
        for letter in page.events:
            _console.print(_line(letter))

    run_admin(server, token, timeout, show)


@dead.command("replay", cls=HealthCommand)
def replay(
    namespace: Namespace,
    only: Annotated[str, typer.Option("--work", help="Only those of this subscription.")] = "",
    limit: Annotated[int, typer.Option(min=1, max=1000, help="At most so many.")] = 100,
    yes: Yes = False,  # noqa: FBT002 - as above
    server: Server = LOCAL,
    token: Token = "",
    timeout: Timeout = TIMEOUT_SECONDS,
) -> None:
    """Publish dead letters again to their topics, oldest first; each is replayed once."""
    of = f" of {only}" if only else ""
    confirm(f"Publish up to {limit} dead letters{of} of {namespace} again?", yes=yes)
    count = run_admin(
        server,
        token,
        timeout,
        lambda admin: admin.replay_dead_letters(namespace, work=only, limit=limit),
    )
    typer.echo(f"replayed {count} dead letters of {namespace}")


async def _show_work(admin: AdminClient) -> None:
    table = table_of(
        "work", "pattern", "members", "held", "backlog", "oldest", "notes", right=(2, 3, 4)
    )
    for info in await admin.work():
        notes = ["ordered"] if info.ordered else []
        notes += [f"{info.expired} expired"] if info.expired else []
        notes += ["held back: too much is not acknowledged"] if info.held_back else []
        oldest = info.oldest.ToTimedelta() if info.HasField("oldest") else None
        table.add_row(
            info.name,
            info.pattern,
            str(info.members),
            str(info.outstanding),
            f"{info.backlog}{'+' if info.backlog_capped else ''}",
            "-" if oldest is None else age_words(oldest.total_seconds()),
            ", ".join(notes),
        )
    _console.print(table)


def _line(letter: Event) -> str:
    facts = letter.attributes
    original = event_pb2.Event()
    if letter.message.content.other.Unpack(original):
        what = describe(Event(facts.get("topic", ""), original, None))
    else:
        what = "withdrawn"
    at = letter.published_at.isoformat(" ", "seconds")
    return escape(
        f"{at}  {facts.get('work', '-')}  {facts.get('topic', '-')} #{facts.get('offset', '-')}  "
        f"{facts.get('reason', '-')} after {facts.get('attempts', '-')}  {what}"
    )


def _time(text: str) -> datetime:
    ago = _AGO.fullmatch(text)
    if ago:
        return datetime.now(UTC) - timedelta(seconds=int(ago[1]) * _SECONDS[ago[2]])
    try:
        at = datetime.fromisoformat(text)
    except ValueError as error:
        message = f"{text!r} is no time; write 2026-05-01T12:00:00Z, or 15min for a time ago"
        raise typer.BadParameter(message, param_hint="--to") from error
    return at if at.tzinfo else at.astimezone()


def commands(app: typer.Typer) -> None:
    """Add the commands of this module, and `run` beside them."""
    work.command("run", cls=HealthCommand)(work_run.run)
    app.add_typer(work, name="work")
    app.add_typer(dead, name="dead")
