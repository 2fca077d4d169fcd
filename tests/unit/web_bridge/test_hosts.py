"""Which names a development hub answers to."""

from __future__ import annotations

from typing import Any

import pytest

from web_bridge.hosts import KnownHosts


class _App:
    """Answers 200, and counts what else it is told."""

    def __init__(self) -> None:
        self.told: list[str] = []

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b""})

    def end_streams(self) -> None:
        self.told.append("streams")

    def end_pushes(self) -> None:
        self.told.append("pushes")


async def _status(host: bytes | None) -> int:
    sent: list[Any] = []

    async def receive() -> Any:
        return {"type": "http.request"}

    async def send(message: Any) -> None:
        sent.append(message)

    headers = [(b"host", host)] if host is not None else []
    scope = {"type": "http", "method": "POST", "path": "/", "headers": headers}
    await KnownHosts(_App(), ["hub.example"])(scope, receive, send)
    status: int = sent[0]["status"]
    return status


@pytest.mark.parametrize(
    "host",
    [
        b"127.0.0.1:8080",
        b"LOCALHOST",
        b"page.localhost:1",
        b"[::1]:8080",
        b"192.168.0.7:8080",
        b"hub.example:8080",
        None,
    ],
)
async def test_known_hosts_are_served(host: bytes | None) -> None:
    assert await _status(host) == 200


@pytest.mark.parametrize(
    "host", [b"evil.example:8080", b"localhost.evil.example", b"127.0.0.1.evil.example", b"", b"["]
)
async def test_a_name_that_others_may_point_here_is_refused(host: bytes) -> None:
    assert await _status(host) == 421


def test_draining_is_passed_on() -> None:
    app = _App()
    hosts = KnownHosts(app, [])
    hosts.end_streams()
    hosts.end_pushes()
    assert app.told == ["streams", "pushes"]
