"""Metadata between HTTP headers and gRPC: what goes in, what may come out.

Source of the rules: "gRPC over HTTP2", sections Custom-Metadata, Timeout and Status-Message.
"""

from __future__ import annotations

import base64
import binascii
import re
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import quote

from web_bridge.refusals import bad_header

if TYPE_CHECKING:
    from collections.abc import Iterable

    from web_bridge.asgi import Headers

_KEY = re.compile(r"[0-9a-z_.\-]+")
_PRINTABLE = re.compile(rb"[\x20-\x7e]*")
_TIMEOUT = re.compile(rb"([0-9]{1,8})([HMSmun])")
_UNIT_SECONDS = {b"H": 3600.0, b"M": 60.0, b"S": 1.0, b"m": 1e-3, b"u": 1e-6, b"n": 1e-9}
# Everything printable but the percent sign stays as it is.
_MESSAGE_SAFE = "".join(chr(code) for code in range(0x20, 0x7F) if chr(code) != "%")

# Headers of the hop or of the browser's page, which are no call metadata.
_NOT_METADATA = frozenset(
    (
        b"accept",
        b"accept-encoding",
        b"accept-language",
        b"cache-control",
        b"connection",
        b"content-length",
        b"content-type",
        b"cookie",
        b"dnt",
        b"expect",
        b"forwarded",
        b"host",
        b"keep-alive",
        b"origin",
        b"pragma",
        b"priority",
        b"proxy-authorization",
        b"proxy-connection",
        b"referer",
        b"te",
        b"trailer",
        b"transfer-encoding",
        b"upgrade",
        b"upgrade-insecure-requests",
        b"x-grpc-web",
        b"grpc-accept-encoding",
        b"grpc-encoding",
        b"grpc-timeout",
    )
)
_NOT_METADATA_PREFIXES = (b"sec-", b"access-control-", b":")
# Response fields that the bridge or the HTTP server owns; a handler cannot set them.
_OWNED = frozenset(
    (
        "cache-control",
        "connection",
        "content-encoding",
        "content-length",
        "content-security-policy",
        "content-type",
        "date",
        "keep-alive",
        "location",
        "server",
        "set-cookie",
        "te",
        "trailer",
        "transfer-encoding",
        "upgrade",
        "vary",
        "x-accel-buffering",
    )
)
_ALLOWED_GRPC = frozenset({"grpc-status-details-bin", "grpc-retry-pushback-ms"})


class Metadatum(NamedTuple):
    """One pair of metadata, as grpc.aio gives it to handlers."""

    key: str
    value: str | bytes


class MetadataError(ValueError):
    """A handler's metadata would break the protocol; it must not reach the wire."""


def decode_metadata(headers: Headers) -> tuple[Metadatum, ...]:
    """The call's metadata from its HTTP headers, in order.

    Args:
        headers: lower-case names.

    Raises:
        InvalidArgument: FIELD_INVALID for a value that is no printable ASCII or no base64.
    """
    pairs: list[Metadatum] = []
    for name, value in headers:
        if name in _NOT_METADATA or name.startswith(_NOT_METADATA_PREFIXES):
            continue
        if not _PRINTABLE.fullmatch(name) or not _PRINTABLE.fullmatch(value):
            shown = name.decode("ascii", "backslashreplace")
            raise bad_header(
                shown,
                "ascii",
                f"header {shown!r} is not printable ASCII; send such values in a '-bin' header",
            )
        key = name.decode("ascii")
        if key.endswith("-bin"):
            pairs.extend(Metadatum(key, piece) for piece in _binary_values(key, value))
        else:
            pairs.append(Metadatum(key, value.decode("ascii")))
    return tuple(pairs)


def _binary_values(key: str, value: bytes) -> list[bytes]:
    # Servers may join repeated headers with commas; padding is optional.
    try:
        return [_base64(piece.strip()) for piece in value.split(b",")]
    except binascii.Error as error:
        raise bad_header(key, "base64", f"header {key!r} is not base64") from error


def _base64(piece: bytes) -> bytes:
    return base64.b64decode(piece + b"=" * (-len(piece) % 4), validate=True)


def encode_metadata(
    pairs: Iterable[tuple[str, str | bytes]], reserved: frozenset[str] = frozenset()
) -> list[tuple[str, str]]:
    """A handler's metadata as header fields.

    Args:
        pairs: keys and values; bytes only for keys that end in ``-bin``.
        reserved: further names that are refused.

    Raises:
        MetadataError: a key or value that is not allowed on the wire. A line break in a value
            would let a handler's data write header lines of its own.
    """
    fields: list[tuple[str, str]] = []
    for key, value in pairs:
        if not _KEY.fullmatch(key):
            msg = f"invalid metadata key {key!r}"
            raise MetadataError(msg)
        if key in reserved or (key.startswith("grpc-") and key not in _ALLOWED_GRPC):
            msg = f"metadata key {key!r} is reserved"
            raise MetadataError(msg)
        fields.append((key, _field_value(key, value)))
    return fields


def encode_initial_metadata(pairs: Iterable[tuple[str, str | bytes]]) -> list[tuple[str, str]]:
    """A handler's initial metadata as HTTP response headers.

    Raises:
        MetadataError: as `encode_metadata`, and for headers that the bridge owns.
    """
    fields = encode_metadata(pairs, _OWNED)
    for key, _ in fields:
        if key.startswith("access-control-"):
            msg = f"metadata key {key!r} is reserved"
            raise MetadataError(msg)
    return fields


def _field_value(key: str, value: str | bytes) -> str:
    if key.endswith("-bin"):
        raw = value if isinstance(value, bytes) else value.encode()
        return base64.b64encode(raw).rstrip(b"=").decode("ascii")
    if isinstance(value, bytes):
        msg = f"metadata key {key!r} has bytes and no '-bin' at its end"
        raise MetadataError(msg)
    if not value.isascii() or not _PRINTABLE.fullmatch(value.encode()):
        msg = f"the value of metadata key {key!r} is not printable ASCII"
        raise MetadataError(msg)
    return value


def decode_timeout(headers: Headers) -> float | None:
    """Seconds of the grpc-timeout header, or None without one.

    Raises:
        InvalidArgument: FIELD_INVALID for a malformed or repeated header.
    """
    values = [value for name, value in headers if name == b"grpc-timeout"]
    if not values:
        return None
    match = _TIMEOUT.fullmatch(values[0])
    if len(values) > 1 or match is None:
        raise bad_header(
            "grpc-timeout",
            "timeout",
            "grpc-timeout must be given once, as 1 to 8 digits and one of H M S m u n",
        )
    return int(match[1]) * _UNIT_SECONDS[match[2]]


def percent_encode(message: str) -> str:
    """A status message for the wire: UTF-8, with all but printable ASCII percent-encoded."""
    return quote(message, safe=_MESSAGE_SAFE, errors="replace")
