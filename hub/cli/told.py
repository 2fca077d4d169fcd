"""What commands that talk to a hub check and say alike: the address, and help after a refusal."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import typer

if TYPE_CHECKING:
    from shipspeak_realtime import RealtimeError

_MAX_PORT = 65_535
# host:port or [v6]:port, also behind the resolver's name as gRPC writes it.
_ADDRESS = re.compile(
    r"(?:dns:(?:///)?|ipv[46]:)?(?:[A-Za-z0-9._-]+|\[[0-9A-Fa-f:.%]+\]):(\d{1,5})"
)
_SOCKET = re.compile(r"unix:(?:///?)?\S+")
_NOT_OUR_PROTOCOL = ("http1.x server", "Failed parsing HTTP/2")
_UNREACHABLE = ("failed to connect", "DNS resolution failed", "no connection to")


def check_server(address: str) -> str:
    """Take an address of a gRPC door as it is.

    Raises:
        typer.BadParameter: it is no host:port.
    """
    match = _ADDRESS.fullmatch(address)
    if match is not None and 0 < int(match.group(1)) <= _MAX_PORT:
        return address
    if _SOCKET.fullmatch(address):
        return address
    said = f"{address!r} is no host:port, such as 127.0.0.1:50051"
    if "://" in address:
        said += "; the gRPC door has no scheme"
    raise typer.BadParameter(said)


def help_for(error: RealtimeError, server: str) -> str:
    """What a person at a terminal can do about a refusal, as one sentence; empty = nothing more."""
    text = str(error)
    if any(words in text for words in _NOT_OUR_PROTOCOL):
        return (
            f"what listens on {server} is no gRPC door; a hub's is 50051 unless it says otherwise"
        )
    if any(words in text for words in _UNREACHABLE):
        return f"is a hub running, and is {server} its gRPC door (not the browsers')?"
    if error.reason == "TOKEN_MISSING":
        return "give --token, or set RTHUB_TOKEN; for development `rthub token` mints one"
    if error.reason.startswith("TOKEN_"):
        return "the hub must trust the token's issuer, audience and key, and it must not have ended"
    if error.reason == "RIGHT_MISSING":
        return "the token's grants name what it may do; `rthub token --help` shows how they are set"
    return ""


def words_of(error: RealtimeError, server: str) -> str:
    """The refusal, and on a line of its own what to do about it."""
    more = help_for(error, server)
    return f"{error}\n{more}" if more else str(error)
