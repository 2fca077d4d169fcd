"""A raw HTTP/1.1 client over a socket: what is on the wire, byte by byte."""

from __future__ import annotations

import asyncio
import base64
import socket
import struct
from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from urllib.parse import unquote

from google.rpc import error_details_pb2, status_pb2

from tests.wire import chosen

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

PREFIX = struct.Struct(">BI")
BINARY = b"application/grpc-web+proto"
TEXT = b"application/grpc-web-text"
# What comes at once, on a machine that is very busy.
PATIENCE = 20.0


def frame(message: bytes, flags: int = 0) -> bytes:
    return PREFIX.pack(flags, len(message)) + message


@dataclass
class Answer:
    status: int
    headers: list[tuple[str, str]]
    body: bytes = b""
    complete: bool = False

    def header(self, name: str) -> str | None:
        found = [value for key, value in self.headers if key == name]
        return ", ".join(found) if found else None

    def frames(self, *, text: bool = False) -> list[tuple[int, bytes]]:
        body = decode_pieces(self.body) if text else self.body
        found = []
        at = 0
        while at < len(body):
            assert len(body) >= at + PREFIX.size, "a cut frame"
            flags, length = PREFIX.unpack_from(body, at)
            at += PREFIX.size + length
            assert len(body) >= at, "a cut frame"
            found.append((flags, body[at - length : at]))
        return found

    def messages(self, *, text: bool = False) -> list[bytes]:
        return [payload for flags, payload in self.frames(text=text) if flags == 0]

    def trailers(self, *, text: bool = False) -> dict[str, str]:
        """Of a complete answer: exactly one trailer frame, and it is the last frame."""
        assert self.complete, "the answer was cut"
        frames = self.frames(text=text)
        assert [flags for flags, _ in frames].count(0x80) == 1, "not exactly one trailer frame"
        flags, block = frames[-1]
        assert flags == 0x80, "the trailer frame is not the last one"
        fields: dict[str, str] = {}
        for line in block.decode("ascii").removesuffix("\r\n").split("\r\n"):
            name, _, value = line.partition(":")
            assert name not in fields, f"{name} comes twice"
            fields[name] = value.strip()
        return fields

    def status_message(self, *, text: bool = False) -> tuple[str, str]:
        fields = self.trailers(text=text)
        return fields["grpc-status"], unquote(fields.get("grpc-message", ""))

    def reason(self, *, text: bool = False) -> str:
        """The reason in the trailer's ErrorInfo."""
        encoded = self.trailers(text=text)["grpc-status-details-bin"]
        raw = base64.b64decode(encoded + "=" * (-len(encoded) % 4))
        info = error_details_pb2.ErrorInfo()
        assert status_pb2.Status.FromString(raw).details[0].Unpack(info)
        return info.reason


def decode_pieces(body: bytes) -> bytes:
    """Text mode: pieces of base64, each with its own padding."""
    assert len(body) % 4 == 0, "the text body is not aligned"
    groups = (body[at : at + 4] for at in range(0, len(body), 4))
    return b"".join(base64.b64decode(group, validate=True) for group in groups)


@dataclass
class Raw:
    """One connection."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    answer: Answer = field(default_factory=lambda: Answer(0, []))

    @classmethod
    async def connect(cls, port: int, *, receive_buffer: int | None = None) -> Raw:
        """Connect; a receive buffer that is set stays small, so that a reader can stall."""
        sock = socket.socket()
        sock.setblocking(False)
        if receive_buffer is not None:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        try:
            await asyncio.get_running_loop().sock_connect(sock, ("127.0.0.1", port))
            name = "127.0.0.1" if chosen.trust else None
            reader, writer = await asyncio.open_connection(
                sock=sock, ssl=chosen.trust, server_hostname=name
            )
        except BaseException:
            # Refused, or cancelled on the way: nobody else knows the socket.
            sock.close()
            raise
        return cls(reader, writer)

    async def send(self, data: bytes) -> None:
        self.writer.write(data)
        await self.writer.drain()

    async def read_head(self) -> Answer:
        async with asyncio.timeout(PATIENCE):
            block = await self.reader.readuntil(b"\r\n\r\n")
        first, *lines = block.decode("latin-1").removesuffix("\r\n\r\n").split("\r\n")
        fields = [line.split(": ", 1) for line in lines]
        self.answer = Answer(int(first.split()[1]), [(k.lower(), v) for k, v in fields])
        return self.answer

    async def read_part(self) -> bytes:
        """The next chunk of a chunked body; empty at its end."""
        async with asyncio.timeout(PATIENCE):
            size = int(await self.reader.readuntil(b"\r\n"), 16)
            part = await self.reader.readexactly(size)
            await self.reader.readexactly(2)
        self.answer.body += part
        self.answer.complete = size == 0
        return part

    async def read_answer(self) -> Answer:
        """One whole answer; `complete` says whether the server ended it properly."""
        answer = await self.read_head()
        length = answer.header("content-length")
        try:
            if answer.header("transfer-encoding") == "chunked":
                while await self.read_part():
                    pass
            elif length is not None:
                async with asyncio.timeout(PATIENCE):
                    answer.body = await self.reader.readexactly(int(length))
                answer.complete = True
        except asyncio.IncompleteReadError as error:
            answer.body += error.partial
        return answer

    async def read_frames(self, count: int) -> list[bytes]:
        """Read parts until so many messages are there."""
        while len(self.answer.messages()) < count:
            assert await self.read_part(), "the stream ended"
        return self.answer.messages()

    async def each_frame(self) -> AsyncIterator[tuple[int, bytes]]:
        """Flags and payload of each grpc-web frame of a chunked body, to its end; none is kept."""
        pending = b""
        while part := await self.read_part():
            self.answer.body = b""
            pending += part
            while len(pending) >= PREFIX.size:
                flags, length = PREFIX.unpack_from(pending)
                if len(pending) < PREFIX.size + length:
                    break
                payload = pending[PREFIX.size : PREFIX.size + length]
                pending = pending[PREFIX.size + length :]
                yield flags, payload

    async def ended(self) -> bytes:
        """What comes until the server closes."""
        async with asyncio.timeout(PATIENCE):
            return await self.reader.read()

    def close(self) -> None:
        self.writer.close()

    def abort(self) -> None:
        self.writer.transport.abort()


def post(
    path: str,
    body: bytes,
    *headers: tuple[str, str],
    content_type: bytes = BINARY,
    host: str | None = "hub.test",
    length: int | None = None,
) -> bytes:
    """A POST request; a length other than the body's leaves it unfinished."""
    lines = [f"POST {path} HTTP/1.1".encode()]
    if host is not None:
        lines.append(b"host: " + host.encode())
    if content_type:
        lines.append(b"content-type: " + content_type)
    lines.extend(f"{name}: {value}".encode("latin-1") for name, value in headers)
    lines.append(b"content-length: %d" % (len(body) if length is None else length))
    return b"\r\n".join(lines) + b"\r\n\r\n" + body


def request(method: str, path: str, *headers: tuple[str, str], host: str = "hub.test") -> bytes:
    lines = [f"{method} {path} HTTP/1.1", f"host: {host}"]
    lines.extend(f"{name}: {value}" for name, value in headers)
    return ("\r\n".join(lines) + "\r\n\r\n").encode()


async def ask(port: int, *pieces: bytes) -> Answer:
    """Send a request, in pieces that arrive one by one, and read its answer."""
    client = await Raw.connect(port)
    try:
        for piece in pieces:
            await client.send(piece)
            await asyncio.sleep(0)
        return await client.read_answer()
    finally:
        client.close()


async def call(
    port: int, method: str, message: bytes = b"", *headers: tuple[str, str], text: bool = False
) -> Answer:
    """One grpc-web call of the echo service."""
    body = frame(message)
    if text:
        body = base64.b64encode(body)
    kind = TEXT if text else BINARY
    return await ask(port, post(f"/echo.Echo/{method}", body, *headers, content_type=kind))
