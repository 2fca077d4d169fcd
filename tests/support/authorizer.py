"""A real authorizer over HTTP that allows, denies, hangs, lies or dies, as the test says."""

from __future__ import annotations

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from collections.abc import Mapping

LIES: Mapping[str, tuple[int, bytes]] = {
    "an error": (500, b'{"allow": true}'),
    "another success": (204, b""),
    "a redirect": (307, b""),
    "no JSON": (200, b"yes"),
    "a word": (200, b'{"allow": "yes"}'),
    "a number": (200, b'{"allow": 1}'),
    "a list": (200, b"[true]"),
    "nothing": (200, b""),
    "too much": (200, b" " * 100_000 + b'{"allow": true}'),
    "too deep": (200, b"[" * 4_000),
}


class AuthorizerServer:
    """Serves on a free port of the loopback interface until the block ends.

    Attributes:
        mode: "allow", "deny", "hang", or the name of a lie.
        asked: questions, each with the bearer token that came with it.
    """

    def __init__(self) -> None:
        self.mode = "allow"
        self.asked: list[tuple[str, str, str, str]] = []
        self._let_go = threading.Event()
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                outer._serve(self)

            def log_message(self, *_: object) -> None:
                """Say nothing."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)

    @property
    def url(self) -> str:
        """Its address."""
        return f"http://127.0.0.1:{self._server.server_address[1]}/decide"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.die()

    def die(self) -> None:
        """Answer nobody any more. Idempotent."""
        self._let_go.set()
        self._server.shutdown()
        self._server.server_close()

    def _serve(self, handler: BaseHTTPRequestHandler) -> None:
        size = int(handler.headers.get("content-length", 0))
        question = json.loads(handler.rfile.read(size))
        secret = handler.headers.get("authorization", "")
        asked = (question["subject"], question["action"], question["topic"], secret)
        self.asked.append(asked)
        if self.mode == "hang":
            self._let_go.wait()
            return
        allow = json.dumps({"allow": self.mode == "allow"}).encode()
        status, body = LIES.get(self.mode, (200, allow))
        handler.send_response(status)
        if status == LIES["a redirect"][0]:
            handler.send_header("location", self.url)
        handler.send_header("content-length", str(len(body)))
        handler.end_headers()
        handler.wfile.write(body)
