"""Content coding on the wire: who asks for gzip gets large answers in it, streams stay as they are.

Requirement E6.
"""

from __future__ import annotations

import base64
import gzip
from typing import TYPE_CHECKING, Any

import pytest

from tests.wire.raw import BINARY, TEXT, Answer, ask, frame, post, request
from tests.wire.servers import running_bridge

if TYPE_CHECKING:
    from pathlib import Path

ASKED = ("accept-encoding", "gzip, deflate, br")
LARGE = b"a meeting moves on; " * 200


def plain(answer: Answer) -> Answer:
    """The answer as fetch and XMLHttpRequest show it to a page."""
    assert answer.header("content-encoding") == "gzip"
    return Answer(answer.status, answer.headers, gzip.decompress(answer.body), answer.complete)


async def call(message: bytes, *headers: tuple[str, str], kind: bytes = BINARY) -> Answer:
    body = base64.b64encode(frame(message)) if kind == TEXT else frame(message)
    async with running_bridge() as server:
        return await ask(server.port, post("/echo.Echo/unary", body, *headers, content_type=kind))


@pytest.mark.parametrize("kind", [BINARY, TEXT])
async def test_a_large_answer_is_smaller_for_who_reads_gzip(kind: bytes) -> None:
    answer = await call(LARGE, ASKED, kind=kind)
    assert len(answer.body) < len(LARGE) / 10
    assert "accept-encoding" in (answer.header("vary") or "")
    whole = plain(answer)
    assert whole.messages(text=kind == TEXT) == [LARGE]
    assert whole.status_message(text=kind == TEXT) == ("0", "")


@pytest.mark.parametrize("headers", [(), (("accept-encoding", "br, gzip;q=0"),)])
async def test_who_does_not_ask_gets_it_as_it_is(headers: tuple[tuple[str, str], ...]) -> None:
    answer = await call(LARGE, *headers)
    assert answer.header("content-encoding") is None
    # A cache must keep the two apart from the first answer on.
    assert "accept-encoding" in (answer.header("vary") or "")
    assert answer.messages() == [LARGE]


async def test_a_small_answer_is_not_worth_it() -> None:
    answer = await call(b"small", ASKED)
    assert answer.header("content-encoding") is None
    assert answer.messages() == [b"small"]


async def test_streams_are_never_coded() -> None:
    async with running_bridge() as server:
        sent = post("/echo.Echo/count", frame(b"900"), ASKED)
        answer = await ask(server.port, sent)
    assert answer.header("content-encoding") is None
    assert len(answer.messages()) == 900


async def test_a_compressed_message_is_refused_and_told_what_is_read() -> None:
    async with running_bridge() as server:
        squeezed = frame(gzip.compress(LARGE), flags=1)
        answer = await ask(
            server.port, post("/echo.Echo/unary", squeezed, ("grpc-encoding", "gzip"))
        )
    assert answer.status_message()[0] == "12"
    assert answer.header("grpc-accept-encoding") == "identity"


async def large_json(scope: Any, body: bytes) -> tuple[int, list[tuple[bytes, bytes]], bytes]:
    return 200, [(b"content-type", b"application/json")], b'"%s"' % LARGE


async def test_json_routes_are_coded() -> None:
    async with running_bridge(routes={("GET", "/v1/large"): large_json}) as server:
        answer = await ask(server.port, request("GET", "/v1/large", ASKED))
    assert plain(answer).body == b'"%s"' % LARGE


async def test_a_tag_of_the_page_belongs_to_one_form(tmp_path: Path) -> None:
    (tmp_path / "index.html").write_bytes(b"<!doctype html>" + LARGE)
    (tmp_path / "picture.png").write_bytes(LARGE)
    async with running_bridge(page_dir=tmp_path) as server:
        coded = await ask(server.port, request("GET", "/", ASKED))
        bare = await ask(server.port, request("GET", "/"))
        tags = [answer.header("etag") or "" for answer in (coded, bare)]
        assert plain(coded).body == bare.body
        assert tags[0] != tags[1]
        for headers, tag in (((ASKED,), tags[0]), ((), tags[1])):
            again = await ask(server.port, request("GET", "/", *headers, ("if-none-match", tag)))
            assert again.status == 304
        other = await ask(server.port, request("GET", "/", ("if-none-match", tags[0])))
        assert other.status == 200
        picture = await ask(server.port, request("GET", "/picture.png", ASKED))
        assert picture.header("content-encoding") is None
