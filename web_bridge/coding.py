"""Content codings of answers: gzip where the client reads it and the bytes are worth the work.

Only answers that are whole before they are sent are coded: polls and other unary calls, JSON, the
page. A stream is not: its frames are shared by every subscriber as they are, and a coder for each
connection would cost more CPU than the whole delivery (`python -m benchmarks.coding` measures it).

Rules: RFC 9110, 8.4 (Content-Encoding), 12.5.3 (Accept-Encoding), 12.5.5 (Vary).
"""

from __future__ import annotations

import asyncio
import gzip
import re
from typing import TYPE_CHECKING

from web_bridge.asgi import answer, header

if TYPE_CHECKING:
    from web_bridge.asgi import Headers, Send

# Less than this fits into one packet either way (1,500 bytes less IP, TCP, TLS and a short head).
MIN_BYTES = 1_200
# From here on a thread does it: zlib lets go of the interpreter, and the loop goes on.
THREAD_BYTES = 32 * 1024
# Measured on pages of polls: level 6 saves another 2 % of the original for three times the time.
LEVEL = 1

VARY = (b"vary", b"accept-encoding")
CODED = (b"content-encoding", b"gzip")

_ELEMENT = re.compile(rb"\s*([!#$%&'*+\-.^_`|~0-9A-Za-z]+)\s*(?:;\s*[qQ]=([01](?:\.\d{0,3})?)\s*)?")


def reads_gzip(headers: Headers) -> bool:
    """Whether a request's Accept-Encoding takes gzip; one that cannot be read takes nothing."""
    field = header(headers, b"accept-encoding")
    if field is None:
        return False
    weights: dict[bytes, float] = {}
    for element in field.split(b","):
        match = _ELEMENT.fullmatch(element)
        if match is not None:
            name, weight = match.groups()
            weights[name.lower()] = 1.0 if weight is None else float(weight)
    named = max(weights.get(b"gzip", -1.0), weights.get(b"x-gzip", -1.0))
    return (weights.get(b"*", 0.0) if named < 0 else named) > 0


def worth_coding(size: int) -> bool:
    """Whether a body of so many bytes is coded."""
    return size >= MIN_BYTES


async def coded(body: bytes) -> bytes:
    """The body in gzip, without a time in its head, so that equal bodies stay equal."""
    if len(body) < THREAD_BYTES:
        return _gzip(body)
    return await asyncio.to_thread(_gzip, body)


async def answer_coded(
    send: Send,
    asked: Headers,
    status: int,
    fields: list[tuple[bytes, bytes]],
    body: bytes,
) -> None:
    """Send one complete HTTP answer, in gzip where that is worth it.

    Args:
        send: the ASGI send.
        asked: the request's headers.
        status: the HTTP status.
        fields: of the answer, without Content-Length, Content-Encoding and Accept-Encoding's Vary.
        body: the whole body, as it is.
    """
    if worth_coding(len(body)):
        fields = [*fields, VARY]
        if reads_gzip(asked):
            body = await coded(body)
            fields.append(CODED)
    await answer(send, status, fields, body)


def _gzip(body: bytes) -> bytes:
    return gzip.compress(body, LEVEL, mtime=0)
