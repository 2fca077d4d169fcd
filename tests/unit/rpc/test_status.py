"""Every error of the hub has a wire status with its facts; unknown failures give nothing away."""

from __future__ import annotations

import grpc
import pytest
from google.rpc import error_details_pb2, status_pb2

from hub import errors
from hub.errors import HubError, Internal, Unavailable
from hub.rpc.status import STATUS_CODES, http_status, hub_error_of, rich_status, trailers_of
from shipspeak.realtime.v1 import error_reason_pb2 as reasons

KINDS = {
    errors.InvalidArgument: grpc.StatusCode.INVALID_ARGUMENT,
    errors.Unauthenticated: grpc.StatusCode.UNAUTHENTICATED,
    errors.PermissionDenied: grpc.StatusCode.PERMISSION_DENIED,
    errors.NotFound: grpc.StatusCode.NOT_FOUND,
    errors.AlreadyExists: grpc.StatusCode.ALREADY_EXISTS,
    errors.FailedPrecondition: grpc.StatusCode.FAILED_PRECONDITION,
    errors.Aborted: grpc.StatusCode.ABORTED,
    errors.OutOfRange: grpc.StatusCode.OUT_OF_RANGE,
    errors.ResourceExhausted: grpc.StatusCode.RESOURCE_EXHAUSTED,
    errors.Unavailable: grpc.StatusCode.UNAVAILABLE,
    errors.Unimplemented: grpc.StatusCode.UNIMPLEMENTED,
    errors.Internal: grpc.StatusCode.INTERNAL,
}


def test_the_table_has_every_kind_of_error() -> None:
    assert set(KINDS) == set(HubError.__subclasses__())


@pytest.mark.parametrize("kind", KINDS)
def test_each_kind_has_its_http_status(kind: type[HubError]) -> None:
    assert 400 <= http_status(kind(reasons.ERROR_REASON_DRAINING, "text")) < 600


@pytest.mark.parametrize("kind", KINDS)
def test_each_kind_has_its_code(kind: type[HubError]) -> None:
    code, message, _ = trailers_of(kind(reasons.ERROR_REASON_DRAINING, "text"))
    assert STATUS_CODES[code] is KINDS[kind]
    assert message == "text"


def test_the_details_carry_reason_facts_and_retry() -> None:
    error = Unavailable(
        reasons.ERROR_REASON_SHARD_UNAVAILABLE, "x", topic="meeting/1", retry_after=1.25, shard=3
    )
    status = status_pb2.Status.FromString(trailers_of(error)[2])
    info, retry = error_details_pb2.ErrorInfo(), error_details_pb2.RetryInfo()
    assert status.details[0].Unpack(info)
    assert status.details[1].Unpack(retry)
    assert (info.reason, info.domain) == ("SHARD_UNAVAILABLE", "shipspeak.realtime")
    assert dict(info.metadata) == {"shard": "3", "topic": "meeting/1"}
    assert retry.retry_delay.ToMilliseconds() == 1250


def test_without_hope_there_is_no_retry() -> None:
    status = rich_status(errors.InvalidArgument(reasons.ERROR_REASON_FIELD_INVALID, "x"))
    assert len(status.details) == 1


def test_an_unknown_failure_says_nothing_of_itself() -> None:
    error = hub_error_of(RuntimeError("password=hunter2"), "testing")
    assert isinstance(error, Internal)
    assert "hunter2" not in str(error)
    assert b"hunter2" not in rich_status(error).SerializeToString()


def test_a_known_error_stays_itself() -> None:
    known = Unavailable(reasons.ERROR_REASON_DRAINING, "x")
    assert hub_error_of(known, "testing") is known
