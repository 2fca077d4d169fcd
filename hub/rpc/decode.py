"""All validation of input: bytes become messages that keep the contract's rules, or errors."""

from __future__ import annotations

from typing import TypeVar

import protovalidate
from google.protobuf.message import DecodeError, Message

from hub.errors import FailedPrecondition, HubError, InvalidArgument, ResourceExhausted
from shipspeak.realtime.v1 import error_reason_pb2 as reasons
from shipspeak.realtime.v1 import frame_pb2

PROTOCOL_VERSION = 1
MIN_PROTOCOL_VERSION = 1

# A frame is bounded by the batch limit and its overhead; this leaves room for both.
MAX_MESSAGE_BYTES = 4 * 1024 * 1024

MAX_SHOWN_KEY = 64

M = TypeVar("M", bound=Message)

_validator = protovalidate.Validator()


def parse(kind: type[M], data: bytes) -> M:
    """Parse a message without judging its content.

    Raises:
        InvalidArgument: FRAME_MALFORMED.
        ResourceExhausted: FRAME_TOO_LARGE.
    """
    if len(data) > MAX_MESSAGE_BYTES:
        raise ResourceExhausted(
            reasons.ERROR_REASON_FRAME_TOO_LARGE,
            f"the message has {len(data)} bytes; send smaller batches",
            max_bytes=MAX_MESSAGE_BYTES,
        )
    message = kind()
    try:
        message.ParseFromString(data)
    except DecodeError as error:
        raise InvalidArgument(
            reasons.ERROR_REASON_FRAME_MALFORMED,
            f"{len(data)} bytes are no {kind.DESCRIPTOR.full_name}; "
            "check the client's generated code",
        ) from error
    return message


def check(message: Message) -> None:
    """Hold a message against the rules in the contract.

    Raises:
        InvalidArgument: FIELD_INVALID with the first broken rule, or FRAME_MALFORMED for a frame of
            no known kind.
    """
    violations = _validator.collect_violations(message, fail_fast=True)
    if not violations:
        return
    violation = violations[0].proto
    path = violation.field.elements if violation.field is not None else ()
    field = ".".join(_step(element.field_name, element.subscript) for element in path)
    if isinstance(message, frame_pb2.ClientFrame) and field == "frame":
        raise InvalidArgument(
            reasons.ERROR_REASON_FRAME_MALFORMED,
            "the frame says nothing that this hub knows; upgrade the hub",
        )
    raise InvalidArgument(
        reasons.ERROR_REASON_FIELD_INVALID,
        f"{field or 'the message'}: {violation.message}",
        field=field,
        rule=violation.rule_id,
    )


def _step(name: str, subscript: object) -> str:
    """One step of a field's path: ``drafts[0]`` for an element, ``attributes[a]`` for a map's.

    A map's key is the caller's text. What is too long for a key is too long for a refusal: that
    travels in trailers, of which clients take a few kilobytes.
    """
    value = getattr(subscript, "value", None)
    if value is None:
        return name
    key = str(value)
    return f"{name}[{key if len(key) <= MAX_SHOWN_KEY else key[:MAX_SHOWN_KEY] + '…'}]"


def decode(kind: type[M], data: bytes) -> M:
    """Parse and check.

    Raises:
        InvalidArgument: FRAME_MALFORMED or FIELD_INVALID.
    """
    message = parse(kind, data)
    check(message)
    return message


def check_version(hello: frame_pb2.Hello) -> None:
    """Refuse clients of another protocol version; this comes before any other check.

    Raises:
        FailedPrecondition: PROTOCOL_VERSION_UNSUPPORTED.
    """
    if not MIN_PROTOCOL_VERSION <= hello.protocol_version <= PROTOCOL_VERSION:
        raise version_error(hello.protocol_version)


def version_error(version: int) -> HubError:
    """The refusal of a protocol version."""
    return FailedPrecondition(
        reasons.ERROR_REASON_PROTOCOL_VERSION_UNSUPPORTED,
        f"the client speaks protocol version {version}, "
        f"this hub {MIN_PROTOCOL_VERSION} to {PROTOCOL_VERSION}; upgrade the older of the two",
        min=MIN_PROTOCOL_VERSION,
        max=PROTOCOL_VERSION,
    )
