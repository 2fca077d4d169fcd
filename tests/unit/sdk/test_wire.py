"""Refusals on the wire become typed exceptions."""

from __future__ import annotations

import grpc
import pytest
from google.protobuf.any_pb2 import Any as AnyMessage
from google.rpc.error_details_pb2 import ErrorInfo, RetryInfo
from google.rpc.status_pb2 import Status

from shipspeak.realtime.v1 import error_reason_pb2, event_pb2
from shipspeak_realtime import (
    AuthError,
    DeadlineError,
    InvalidRequestError,
    NetworkError,
    PermissionDeniedError,
    ProtocolError,
    RealtimeError,
    ServerBusyError,
    ServerError,
    UnsupportedError,
)
from shipspeak_realtime.wire import build, from_frame, from_rpc, reason_name

Code = grpc.StatusCode

KINDS = {
    Code.UNAVAILABLE: NetworkError,
    Code.UNKNOWN: NetworkError,
    Code.CANCELLED: NetworkError,
    Code.DEADLINE_EXCEEDED: DeadlineError,
    Code.UNAUTHENTICATED: AuthError,
    Code.PERMISSION_DENIED: PermissionDeniedError,
    Code.INVALID_ARGUMENT: InvalidRequestError,
    Code.NOT_FOUND: InvalidRequestError,
    Code.ALREADY_EXISTS: InvalidRequestError,
    Code.FAILED_PRECONDITION: InvalidRequestError,
    Code.OUT_OF_RANGE: InvalidRequestError,
    Code.UNIMPLEMENTED: UnsupportedError,
    Code.RESOURCE_EXHAUSTED: ServerBusyError,
    Code.ABORTED: ServerBusyError,
    Code.INTERNAL: ServerError,
    Code.DATA_LOSS: ServerError,
    Code.OK: RealtimeError,
}


@pytest.mark.parametrize("code", Code)
def test_every_code_has_its_class(code: grpc.StatusCode):
    error = build(code, "", "words")
    assert type(error) is KINDS[code]
    assert error.code is code
    assert str(error) == f"{code.name}: words"


def test_a_reason_that_says_more_than_its_code_wins():
    assert (
        type(build(Code.FAILED_PRECONDITION, "PROTOCOL_VERSION_UNSUPPORTED", "")) is ProtocolError
    )
    assert type(build(Code.UNAVAILABLE, "OVERLOADED", "")) is ServerBusyError


def test_a_named_time_makes_any_refusal_retryable():
    assert not build(Code.INVALID_ARGUMENT, "", "").retryable
    assert build(Code.INVALID_ARGUMENT, "", "", retry_after=0.0).retryable


def test_a_frame():
    frame = event_pb2.Error(
        request_id=7,
        topic="meeting/1",
        code=7,
        reason=error_reason_pb2.ERROR_REASON_RIGHT_MISSING,
        message="no right",
        metadata={"right": "subscribe"},
    )
    frame.retry_after.FromMilliseconds(1500)
    error = from_frame(frame)
    assert type(error) is PermissionDeniedError
    assert (error.reason, error.topic, error.request_id) == ("RIGHT_MISSING", "meeting/1", "7")
    assert (error.retry_after, error.metadata) == (1.5, {"right": "subscribe"})
    assert str(error) == "RIGHT_MISSING [meeting/1]: no right"


def test_unknown_numbers_are_kept():
    assert reason_name(0) == ""
    assert reason_name(9999) == "REASON_9999"
    assert type(from_frame(event_pb2.Error(code=99, reason=9999))) is NetworkError  # type: ignore[arg-type]


def failed(details: bytes | None) -> grpc.aio.AioRpcError:
    trailers = () if details is None else (("grpc-status-details-bin", details),)
    return grpc.aio.AioRpcError(
        Code.UNAVAILABLE, grpc.aio.Metadata(), grpc.aio.Metadata(*trailers), details="draining"
    )


def packed(message: ErrorInfo | RetryInfo) -> AnyMessage:
    box = AnyMessage()
    box.Pack(message)
    return box


def test_a_status_with_details():
    retry = RetryInfo()
    retry.retry_delay.FromMilliseconds(250)
    info = ErrorInfo(reason="DRAINING", metadata={"topic": "meeting/1"})
    status = Status(details=[packed(info), packed(retry)])
    error = from_rpc(failed(status.SerializeToString()))
    assert type(error) is NetworkError
    assert (error.reason, error.retry_after, error.topic) == ("DRAINING", 0.25, "meeting/1")
    assert isinstance(error.__cause__, grpc.aio.AioRpcError)


@pytest.mark.parametrize("details", [None, b"", b"\xff\xff"])
def test_a_status_without_readable_details(details: bytes | None):
    error = from_rpc(failed(details))
    assert (type(error), error.reason, error.message) == (NetworkError, "", "draining")
