"""HTTP/2 by hand, frame by frame, at the gRPC door (RFC 9113)."""

from __future__ import annotations

import asyncio
import contextlib
from typing import TYPE_CHECKING, Any

from hpack import Decoder, Encoder
from hyperframe.frame import (
    Frame,
    GoAwayFrame,
    HeadersFrame,
    PingFrame,
    RstStreamFrame,
    SettingsFrame,
)

from tests.support.raw_client import SERVICE

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterable

PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
_HEAD = 9
# Attackers come from another address than bystanders: rates are counted by address.
ELSEWHERE = "127.0.0.66"


class Wire:
    """One connection.

    Attributes:
        seen: how many frames of each kind came.
        statuses: the gRPC status of each answered call, by stream.
        over: the hub has closed the connection.
    """

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader, self.writer = reader, writer
        self.encoder = Encoder()
        self.seen: dict[str, int] = {}
        self.statuses: dict[int, str] = {}
        self.over = False
        self._decoder = Decoder()
        self._pongs: asyncio.Queue[bytes] = asyncio.Queue()
        self._reading: asyncio.Task[None] | None = None

    def headers(self, stream: int, method: str, *more: tuple[str, str], end: bool = False) -> bytes:
        """The head of a call."""
        frame = HeadersFrame(stream, self.block(method, *more))
        frame.flags.add("END_HEADERS")
        if end:
            frame.flags.add("END_STREAM")
        return frame.serialize()

    def block(self, method: str, *more: tuple[str, str]) -> bytes:
        """A header block of a call."""
        fields = [
            (":method", "POST"),
            (":scheme", "http"),
            (":path", f"/{SERVICE}/{method}"),
            (":authority", "hub"),
            ("te", "trailers"),
            ("content-type", "application/grpc"),
        ]
        return self.encoder.encode([*fields, *more])

    def read_on(self) -> None:
        """Read from now on."""
        self._reading = asyncio.create_task(self._read())

    async def send(self, data: bytes | Iterable[bytes]) -> None:
        """Send; what cannot be sent any more is dropped."""
        pieces = [data] if isinstance(data, bytes) else data
        with contextlib.suppress(ConnectionError):
            for piece in pieces:
                self.writer.write(piece)
                await self.writer.drain()

    async def fate(self, seconds: float = 120.0) -> str:
        """Whether the hub still answers on the connection: "goes on", or "cut"."""
        await self.send(PingFrame(0, opaque_data=b"fate?   ").serialize())
        try:
            async with asyncio.timeout(seconds):
                while await self._pongs.get() != b"fate?   ":
                    pass
        except TimeoutError:
            return "silent"
        return "cut" if self.over else "goes on"

    async def ended(self, seconds: float = 60.0) -> None:
        """Wait until the hub has closed the connection."""
        assert self._reading is not None
        async with asyncio.timeout(seconds):
            await self._reading

    async def _read(self) -> None:
        pending = b""
        with contextlib.suppress(ConnectionError):
            while more := await self.reader.read(65_536):
                pending = self._take(pending + more)
        self.over = True
        self._pongs.put_nowait(b"fate?   ")

    def _take(self, pending: bytes) -> bytes:
        """Take the whole frames; what is left."""
        at = 0
        while len(pending) - at >= _HEAD:
            frame, length = Frame.parse_frame_header(memoryview(pending)[at : at + _HEAD])
            if len(pending) - at < _HEAD + length:
                break
            frame.parse_body(memoryview(pending)[at + _HEAD : at + _HEAD + length])
            at += _HEAD + length
            self._note(frame)
        return pending[at:]

    def _note(self, frame: Frame) -> None:
        kind = type(frame).__name__.removesuffix("Frame")
        self.seen[kind] = self.seen.get(kind, 0) + 1
        match frame:
            case PingFrame() if "ACK" in frame.flags:
                self._pongs.put_nowait(frame.opaque_data)
            case PingFrame():
                self._answer(PingFrame(0, opaque_data=frame.opaque_data))
            case SettingsFrame() if "ACK" not in frame.flags:
                self._answer(SettingsFrame(0))
            case HeadersFrame():
                fields: Any = self._decoder.decode(frame.data)
                for name, value in fields:
                    if name == "grpc-status":
                        self.statuses[frame.stream_id] = value
            case RstStreamFrame():
                self.statuses.setdefault(frame.stream_id, f"reset {frame.error_code}")
            case GoAwayFrame():
                self.statuses[0] = f"go away {frame.error_code}"
            case _:
                pass

    def _answer(self, frame: PingFrame | SettingsFrame) -> None:
        frame.flags.add("ACK")
        self.writer.write(frame.serialize())

    def close(self) -> None:
        """Leave at once."""
        if self._reading is not None:
            self._reading.cancel()
        self.writer.transport.abort()


@contextlib.asynccontextmanager
async def wire(target: str, *, preface: bytes = PREFACE, read: bool = True) -> AsyncIterator[Wire]:
    """A connection to the gRPC door after the preface and the settings."""
    host, _, port = target.rpartition(":")
    reader, writer = await asyncio.open_connection(host, int(port), local_addr=(ELSEWHERE, 0))
    made = Wire(reader, writer)
    try:
        if preface:
            writer.write(preface + SettingsFrame(0).serialize())
        if read:
            made.read_on()
        yield made
    finally:
        made.close()
