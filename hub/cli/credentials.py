"""TLS of commands that talk to a hub: options of ``rthub`` itself, before the command's name."""

from __future__ import annotations

from contextvars import ContextVar
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from shipspeak_realtime import tls_credentials

if TYPE_CHECKING:
    from shipspeak_realtime.tls import Credentials

_files: ContextVar[tuple[Path | None, Path | None, Path | None]] = ContextVar(
    "_files", default=(None, None, None)
)


def tls_options(
    ca_file: Annotated[
        Path | None,
        typer.Option(
            envvar="RTHUB_CA_FILE",
            help="Speak TLS to the hub, and trust the authorities in this PEM file.",
            show_default=False,
        ),
    ] = None,
    client_cert_file: Annotated[
        Path | None,
        typer.Option(
            envvar="RTHUB_CLIENT_CERT_FILE",
            help="PEM certificate to be known by (mTLS).",
            show_default=False,
        ),
    ] = None,
    client_key_file: Annotated[
        Path | None,
        typer.Option(
            envvar="RTHUB_CLIENT_KEY_FILE", help="PEM private key of it.", show_default=False
        ),
    ] = None,
) -> None:
    """A real-time updates hub: typed events in, live in every tab, nothing acknowledged lost."""
    if (client_cert_file is None) != (client_key_file is None):
        raise typer.BadParameter("give both files of the client's certificate, or neither")
    if client_cert_file is not None and ca_file is None:
        raise typer.BadParameter("a client's certificate needs --ca-file: whom do you trust?")
    _files.set((ca_file, client_cert_file, client_key_file))


def channel_credentials() -> Credentials | None:
    """What the options of ``rthub`` say; None = plain text.

    Raises:
        typer.BadParameter: a file cannot be read.
    """
    ca_file, cert_file, key_file = _files.get()
    if ca_file is None:
        return None
    try:
        return tls_credentials(ca_file, cert_file, key_file)
    except OSError as error:
        raise typer.BadParameter(f"{error.filename}: {error.strerror}") from error
