"""One grpc-web response: headers once, frames in order, one trailer frame."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import grpc

from web_bridge.coding import CODED, VARY, coded, worth_coding
from web_bridge.content import response_type
from web_bridge.framing import data_frame, encode_text, trailer_fields, trailer_frame
from web_bridge.metadata import MetadataError, encode_initial_metadata
from web_bridge.status import MetadataPairs, Status

if TYPE_CHECKING:
    from web_bridge.asgi import Send

logger = logging.getLogger(__name__)

_INVALID_METADATA = Status(grpc.StatusCode.INTERNAL, "invalid metadata")
# Intermediaries must neither keep nor rewrite a stream, nor hold it back (nginx).
_FIXED = [
    (b"cache-control", b"no-store, no-transform"),
    (b"x-accel-buffering", b"no"),
    (b"x-content-type-options", b"nosniff"),
    (b"grpc-accept-encoding", b"identity"),
]

CorsHeaders = Callable[[tuple[str, ...]], list[tuple[bytes, bytes]]]


@dataclass(frozen=True, slots=True)
class ResponseHead:
    """What the headers of every answer to one request have in common.

    Attributes:
        text: whether the answer is in text mode.
        cors: gives the CORS headers, with further names to expose.
        text_header_bytes: status fields larger than this stay out of the headers.
        gzip: whether the client reads answers in gzip; streams are never sent so.
    """

    text: bool
    cors: CorsHeaders
    text_header_bytes: int
    gzip: bool = False

    def fields(
        self, initial: list[tuple[str, str]], status: Status | None = None
    ) -> list[tuple[bytes, bytes]]:
        """The header fields of a 200 answer.

        Args:
            initial: checked initial metadata.
            status: set when the call failed before any message. It is then in the headers as well
                as in the body: some clients look only here, all others accept both.
        """
        fields = [(b"content-type", response_type(text=self.text)), *_FIXED]
        fields.extend(self.cors(tuple(name for name, _ in initial)))
        fields.extend((name.encode(), value.encode()) for name, value in initial)
        if status is not None:
            for name, value in trailer_fields(status):
                if len(value) <= self.text_header_bytes:
                    fields.append((name.encode(), value.encode()))
        return fields

    def encode(self, frames: bytes) -> bytes:
        """Frames in the answer's mode."""
        return encode_text(frames) if self.text else frames


def checked(status: Status) -> Status:
    """The status, or INTERNAL when its trailing metadata must not reach the wire."""
    try:
        trailer_fields(status)
    except MetadataError:
        logger.exception("a handler's trailing metadata was refused")
        return _INVALID_METADATA
    return status


class Response:
    """Writes one answer. Only one task writes messages; headers may come from another one.

    Args:
        send: the ASGI send.
        head: headers common to every answer.
        close: whether the connection ends with this answer.
    """

    def __init__(self, send: Send, head: ResponseHead, *, close: bool = False) -> None:
        self._send = send
        self._head = head
        self._close = close
        self._lock = asyncio.Lock()
        self._initial: list[tuple[str, str]] = []
        self.started = False
        self.finished = False

    def set_initial_metadata(self, pairs: MetadataPairs) -> None:
        """Metadata for the headers, before they are sent.

        Raises:
            MetadataError: it must not reach the wire.
        """
        self._initial = encode_initial_metadata(pairs)

    async def start(self) -> None:
        """Send the headers of a stream, if they are not out yet, and an empty first part.

        Some servers hold the headers back until a first body event comes.
        """
        async with self._lock:
            if self.started or self.finished:
                return
            self.started = True
            await self._send_start(None)
            await self._send_body(b"", more=True)

    async def message(self, message: bytes) -> None:
        """Send one message of a stream."""
        if not self.started:
            await self.start()
        async with self._lock:
            if not self.finished:
                await self._send_body(self._head.encode(data_frame(message)), more=True)

    async def finish(self, status: Status, message: bytes | None = None) -> None:
        """Send the end: for a unary call its message, then the trailer frame. Idempotent."""
        status = checked(status)
        async with self._lock:
            if self.finished:
                return
            self.finished = True
            frames = trailer_frame(status)
            if message is not None:
                frames = data_frame(message) + frames
            body = self._head.encode(frames)
            if not self.started:
                failed = status if status.number else None
                fields = [VARY] if worth_coding(len(body)) else []
                if fields and self._head.gzip:
                    body = await coded(body)
                    fields.append(CODED)
                fields.append((b"content-length", b"%d" % len(body)))
                await self._send_start(failed, fields)
            await self._send_body(body, more=False)

    async def _send_start(
        self, status: Status | None, more: Sequence[tuple[bytes, bytes]] = ()
    ) -> None:
        fields = [*self._head.fields(self._initial, status), *more]
        if self._close:
            fields.append((b"connection", b"close"))
        await self._send({"type": "http.response.start", "status": 200, "headers": fields})

    async def _send_body(self, body: bytes, *, more: bool) -> None:
        await self._send({"type": "http.response.body", "body": body, "more_body": more})
