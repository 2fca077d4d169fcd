"""Probes, page, extra routes, preflights and the rest of plain HTTP, on the wire."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.wire.raw import BINARY, ask, call, frame, post, request
from tests.wire.servers import MESSAGE_BYTES, ORIGIN, running_bridge


@pytest.fixture
def page(tmp_path: Path) -> Path:
    root = tmp_path / "page"
    (root / "assets").mkdir(parents=True)
    (root / "index.html").write_text("<!doctype html><title>page</title>")
    (root / "assets" / "index-B2x_9QaZ.js").write_text("export {}")
    (root / "assets" / "style.css").write_text("body{}")
    (root / ".env").write_text("secret")
    (tmp_path / "outside.txt").write_text("secret")
    (root / "link.txt").symlink_to(tmp_path / "outside.txt")
    return root


async def test_probes() -> None:
    async with running_bridge() as server:
        assert (await ask(server.port, request("GET", "/healthz"))).status == 200
        assert (await ask(server.port, request("GET", "/readyz"))).body == b"ready\n"
        server.ready[0] = False
        assert (await ask(server.port, request("GET", "/readyz"))).status == 503
        assert (await ask(server.port, request("GET", "/healthz"))).status == 200
        answer = await ask(server.port, post("/healthz", b"", content_type=b"text/plain"))
        assert answer.status == 405
        assert answer.header("allow") == "GET, HEAD"


async def test_metrics() -> None:
    async with running_bridge() as server:
        answer = await ask(server.port, request("GET", "/metrics"))
        assert answer.body == b"hub_up 1\n"
        assert answer.header("content-type") == "text/plain; version=0.0.4"


async def test_page_is_served_with_its_policy(page: Path) -> None:
    async with running_bridge(page_dir=page) as server:
        answer = await ask(server.port, request("GET", "/"))
        assert answer.status == 200
        assert answer.body.startswith(b"<!doctype html>")
        assert answer.header("content-type") == "text/html; charset=utf-8"
        assert answer.header("cache-control") == "no-cache"
        policy = answer.header("content-security-policy") or ""
        assert "script-src 'self'" in policy
        assert "connect-src 'self' https://jobs.example" in policy
        assert answer.header("x-content-type-options") == "nosniff"
        again = await ask(
            server.port, request("GET", "/", ("if-none-match", answer.header("etag") or ""))
        )
        assert again.status == 304


async def test_hashed_names_are_kept_for_long_and_others_are_not(page: Path) -> None:
    async with running_bridge(page_dir=page) as server:
        hashed = await ask(server.port, request("GET", "/assets/index-B2x_9QaZ.js"))
        assert hashed.header("content-type") == "text/javascript; charset=utf-8"
        assert "immutable" in (hashed.header("cache-control") or "")
        plain = await ask(server.port, request("GET", "/assets/style.css"))
        assert plain.header("content-type") == "text/css; charset=utf-8"
        assert plain.header("cache-control") == "no-cache"


@pytest.mark.parametrize(
    "path",
    [
        "/../outside.txt",
        "/assets/../../outside.txt",
        "/%2e%2e/outside.txt",
        "/assets/..%2f..%2foutside.txt",
        "/..%5coutside.txt",
        "/link.txt",
        "/.env",
        "/assets",
        "//etc/passwd",
        "/index.html%00.js",
        "/nothing.js",
    ],
)
async def test_nothing_else_is_served(page: Path, path: str) -> None:
    async with running_bridge(page_dir=page) as server:
        answer = await ask(server.port, request("GET", path))
        assert answer.status == 404
        assert b"secret" not in answer.body


@pytest.mark.parametrize("directory", [None, Path("/nonexistent/page")])
async def test_missing_page_says_how_to_build_it(directory: Path | None) -> None:
    async with running_bridge(page_dir=directory) as server:
        answer = await ask(server.port, request("GET", "/"))
        assert answer.status == 404
        assert b"make web" in answer.body


async def answer_route(scope: Any, body: bytes) -> tuple[int, list[tuple[bytes, bytes]], bytes]:
    if body == b"break":
        raise RuntimeError("a secret")
    return 202, [(b"content-type", b"application/json")], b'{"got":%d}' % len(body)


ROUTES = {("POST", "/v1/publish"): answer_route}
PLAIN = b"application/json"


async def test_extra_routes_get_the_body() -> None:
    async with running_bridge(routes=ROUTES) as server:
        sent = post("/v1/publish", b"{}", ("origin", ORIGIN), content_type=PLAIN)
        answer = await ask(server.port, sent)
        assert (answer.status, answer.body) == (202, b'{"got":2}')
        assert answer.header("access-control-allow-origin") == ORIGIN
        wrong = await ask(server.port, request("GET", "/v1/publish"))
        assert (wrong.status, wrong.header("allow")) == (405, "POST")
        broken = await ask(server.port, post("/v1/publish", b"break", content_type=PLAIN))
        assert broken.status == 500
        assert b"secret" not in broken.body


async def test_extra_routes_are_guarded() -> None:
    async with running_bridge(routes=ROUTES) as server:
        evil = ("origin", "https://evil.example")
        foreign = post("/v1/publish", b"{}", evil, content_type=PLAIN)
        assert (await ask(server.port, foreign)).status == 403
        large = post("/v1/publish", bytes(MESSAGE_BYTES + 1), content_type=PLAIN)
        assert (await ask(server.port, large)).status == 413
        slow = post("/v1/publish", b"", length=10, content_type=PLAIN)
        assert (await ask(server.port, slow)).status == 408


async def test_unknown_paths_are_404() -> None:
    async with running_bridge() as server:
        assert (await ask(server.port, request("GET", "/nothing"))).status == 404
        assert (await ask(server.port, post("/nothing", b"", content_type=PLAIN))).status == 404
        assert (await ask(server.port, request("DELETE", "/nothing"))).status == 404


def preflight(origin: str, path: str = "/echo.Echo/unary") -> bytes:
    return request("OPTIONS", path, ("origin", origin), ("access-control-request-method", "POST"))


async def test_foreign_preflight_is_refused_without_cors_headers() -> None:
    async with running_bridge() as server:
        answer = await ask(server.port, preflight("https://evil.example"))
        assert answer.status == 403
        assert not [name for name, _ in answer.headers if name.startswith("access-control-")]
        assert "origin" in (answer.header("vary") or "")


async def test_any_origin_in_development_and_never_with_credentials() -> None:
    async with running_bridge(origins=("*",)) as server:
        answer = await ask(server.port, preflight("https://anyone.example"))
        assert answer.header("access-control-allow-origin") == "*"
        assert answer.header("access-control-allow-credentials") is None
        answer = await call(server.port, "unary", b"x", ("origin", "null"))
        assert answer.messages() == [b"x"]
        assert answer.header("access-control-allow-origin") == "*"


async def test_own_page_needs_no_entry() -> None:
    async with running_bridge(origins=()) as server:
        answer = await call(server.port, "unary", b"x", ("origin", "http://hub.test"))
        assert answer.messages() == [b"x"]
        assert answer.header("access-control-allow-origin") is None
        fetched = ("sec-fetch-site", "same-origin")
        answer = await call(server.port, "unary", b"x", ("origin", "https://proxied.test"), fetched)
        assert answer.messages() == [b"x"]


async def test_refusals_can_be_read_by_an_allowed_page() -> None:
    async with running_bridge() as server:
        sent = post("/echo.Echo/unary", frame(b""), ("origin", ORIGIN), content_type=b"text/plain")
        answer = await ask(server.port, sent)
        assert answer.status == 415
        assert answer.header("access-control-allow-origin") == ORIGIN
        sent = post("/echo.Echo/nothing", frame(b""), ("origin", ORIGIN), content_type=BINARY)
        answer = await ask(server.port, sent)
        assert answer.header("access-control-allow-origin") == ORIGIN
