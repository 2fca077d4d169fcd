"""grpc-web frames, written and read strictly.

A frame is a flag byte, a big-endian 32-bit length and that many bytes. Flag 0x80 marks the trailer
frame, 0x01 a compressed message. Text mode is base64 over the frames. Rules: "gRPC over HTTP2"
(length-prefixed message, status, custom metadata) and grpc-web's PROTOCOL-WEB.
"""

from __future__ import annotations

import base64
import binascii
import re
import struct
from typing import TYPE_CHECKING

from web_bridge.metadata import encode_metadata, percent_encode
from web_bridge.refusals import malformed, not_offered

if TYPE_CHECKING:
    from web_bridge.status import Status

PREFIX = struct.Struct(">BI")
COMPRESSED = 0x01
TRAILER = 0x80

# A body may be joined from padded pieces. Clients send one or two; the bound keeps the loop short.
_PIECES = re.compile(rb"[^=]+={0,2}")
_MAX_PIECES = 64


def data_frame(message: bytes) -> bytes:
    """One uncompressed message as a frame."""
    return PREFIX.pack(0, len(message)) + message


def trailer_frame(status: Status) -> bytes:
    """The frame that ends every response.

    Raises:
        MetadataError: trailing metadata that must not reach the wire.
    """
    lines = [f"{name}: {value}\r\n" for name, value in trailer_fields(status)]
    block = "".join(lines).encode("ascii")
    return PREFIX.pack(TRAILER, len(block)) + block


def trailer_fields(status: Status) -> list[tuple[str, str]]:
    """Status, message and trailing metadata as header fields.

    Raises:
        MetadataError: trailing metadata that must not reach the wire.
    """
    fields = [("grpc-status", str(status.number))]
    if status.message:
        fields.append(("grpc-message", percent_encode(status.message)))
    fields.extend(encode_metadata(status.trailing))
    return fields


def single_message(body: bytes) -> bytes:
    """The message of a body that must hold exactly one data frame.

    An empty or cut body is refused: reading it as a default message would run the handler with
    a request that nobody sent.

    Raises:
        HubError: UNIMPLEMENTED for a compressed message, INVALID_ARGUMENT for anything else.
    """
    if len(body) < PREFIX.size:
        msg = f"the body has {len(body)} bytes; one 5-byte prefix and a message belong there"
        raise malformed(msg)
    flags, length = PREFIX.unpack_from(body)
    if flags == COMPRESSED:
        raise not_offered(
            "compression",
            "compressed messages are not supported; send them with grpc-encoding identity",
        )
    if flags != 0:
        msg = f"frame flags 0x{flags:02x} are not those of a message"
        raise malformed(msg)
    present = len(body) - PREFIX.size
    if length != present:
        msg = f"the frame says {length} bytes and {present} are there; send one message"
        raise malformed(msg)
    return body[PREFIX.size :]


def decode_text(body: bytes) -> bytes:
    """The bytes of a text-mode body: base64, in one piece or in pieces with padding of their own.

    Raises:
        InvalidArgument: FRAME_MALFORMED when it is not base64.
    """
    pieces = _PIECES.findall(body)
    if len(pieces) > _MAX_PIECES or sum(map(len, pieces)) != len(body):
        msg = "the text body is not base64"
        raise malformed(msg)
    try:
        return b"".join(base64.b64decode(piece, validate=True) for piece in pieces)
    except binascii.Error as error:
        msg = "the text body is not base64"
        raise malformed(msg) from error


def encode_text(frames: bytes) -> bytes:
    """Frames in text mode, padded so that the next piece can follow."""
    return base64.b64encode(frames)
