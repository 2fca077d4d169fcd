"""``GET /v1/topics/<topic>``: polls of public topics, which caches between may answer.

Rules: RFC 9110 (validators), RFC 9111 (caching). Only the answers of public topics are cacheable;
every refusal is `no-store`. Anybody may read them, so any page may, too: an answer that depended
on the origin would have to be kept once for each.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Final, Protocol
from urllib.parse import parse_qsl

from google.protobuf import json_format

from hub.errors import HubError
from hub.rpc.status import http_status, rich_status
from web_bridge.asgi import answer, header

if TYPE_CHECKING:
    from hub.pipeline.public import PublicAnswer
    from hub.telemetry.transports import TransportFigure
    from web_bridge.asgi import Scope, Send

TOPICS_PATH: Final = "/v1/topics/"
_KIND: Final = b"application/protobuf"
_ANYBODY: Final = [
    (b"access-control-allow-origin", b"*"),
    (b"access-control-expose-headers", b"age, etag"),
    (b"x-content-type-options", b"nosniff"),
]
_DEFAULT_SINCE: Final = "latest"


class PublicRead(Protocol):
    """Reads public topics."""

    async def read(self, topic: str, since: str) -> PublicAnswer:
        """One answer.

        Raises:
            HubError: refused, as for every topic that is not public.
        """


class PublicTopics:
    """The HTTP side of it.

    Args:
        reader: reads.
        figure: counts what goes out.
    """

    def __init__(self, reader: PublicRead, figure: TransportFigure) -> None:
        self._reader = reader
        self._figure = figure

    async def serve(self, scope: Scope, send: Send) -> None:
        """Answer a GET or HEAD below TOPICS_PATH."""
        since = _since(scope)
        if since is None:
            await _refuse(send, 400, b'{"message":"the only parameter is since, once"}')
            return
        try:
            found = await self._reader.read(scope["path"].removeprefix(TOPICS_PATH), since)
        except HubError as error:
            text = json_format.MessageToJson(rich_status(error), indent=None)
            await _refuse(send, http_status(error), text.encode())
            return
        await self._answer(scope, send, found)

    async def _answer(self, scope: Scope, send: Send, found: PublicAnswer) -> None:
        tag = _entity_tag(found.body)
        fields = [
            (b"cache-control", b"public, max-age=%d" % found.fresh_seconds),
            (b"etag", tag),
            *_ANYBODY,
        ]
        if _matches(header(scope["headers"], b"if-none-match"), tag):
            await send({"type": "http.response.start", "status": 304, "headers": fields})
            await send({"type": "http.response.body", "body": b"", "more_body": False})
            return
        self._figure.bytes += len(found.body)
        await answer(send, 200, [(b"content-type", _KIND), *fields], found.body)


def _since(scope: Scope) -> str | None:
    """The parameter; None when it comes twice, or others do: each would be one more address."""
    query = scope.get("query_string", b"").decode("latin-1")
    given = parse_qsl(query, keep_blank_values=True)
    if not given:
        return _DEFAULT_SINCE if not query else None
    (name, value), *more = given
    return value if name == "since" and not more else None


def _entity_tag(body: bytes) -> bytes:
    return b'"%b"' % hashlib.blake2b(body, digest_size=12).hexdigest().encode()


def _matches(asked: bytes | None, tag: bytes) -> bool:
    """Whether If-None-Match names the tag; weak comparison (RFC 9110 section 13.1.2)."""
    if asked is None:
        return False
    tags = [one.strip().removeprefix(b"W/") for one in asked.split(b",")]
    return tag in tags or tags == [b"*"]


async def _refuse(send: Send, status: int, text: bytes) -> None:
    fields = [(b"content-type", b"application/json"), (b"cache-control", b"no-store"), *_ANYBODY]
    await answer(send, status, fields, text)
