"""Addresses that are none are bad arguments, and a refusal comes with what to do about it."""

from __future__ import annotations

import pytest
import typer

from hub.cli.told import check_server, help_for
from shipspeak_realtime import RealtimeError


@pytest.mark.parametrize(
    "address",
    ["127.0.0.1:50051", "hub.example:443", "[::1]:50051", "dns:///hub.example:443", "unix:/run/x"],
)
def test_an_address_is_taken_as_it_is(address: str) -> None:
    assert check_server(address) == address


@pytest.mark.parametrize(
    "address",
    ["", "hub", ":50051", "hub:", "hub:0", "hub:70000", "http://hub:8080", "hub:port", "a b:1"],
)
def test_what_is_no_host_and_port_is_refused(address: str) -> None:
    with pytest.raises(typer.BadParameter, match="host:port"):
        check_server(address)


@pytest.mark.parametrize(
    ("reason", "message", "words"),
    [
        ("TOKEN_MISSING", "no token", "RTHUB_TOKEN"),
        ("TOKEN_EXPIRED", "it has ended", "audience"),
        ("", "failed to connect to all addresses; last error: ...", "is a hub running"),
        ("", "Failed parsing HTTP/2 (Trying to connect an http1.x server", "no gRPC door"),
    ],
)
def test_a_refusal_comes_with_what_to_do(reason: str, message: str, words: str) -> None:
    assert words in help_for(RealtimeError(message, reason=reason), "127.0.0.1:50051")
