"""What a request must be before anything runs: origin, verb, content type, body, metadata."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from web_bridge.asgi import Receive, Scope, Send, answer_text, header
from web_bridge.body import BodyTimeout, BodyTooLarge, read_body
from web_bridge.coding import reads_gzip
from web_bridge.content import ACCEPT_POST, is_text
from web_bridge.framing import PREFIX, decode_text, single_message
from web_bridge.metadata import Metadatum, decode_metadata, decode_timeout
from web_bridge.refusals import too_large
from web_bridge.response import ResponseHead
from web_bridge.status import CallRefused, status_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any

    from web_bridge.cors import CorsPolicy
    from web_bridge.limits import Limits

_CLOSE = (b"connection", b"close")
# Text mode is 4 bytes for 3, and padding.
_TEXT_GROWTH = 4 / 3


@dataclass(frozen=True, slots=True)
class Admitted:
    """A request that may run.

    Attributes:
        message: the request message, not yet decoded.
        metadata: of the call.
        timeout: seconds; None without a deadline.
        peer: the client's address in gRPC's form.
    """

    message: bytes
    metadata: tuple[Metadatum, ...]
    timeout: float | None
    peer: str


class HttpRefused(Exception):
    """The request is no grpc-web call: it gets an HTTP status instead of a gRPC one."""

    def __init__(self, status: int, text: str, headers: Sequence[tuple[bytes, bytes]] = ()) -> None:
        super().__init__(text)
        self.status = status
        self.text = text
        self.headers = list(headers)

    async def send(self, send: Send) -> None:
        """Answer with it."""
        await answer_text(send, self.status, self.text, self.headers)


def response_head(scope: Scope, cors: CorsPolicy, limits: Limits) -> ResponseHead:
    """Check origin, verb and content type.

    Raises:
        HttpRefused: 403, 405 or 415.
    """
    headers = scope["headers"]
    if not cors.permits(headers):
        raise HttpRefused(403, "this origin is not allowed", cors.response_headers(headers))
    if scope["method"] != "POST":
        allow = [(b"allow", b"POST, OPTIONS"), *cors.response_headers(headers)]
        raise HttpRefused(405, "gRPC methods are called with POST", allow)
    text = is_text(header(headers, b"content-type"))
    if text is None:
        accept = [(b"accept-post", ACCEPT_POST), *cors.response_headers(headers)]
        raise HttpRefused(415, "the content type must be one of grpc-web's", accept)
    return ResponseHead(
        text=text,
        cors=lambda exposed: cors.response_headers(headers, exposed),
        text_header_bytes=limits.text_header_bytes,
        gzip=reads_gzip(headers),
    )


async def admit(scope: Scope, receive: Receive, head: ResponseHead, limits: Limits) -> Admitted:
    """Read and check the rest of the request.

    Raises:
        HttpRefused: 408, the body did not come in time.
        HubError: malformed in some way.
        CallRefused: too large.
        ClientGone: nobody is there any more.
    """
    message = await _message(receive, head, limits)
    headers = scope["headers"]
    return Admitted(message, decode_metadata(headers), decode_timeout(headers), peer_of(scope))


async def _message(receive: Receive, head: ResponseHead, limits: Limits) -> bytes:
    limit = limits.message_bytes + PREFIX.size
    wire_limit = int(limit * _TEXT_GROWTH) + 4 if head.text else limit
    try:
        body = await read_body(
            receive,
            limit=wire_limit,
            discard=wire_limit + limits.discard_bytes,
            seconds=limits.body_seconds,
        )
    except BodyTimeout:
        late = [_CLOSE, *head.cors(())]
        raise HttpRefused(408, "the request body did not come in time", late) from None
    except BodyTooLarge as error:
        status = status_of(too_large(limits.message_bytes))
        raise CallRefused(status, close=not error.drained) from None
    return single_message(decode_text(body) if head.text else body)


def peer_of(scope: Mapping[str, Any]) -> str:
    """The client's address as gRPC writes it, ``ipv4:127.0.0.1:5000``."""
    client = scope.get("client")
    if not client:
        return "unknown:"
    host, port = client[0], client[1]
    return f"ipv6:[{host}]:{port}" if ":" in host else f"ipv4:{host}:{port}"
