"""``rthub access``: send clients away, take rights back, and see who did so."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Annotated

import typer
from google.rpc import code_pb2
from rich.console import Console
from rich.markup import escape

from hub.cli.health import HealthCommand
from hub.cli.operate import (
    LOCAL,
    TIMEOUT_SECONDS,
    Server,
    Timeout,
    Token,
    confirm,
    run_admin,
    table_of,
)
from shipspeak.realtime.v1 import error_reason_pb2

if TYPE_CHECKING:
    from shipspeak.realtime.v1 import admin_service_pb2

access = typer.Typer(
    no_args_is_help=True,
    help="Send clients away, take back what tokens allow, and see who did what.",
)

User = Annotated[str, typer.Option(help="A user: the sub of the tokens.")]
Yes = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")]


@access.command("disconnect", cls=HealthCommand)
def disconnect(
    session: Annotated[str, typer.Option(help="One session, by its id.")] = "",
    user: User = "",
    server: Server = LOCAL,
    token: Token = "",
    timeout: Timeout = TIMEOUT_SECONDS,
) -> None:
    """Close a session, or all of a user's. The clients stay away until they are started again.

    Their tokens go on: see `rthub access revoke`. Exits 0 done, 1 bad arguments, 2 cannot connect,
    3 the call failed.
    """
    if bool(session) == bool(user):
        raise typer.BadParameter("give one of the two", param_hint="--session / --user")
    closed = run_admin(
        server, token, timeout, lambda admin: admin.disconnect(session_id=session, user=user)
    )
    typer.echo(f"closed {closed} session{'' if closed == 1 else 's'}")


@access.command("revoke", cls=HealthCommand)
def revoke(
    token_id: Annotated[str, typer.Option(help="One token, by its jti.")] = "",
    user: User = "",
    issued_before: Annotated[
        datetime | None,
        typer.Option(help="All tokens issued before this time, in local time."),
    ] = None,
    yes: Yes = False,  # noqa: FBT002 - typer makes it the flag --yes
    server: Server = LOCAL,
    token: Token = "",
    timeout: Timeout = TIMEOUT_SECONDS,
) -> None:
    """Take back one token, all of a user's until now, or all older ones, for good.

    Open sessions end within 5 s, and it survives restarts. Exits 0 done, 1 bad arguments,
    2 cannot connect, 3 the call failed.
    """
    if [bool(token_id), bool(user), issued_before is not None].count(True) != 1:
        raise typer.BadParameter(
            "give one of the three", param_hint="--token-id / --user / --issued-before"
        )
    before = issued_before.astimezone() if issued_before is not None else None
    what = f"the token {token_id}" if token_id else f"all tokens of {user} until now"
    if before is not None:
        what = f"all tokens issued before {before.isoformat()}"
    confirm(f"Revoke {what} for good?", yes=yes)
    run_admin(
        server,
        token,
        timeout,
        lambda admin: admin.revoke(token_id=token_id, user=user, issued_before=before),
    )
    typer.echo(f"revoked {what}")


@access.command("audit", cls=HealthCommand)
def audit(
    last: Annotated[int, typer.Option(min=1, max=1000, help="How many.")] = 50,
    server: Server = LOCAL,
    token: Token = "",
    timeout: Timeout = TIMEOUT_SECONDS,
) -> None:
    """Show the newest calls of the admin service: who, what, on what, from where, and its end.

    No administrator can change the book. Exits 0 done, 1 bad arguments, 2 cannot connect, 3 the
    call failed.
    """
    table = table_of("at", "who", "did", "on", "outcome", "from")
    for entry in run_admin(server, token, timeout, lambda admin: admin.audit(last)):
        if entry.refusals_left_out:
            table.add_row("", "", f"({entry.refusals_left_out} more refused)", "", "", "")
        table.add_row(*_audit_row(entry))
    Console(highlight=False, soft_wrap=True).print(table)


def _audit_row(entry: admin_service_pb2.AuditEntry) -> tuple[str, ...]:
    outcome = "done"
    if entry.code:
        reason = error_reason_pb2.ErrorReason.Name(entry.reason)
        outcome = f"{code_pb2.Code.Name(entry.code)} {reason.removeprefix('ERROR_REASON_')}"
    at = entry.at.ToDatetime().isoformat(sep=" ", timespec="seconds") + "Z"
    cells = (entry.who or "-", entry.action, entry.target, outcome, entry.peer)
    return at, *(escape(cell) for cell in cells)
