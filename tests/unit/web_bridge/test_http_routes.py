from __future__ import annotations

from typing import TYPE_CHECKING, Any

from web_bridge.app import make_app

if TYPE_CHECKING:
    from collections.abc import MutableMapping


async def test_websocket_is_refused_on_servers_that_speak_it() -> None:
    app = make_app(
        handlers=(),
        interceptors=(),
        push={},
        allowed_origins=(),
        page_dir=None,
        readiness=lambda: True,
        metrics=lambda: (b"", "text/plain"),
    )
    cases: list[tuple[dict[str, Any], str]] = [
        ({"websocket.http.response": {}}, "websocket.http.response.start"),
        ({}, "websocket.close"),
    ]
    for extensions, expected in cases:
        sent: list[MutableMapping[str, Any]] = []

        async def receive() -> dict[str, Any]:
            return {"type": "websocket.connect"}

        async def send(message: MutableMapping[str, Any], sent: list[Any] = sent) -> None:
            sent.append(message)

        scope = {"type": "websocket", "path": "/", "headers": [], "extensions": extensions}
        await app(scope, receive, send)
        assert sent[0]["type"] == expected
        assert sent[0].get("status", 404) == 404
