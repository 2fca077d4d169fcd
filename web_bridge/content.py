"""Content types of grpc-web: which are spoken, and the answer's."""

from __future__ import annotations

ACCEPT_POST = (
    b"application/grpc-web, application/grpc-web+proto, "
    b"application/grpc-web-text, application/grpc-web-text+proto"
)
_BINARY = frozenset({b"application/grpc-web", b"application/grpc-web+proto"})
_TEXT = frozenset({b"application/grpc-web-text", b"application/grpc-web-text+proto"})


def is_text(content_type: bytes | None) -> bool | None:
    """Whether a request's content type means text mode; None when it is no grpc-web at all.

    Parameters and case do not matter. The answer's mode is the request's: clients send
    ``Accept: */*`` or nothing, so Accept tells nothing.
    """
    if content_type is None:
        return None
    media_type = content_type.split(b";", 1)[0].strip().lower()
    if media_type in _BINARY:
        return False
    return True if media_type in _TEXT else None


def response_type(*, text: bool) -> bytes:
    """The content type of an answer."""
    return b"application/grpc-web-text+proto" if text else b"application/grpc-web+proto"
