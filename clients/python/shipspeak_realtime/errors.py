"""What can go wrong, as typed exceptions.

::

    RealtimeError
    ├── NetworkError             the hub cannot be reached, or the connection broke
    ├── DeadlineError            the caller's deadline passed; a publish may be stored or not
    ├── AuthError                no token, or one that the hub does not accept
    ├── PermissionDeniedError    a valid token without the right
    ├── InvalidRequestError      the request breaks a rule; the same request fails again
    ├── UnsupportedError         the hub does not offer it
    ├── ServerBusyError          a limit was reached or the hub sheds load; wait for retry_after
    ├── ServerError              a fault of the hub
    ├── ProtocolError            the two ends do not understand each other (version, broken frame)
    ├── OutboxFullError          too much waits to be published
    ├── OutboxError              the file of the durable outbox cannot be used
    └── ClosedError              the client was closed, or the subscription that a loop begins on

`code` is the canonical gRPC status, `reason` the hub's ErrorReason without its prefix
("RIGHT_MISSING"); both are API, the text is for people who read logs.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

import grpc

if TYPE_CHECKING:
    from collections.abc import Mapping


class RealtimeError(Exception):
    """Base of all errors of this package.

    Args:
        message: plain words for a log.
        code: canonical gRPC status code.
        reason: name of the hub's ErrorReason without its prefix; empty when the hub gave none.
        retry_after: seconds after which a retry may succeed; None when the hub named no time.
        topic: the topic that it is about; empty for the whole request or session.
        metadata: facts that the hub gave with its reason.
        request_id: the draft's id or the request on the stream, where there is one.
    """

    default_code: ClassVar[grpc.StatusCode] = grpc.StatusCode.UNKNOWN
    #: Whether the same call may succeed later, unchanged.
    retryable: bool = False
    #: An earlier try of this publish had no answer, so the event may be stored although this one
    #: was refused: publish again with its id.
    may_be_stored: bool = False

    def __init__(
        self,
        message: str,
        *,
        code: grpc.StatusCode | None = None,
        reason: str = "",
        retry_after: float | None = None,
        topic: str = "",
        metadata: Mapping[str, str] | None = None,
        request_id: str = "",
    ) -> None:
        super().__init__(message)
        self.message = message
        self.code = code or self.default_code
        self.reason = reason
        self.retry_after = retry_after
        self.topic = topic
        self.metadata = dict(metadata or {})
        self.request_id = request_id
        if retry_after is not None:
            self.retryable = True

    def __str__(self) -> str:
        about = f" [{self.topic}]" if self.topic else ""
        doubt = " (an earlier try had no answer: it may be stored)" if self.may_be_stored else ""
        return f"{self.reason or self.code.name}{about}: {self.message}{doubt}"


class NetworkError(RealtimeError):
    """The hub cannot be reached, or the connection broke. Subscriptions never raise it."""

    default_code = grpc.StatusCode.UNAVAILABLE
    retryable = True


class DeadlineError(RealtimeError):
    """The caller's deadline passed. A publish may be stored: publish again with its id."""

    default_code = grpc.StatusCode.DEADLINE_EXCEEDED
    retryable = True


class AuthError(RealtimeError):
    """There is no token, or the hub does not accept it, even after one refresh.

    A token function whose tokens have ended is asked again, with growing waits, and fails nobody.
    """

    default_code = grpc.StatusCode.UNAUTHENTICATED


class PermissionDeniedError(RealtimeError):
    """The token is valid and lacks the right; `metadata` names right and topic."""

    default_code = grpc.StatusCode.PERMISSION_DENIED


class InvalidRequestError(RealtimeError):
    """The request breaks a rule of the contract or of the topic's namespace."""

    default_code = grpc.StatusCode.INVALID_ARGUMENT


class UnsupportedError(RealtimeError):
    """The hub does not offer this call or option."""

    default_code = grpc.StatusCode.UNIMPLEMENTED


class ServerBusyError(RealtimeError):
    """A limit was reached, or the hub sheds load."""

    default_code = grpc.StatusCode.RESOURCE_EXHAUSTED
    retryable = True


class ServerError(RealtimeError):
    """A fault of the hub; its log has the details."""

    default_code = grpc.StatusCode.INTERNAL


class ProtocolError(RealtimeError):
    """The two ends do not understand each other: upgrade one of them."""

    default_code = grpc.StatusCode.FAILED_PRECONDITION


class OutboxFullError(RealtimeError):
    """Too many drafts wait in this process or its file: slow down, or let fewer calls run."""

    default_code = grpc.StatusCode.RESOURCE_EXHAUSTED
    retryable = True


class OutboxError(RealtimeError):
    """The file of a durable outbox cannot be used: it is closed, full, damaged or not writable."""

    default_code = grpc.StatusCode.UNAVAILABLE


class ClosedError(RealtimeError):
    """The client was closed, or the subscription that a loop begins on (SUBSCRIPTION_CLOSED)."""

    default_code = grpc.StatusCode.CANCELLED
