"""Checks of what browsers and proxies need: CORS, content types, verbs, caching."""

from __future__ import annotations

import base64
import json

from tests.wire.raw import Raw, ask, call, frame, post, request
from tests.wire.registry import mends
from tests.wire.servers import ORIGIN, Server


@mends(13)
async def preflight_allows_a_listed_origin(server: Server) -> None:
    asked = "authorization,content-type,grpc-timeout,x-grpc-web"
    answer = await ask(
        server.port,
        request(
            "OPTIONS",
            "/echo.Echo/unary",
            ("origin", ORIGIN),
            ("access-control-request-method", "POST"),
            ("access-control-request-headers", asked),
        ),
    )
    assert answer.status == 204
    assert answer.header("access-control-allow-origin") == ORIGIN
    assert answer.header("access-control-allow-headers") == asked
    assert "POST" in (answer.header("access-control-allow-methods") or "")
    assert int(answer.header("access-control-max-age") or 0) > 0
    assert answer.header("access-control-allow-credentials") is None


@mends(14)
async def answer_names_the_origin(server: Server) -> None:
    answer = await call(server.port, "abort", b"", ("origin", ORIGIN))
    assert answer.header("access-control-allow-origin") == ORIGIN
    assert answer.header("vary") == "origin"
    exposed = answer.header("access-control-expose-headers") or ""
    assert {"grpc-status", "grpc-message", "grpc-status-details-bin"} <= set(exposed.split(", "))


@mends(14)
async def foreign_origin_runs_nothing(server: Server) -> None:
    answer = await call(server.port, "unary", b"x", ("origin", "https://evil.example"))
    assert answer.status == 403
    assert answer.header("access-control-allow-origin") is None
    assert server.echo.calls == 0


@mends(15)
async def content_type_is_ours_whatever_is_accepted(server: Server) -> None:
    answer = await call(server.port, "unary", b"x", ("accept", "*/*"))
    assert answer.header("content-type") == "application/grpc-web+proto"


@mends(15)
async def text_answer_is_declared_as_text(server: Server) -> None:
    answer = await call(server.port, "unary", b"x", ("accept", "*/*"), text=True)
    assert answer.header("content-type") == "application/grpc-web-text+proto"
    assert answer.messages(text=True) == [b"x"]


@mends(16)
async def plain_post_runs_nothing(server: Server) -> None:
    answer = await ask(
        server.port, post("/echo.Echo/unary", frame(b"x"), content_type=b"text/plain")
    )
    assert answer.status == 415
    assert "application/grpc-web-text" in (answer.header("accept-post") or "")
    assert server.echo.calls == 0


@mends(16)
async def text_proto_is_text(server: Server) -> None:
    body = base64.b64encode(frame(b"hello"))
    kind = b"application/grpc-web-text+proto; charset=utf-8"
    answer = await ask(server.port, post("/echo.Echo/unary", body, content_type=kind))
    assert answer.messages(text=True) == [b"hello"]


@mends(16)
async def other_verbs_are_told_what_is_allowed(server: Server) -> None:
    for verb in ("GET", "HEAD", "PUT", "DELETE"):
        client = await Raw.connect(server.port)
        await client.send(request(verb, "/echo.Echo/unary"))
        answer = await client.read_head()
        client.close()
        assert answer.status == 405, verb
        assert answer.header("allow") == "POST, OPTIONS"


@mends(17)
async def streams_are_neither_cached_nor_buffered(server: Server) -> None:
    answer = await call(server.port, "count", b"2")
    assert answer.header("cache-control") == "no-store, no-transform"
    assert answer.header("x-accel-buffering") == "no"


@mends(23)
async def only_call_metadata_reaches_the_handler(server: Server) -> None:
    answer = await call(
        server.port,
        "metadata",
        b"",
        ("cookie", "id=1"),
        ("x-grpc-web", "1"),
        ("sec-fetch-mode", "cors"),
        ("authorization", "Bearer t"),
        ("x-device", "tab"),
    )
    assert json.loads(answer.messages()[0]) == [["authorization", "Bearer t"], ["x-device", "tab"]]
