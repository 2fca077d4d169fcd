"""Every decoder that sees bytes of others, and the errors that may come out of it."""

from __future__ import annotations

import asyncio
import contextlib
import json
from typing import TYPE_CHECKING, Any

import jwt
from pydantic import ValidationError

from hub.auth.tokens import Authenticator
from hub.errors import HubError
from hub.model.cursor import decode_cursor, encode_cursor
from hub.model.origin import check_origin
from hub.model.text import unsafe_field
from hub.rpc.decode import check, check_version, decode, parse
from hub.rpc.publish_json import publish_json
from hub.session.sink import Caller
from hub.settings import Settings
from hub.telemetry.metrics import Metrics
from hub.topics.grammar import is_topic, namespace_of
from hub.topics.patterns import check_pattern, covers, matches, pattern_problem
from shipspeak.realtime.v1 import (
    admin_service_pb2,
    frame_pb2,
    notification_pb2,
    realtime_service_pb2,
)
from shipspeak_realtime import Cursor, InvalidRequestError
from web_bridge.framing import decode_text, single_message
from web_bridge.metadata import decode_metadata, decode_timeout, percent_encode
from web_bridge.public_topics import _since

if TYPE_CHECKING:
    from collections.abc import Callable

SECRET = "corpus-secret-0123456789abcdefghij"
# The corpus' tokens were made for that time.
NOW = 1_700_000_000.0
TOPIC = "meeting/42"

_REQUESTS = (
    frame_pb2.ClientFrame,
    frame_pb2.PublishRequest,
    frame_pb2.AcknowledgeRequest,
    realtime_service_pb2.ListenRequest,
    realtime_service_pb2.PollRequest,
    realtime_service_pb2.UpdateSubscriptionsRequest,
    realtime_service_pb2.TouchRequest,
    realtime_service_pb2.ReadHistoryRequest,
    realtime_service_pb2.ReadPresenceRequest,
    realtime_service_pb2.CancelScheduledRequest,
    admin_service_pb2.RevokeRequest,
)


def _frames(data: bytes) -> None:
    """As every request that the data could be, with the text rules behind the parser."""
    for kind in _REQUESTS:
        try:
            message = decode(kind, data)
        except HubError:
            continue
        unsafe_field(message)
        if isinstance(message, realtime_service_pb2.ListenRequest):
            with contextlib.suppress(HubError):
                check_version(message.hello)


def _cursor(data: bytes) -> None:
    cursor = decode_cursor(TOPIC, data)
    assert encode_cursor(TOPIC, cursor) == data, "a cursor has one form"


def _sdk_cursor(data: bytes) -> None:
    Cursor.parse(data.decode("utf-8", "replace"))


def _token(data: bytes) -> None:
    """As a token, and as a grant for one topic; the token of a user has the corpus' own rights."""
    text = data.decode("utf-8", "replace")
    authenticator = Authenticator(
        Settings(auth_hs256_secret=SECRET),  # type: ignore[arg-type]  # pydantic makes one
        lambda: NOW,
    )
    for use in (authenticator.authenticate, authenticator.topic_grant):
        try:
            use(text)
        except HubError:
            continue


def _topic(data: bytes) -> None:
    name = data.decode("utf-8", "replace")
    if is_topic(name):
        assert namespace_of(name) == name.partition("/")[0]
        assert ".." not in name.split("/")
        assert matches(name, name)
    namespace_of(name)


def _pattern(data: bytes) -> None:
    pattern, _, topic = data.decode("utf-8", "replace").partition("\n")
    if matches(pattern, topic, "alice") and is_topic(topic) and topic.startswith("user/"):
        first = pattern.split("/")[1] if pattern.count("/") else pattern
        assert first in ("*", "**", "{sub}", topic.split("/")[1]), (pattern, topic)
    covers(pattern, topic, "alice")
    pattern_problem(pattern, topic)
    check_pattern(pattern)


def _web_binary(data: bytes) -> None:
    parse(frame_pb2.PublishRequest, single_message(data))


def _web_text(data: bytes) -> None:
    parse(frame_pb2.PublishRequest, single_message(decode_text(data)))


def _headers(data: bytes) -> None:
    """Lines of name and value."""
    lines = [line.partition(b":") for line in data.split(b"\n")]
    headers = [(name.lower(), value) for name, _, value in lines]
    decode_metadata(headers)
    decode_timeout(headers)


def _link(data: bytes) -> None:
    """What passes as a link can only lead to the web, or stay on the page's own site."""
    url = data.decode("utf-8", "replace")
    check(notification_pb2.NotificationAction(action_id="a", label="l", url=url))
    assert url.startswith(("http://", "https://", "/")) or not url, url
    assert not url.startswith(("//", "/\\")), url


def _text(data: bytes) -> None:
    note = notification_pb2.Notification(title=data.decode("utf-8", "replace"))
    assert unsafe_field(note) or "\u202e" not in note.title


async def _stored(request: bytes, _caller: Caller) -> bytes:
    decode(frame_pb2.PublishRequest, request)
    return b""


async def _publish(data: bytes) -> tuple[int, bytes]:
    caller = Caller({"content-type": "application/json"}, "ipv4:127.0.0.1:1", "json")
    return await publish_json(_stored, Metrics())(data, caller)


def _json(data: bytes) -> None:
    status, body = asyncio.run(_publish(data))
    json.loads(body)
    # INTERNAL would be an error that nobody has thought of.
    assert status in (200, 400, 404, 429), (status, body)


def _query(data: bytes) -> None:
    _since({"query_string": data})


def _settings(data: bytes) -> None:
    """A line for each setting that is a text of its own grammar."""
    lines = data.decode("utf-8", "replace").split("\n")
    names = ("auth_issuers", "tls_identities", "allowed_origins", "page_config", "host")
    given: dict[str, Any] = dict(zip(names, lines, strict=False))
    for name in ("auth_issuers", "tls_identities"):
        if name in given:
            try:
                given[name] = json.loads(given[name])
            except (ValueError, RecursionError):
                del given[name]
    Settings(dev=True, **given)
    check_origin(lines[0])


def _message(data: bytes) -> None:
    """Text that goes into a trailer: nothing of it ends a line."""
    encoded = percent_encode(data.decode("utf-8", "replace"))
    assert encoded.isascii()
    assert not set(encoded) & {"\r", "\n"}


Decoder = tuple["Callable[[bytes], None]", tuple[type[Exception], ...]]

DECODERS: dict[str, Decoder] = {
    "frames": (_frames, ()),
    "cursors": (_cursor, (HubError,)),
    "sdk-cursors": (_sdk_cursor, (InvalidRequestError,)),
    "tokens": (_token, ()),
    "topics": (_topic, (HubError,)),
    "patterns": (_pattern, (HubError,)),
    "grpc-web": (_web_binary, (HubError,)),
    "grpc-web-text": (_web_text, (HubError,)),
    "headers": (_headers, (HubError,)),
    "links": (_link, (HubError,)),
    "texts": (_text, ()),
    "json": (_json, ()),
    "queries": (_query, ()),
    "settings": (_settings, (ValidationError, ValueError)),
    "messages": (_message, ()),
}


def tried(name: str, data: bytes) -> None:
    """Decode; what is documented is dropped, and anything else comes out."""
    act, documented = DECODERS[name]
    with contextlib.suppress(*documented):
        act(data)


def corpus_token(**claims: Any) -> bytes:
    """A token of the corpus' own secret and time."""
    good = {"sub": "alice", "iss": "shipspeak", "aud": "shipspeak-realtime", "exp": int(NOW) + 60}
    return jwt.encode({**good, **claims}, SECRET, algorithm="HS256").encode()
