"""The error tree: everything the hub refuses, as typed exceptions.

::

    HubError
    ├── InvalidArgument        the caller's input breaks a rule; the same input will fail again
    ├── Unauthenticated        no valid token
    ├── PermissionDenied       a valid token without the right
    ├── NotFound               the named thing is not here
    ├── AlreadyExists          the named thing is here already
    ├── FailedPrecondition     the state forbids it now
    ├── Aborted                overtaken by a newer call
    ├── OutOfRange             beyond what is kept
    ├── ResourceExhausted      a limit was reached
    ├── Unavailable            try again later, perhaps elsewhere
    ├── Unimplemented          in the contract, not in this hub
    └── Internal               a fault of the hub

Each class carries its canonical status code (google.rpc.Code); each instance its ErrorReason.
Numbers and names are API, texts are not. ``hub.rpc.status`` turns them into wire errors.
"""

from __future__ import annotations

from typing import ClassVar, TypeAlias

from google.rpc import code_pb2

from shipspeak.realtime.v1 import error_reason_pb2

ReasonValue: TypeAlias = error_reason_pb2.ErrorReason.ValueType


class HubError(Exception):
    """A typed refusal.

    Args:
        reason: why, a value of ErrorReason.
        message: plain words for people who read logs, with what to do; never a secret.
        topic: the topic that it is about; empty for the whole request.
        retry_after: seconds after which a retry may succeed; None when a retry is no use.
        metadata: the facts named at the reason in error_reason.proto.
    """

    code: ClassVar[int] = code_pb2.UNKNOWN

    def __init__(
        self,
        reason: ReasonValue,
        message: str,
        *,
        topic: str = "",
        retry_after: float | None = None,
        **metadata: str | int,
    ) -> None:
        super().__init__(message)
        self.reason = reason
        self.message = message
        self.topic = topic
        self.retry_after = retry_after
        self.metadata = {name: str(value) for name, value in metadata.items()}

    @property
    def reason_name(self) -> str:
        """The reason without its enum prefix, as google.rpc.ErrorInfo carries it."""
        return error_reason_pb2.ErrorReason.Name(self.reason).removeprefix("ERROR_REASON_")

    def __str__(self) -> str:
        return f"{self.reason_name}: {self.message}"


class InvalidArgument(HubError):
    """The input breaks a rule of the contract."""

    code = code_pb2.INVALID_ARGUMENT


class Unauthenticated(HubError):
    """There is no valid token."""

    code = code_pb2.UNAUTHENTICATED


class PermissionDenied(HubError):
    """The token is valid and lacks the right."""

    code = code_pb2.PERMISSION_DENIED


class NotFound(HubError):
    """The named thing is not here."""

    code = code_pb2.NOT_FOUND


class AlreadyExists(HubError):
    """The named thing is here already."""

    code = code_pb2.ALREADY_EXISTS


class FailedPrecondition(HubError):
    """The state forbids it now."""

    code = code_pb2.FAILED_PRECONDITION


class Aborted(HubError):
    """A newer call has overtaken it."""

    code = code_pb2.ABORTED


class OutOfRange(HubError):
    """It lies beyond what is kept."""

    code = code_pb2.OUT_OF_RANGE


class ResourceExhausted(HubError):
    """A limit was reached."""

    code = code_pb2.RESOURCE_EXHAUSTED


class Unavailable(HubError):
    """Try again later, perhaps elsewhere."""

    code = code_pb2.UNAVAILABLE


class Unimplemented(HubError):
    """It is in the contract, and this hub does not offer it."""

    code = code_pb2.UNIMPLEMENTED


class Internal(HubError):
    """A fault of the hub; the details are in its log."""

    code = code_pb2.INTERNAL


def draining_error() -> Unavailable:
    """The refusal of an instance that is about to end."""
    return Unavailable(
        error_reason_pb2.ERROR_REASON_DRAINING,
        "this instance is draining; resume from your cursors",
        retry_after=0.5,
    )


def fault() -> Internal:
    """The end of a session that the hub itself has failed; the cause is in its log."""
    return Internal(
        error_reason_pb2.ERROR_REASON_INTERNAL,
        "the hub failed and has logged why; connect again",
        retry_after=1.0,
    )


def event_unknown(topic: str, event_id: str) -> NotFound:
    """The topic keeps no event with this id, or none that the caller may speak about."""
    return NotFound(
        error_reason_pb2.ERROR_REASON_EVENT_UNKNOWN,
        f"{topic} keeps no such event {event_id}; it may have been trimmed",
        topic=topic,
    )


def unsafe_text_error(field: str, topic: str) -> InvalidArgument:
    """A text holds characters that change how it, or what stands beside it, is shown."""
    return InvalidArgument(
        error_reason_pb2.ERROR_REASON_TEXT_UNSAFE,
        f"{field} holds a control or bidirectional override character; remove it before publishing",
        topic=topic,
        field=field,
    )
