"""A call's end as the bridge writes it: code, message, trailing metadata."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import grpc

from hub.rpc.status import STATUS_CODES, hub_error_of, trailers_of

if TYPE_CHECKING:
    from hub.errors import HubError

MetadataPairs = tuple[tuple[str, str | bytes], ...]


@dataclass(frozen=True, slots=True)
class Status:
    """How a call ended.

    Attributes:
        code: the canonical code.
        message: plain words; percent-encoded on the wire.
        trailing: trailing metadata; bytes for keys that end in ``-bin``.
    """

    code: grpc.StatusCode
    message: str = ""
    trailing: MetadataPairs = field(default=())

    @property
    def number(self) -> int:
        """The code as the wire carries it."""
        return int(self.code.value[0])


OK = Status(grpc.StatusCode.OK)
DEADLINE_EXCEEDED = Status(grpc.StatusCode.DEADLINE_EXCEEDED, "deadline exceeded")


class CallRefused(Exception):
    """The bridge ends a call before any handler runs.

    Args:
        status: what the client is told: what is wrong and what to do; never a secret.
        close: whether the connection must end, because part of the request was not read.
    """

    def __init__(self, status: Status, *, close: bool = False) -> None:
        super().__init__(status.message)
        self.status = status
        self.close = close


def status_of(error: HubError | None) -> Status:
    """The status of a hub's error, with google.rpc details; OK for None."""
    if error is None:
        return OK
    number, message, details = trailers_of(error)
    return Status(code_of(number), message, (("grpc-status-details-bin", details),))


def failure_status(failure: Exception, doing: str) -> Status:
    """The status of whatever a handler raised; an unknown failure is logged and becomes INTERNAL.

    Args:
        failure: what was raised.
        doing: what the bridge was at, for the log.
    """
    return status_of(hub_error_of(failure, doing))


def code_of(number: int) -> grpc.StatusCode:
    """The canonical code of a number; UNKNOWN for a number outside the protocol."""
    return STATUS_CODES.get(number, grpc.StatusCode.UNKNOWN)
