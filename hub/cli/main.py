"""``rthub``: all commands."""

from __future__ import annotations

import typer

from hub.cli import (
    access,
    credentials,
    demo,
    dev_certs,
    health,
    operate,
    publish,
    serve,
    tail,
    token,
    work,
)

app = typer.Typer(
    name="rthub",
    # Of every command: what it is in one is found by the one above it.
    cls=health.HealthGroup,
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode="rich",
    help="A real-time updates hub: typed events in, live in every browser tab, "
    "nothing acknowledged lost.",
)
app.callback()(credentials.tls_options)
app.command("serve")(serve.serve)
app.command("demo")(demo.demo)
app.command("dev-certs")(dev_certs.dev_certs)
app.command("token")(token.token)
app.command("publish")(publish.publish)
app.command("tail")(tail.tail)
app.command("health", cls=health.HealthCommand)(health.health)
operate.commands(app)
app.add_typer(access.access, name="access")
work.commands(app)


def main() -> None:
    """Entry point of the console script."""
    app()
