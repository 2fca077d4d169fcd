"""``rthub token``: mint a development token."""

from __future__ import annotations

from typing import Annotated

import typer
from rich.console import Console

from hub.auth.tokens import mint
from hub.model.secret import check_secret
from hub.topics.patterns import pattern_problem

_console = Console(stderr=True)


def token(
    subject: Annotated[str, typer.Argument(help="The user or service that the token names (sub).")],
    publish: Annotated[
        list[str] | None,
        typer.Option(help="Pattern it may publish to, such as 'meeting/*'; repeat."),
    ] = None,
    subscribe: Annotated[
        list[str] | None, typer.Option(help="Pattern it may subscribe to; repeat.")
    ] = None,
    presence: Annotated[
        list[str] | None, typer.Option(help="Pattern whose presence it may see and set; repeat.")
    ] = None,
    work: Annotated[
        list[str] | None, typer.Option(help="Pattern it may open work subscriptions on; repeat.")
    ] = None,
    admin: Annotated[  # noqa: FBT002 - typer makes it the flag --admin
        bool, typer.Option("--admin", help="May call the admin service.")
    ] = False,
    token_id: Annotated[
        str, typer.Option(help="jti, to revoke it by; default: a new one.", show_default=False)
    ] = "",
    lifetime: Annotated[float, typer.Option(min=1, help="Seconds until it ends.")] = 3600.0,
    secret: Annotated[
        str, typer.Option(envvar="RTHUB_AUTH_HS256_SECRET", help="The hub's HS256 secret.")
    ] = "",
    issuer: Annotated[str, typer.Option(envvar="RTHUB_AUTH_ISSUER", help="iss")] = "shipspeak",
    audience: Annotated[
        str, typer.Option(envvar="RTHUB_AUTH_AUDIENCE", help="aud")
    ] = "shipspeak-realtime",
) -> None:
    """Mint an HS256 token for development and print it.

    Example: rthub token alice --subscribe 'meeting/*' --subscribe 'user/{sub}'
    """
    try:
        check_secret(secret)
    except ValueError as error:
        _console.print(
            f"[bold red]no usable secret[/] {error}; use RTHUB_AUTH_HS256_SECRET",
            highlight=False,
        )
        raise typer.Exit(1) from error
    for right, patterns in {
        "publish": publish,
        "subscribe": subscribe,
        "presence": presence,
        "work": work,
    }.items():
        for pattern in patterns or []:
            if problem := pattern_problem(pattern, subject):
                raise typer.BadParameter(f"{pattern!r} {problem}", param_hint=f"--{right}")
    minted = mint(
        secret,
        subject=subject,
        issuer=issuer,
        audience=audience,
        lifetime=lifetime,
        publish=publish or [],
        subscribe=subscribe or [],
        presence=presence or [],
        work=work or [],
        admin=admin,
        token_id=token_id,
    )
    typer.echo(minted)
