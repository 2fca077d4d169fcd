"""Bytes become messages that keep the rules, or typed errors; never anything else."""

from __future__ import annotations

from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.errors import FailedPrecondition, HubError, InvalidArgument
from hub.rpc.decode import check, check_version, decode, parse
from hub.rpc.status import trailers_of
from shipspeak.realtime.v1 import event_pb2, frame_pb2, realtime_service_pb2


@given(st.binary(max_size=300))
def test_any_bytes_are_a_message_or_a_typed_error(data: bytes) -> None:
    for kind in (
        frame_pb2.ClientFrame,
        frame_pb2.PublishRequest,
        realtime_service_pb2.ListenRequest,
        realtime_service_pb2.PollRequest,
    ):
        try:
            decode(kind, data)
            reason = ""
        except InvalidArgument as error:
            reason = error.reason_name
        assert reason in {"", "FRAME_MALFORMED", "FIELD_INVALID"}


def test_parsing_does_not_judge() -> None:
    bad = frame_pb2.ClientFrame(hello=frame_pb2.Hello(client_id="x" * 100))
    assert parse(frame_pb2.ClientFrame, bad.SerializeToString()) == bad
    with pytest.raises(InvalidArgument) as caught:
        check(bad)
    assert caught.value.metadata["field"] == "hello.client_id"
    assert caught.value.metadata["rule"] == "string.max_len"


def test_the_field_of_a_list_is_named_with_its_place() -> None:
    good = event_pb2.Draft(id="a", topic="meeting/1")
    good.content.metrics.metrics.add(name="n")
    bad = event_pb2.Draft()
    bad.CopyFrom(good)
    bad.id = "a b"
    with pytest.raises(InvalidArgument) as caught:
        check(frame_pb2.PublishRequest(drafts=[good, bad]))
    assert caught.value.metadata["field"] == "drafts[1].id"


def test_a_refusal_that_names_a_callers_key_fits_into_trailers() -> None:
    """gRPC clients take 8 KiB of them; more, and the reason is lost."""
    draft = event_pb2.Draft(id="a", topic="meeting/1")
    draft.content.metrics.metrics.add(name="n")
    draft.content.attributes["\U0001f600" * 50_000] = "v"
    with pytest.raises(InvalidArgument) as caught:
        check(frame_pb2.PublishRequest(drafts=[draft]))
    assert caught.value.metadata["field"].startswith("drafts[0].content.attributes[\U0001f600")
    _, message, details = trailers_of(caught.value)
    assert len(quote(message)) + len(details) * 4 / 3 < 4096


@pytest.mark.parametrize("data", [b"", b"\x08\x05", b"\xfa\x01\x00"])
def test_a_frame_of_no_known_kind(data: bytes) -> None:
    with pytest.raises(InvalidArgument) as caught:
        decode(frame_pb2.ClientFrame, data)
    assert caught.value.reason_name == "FRAME_MALFORMED"


def test_only_this_version() -> None:
    check_version(frame_pb2.Hello(protocol_version=1))
    for version in (0, 2, 99, 2**32 - 1):
        with pytest.raises(FailedPrecondition) as caught:
            check_version(frame_pb2.Hello(protocol_version=version))
        assert caught.value.metadata == {"min": "1", "max": "1"}


def test_the_bytes_are_not_in_the_error() -> None:
    with pytest.raises(HubError) as caught:
        parse(frame_pb2.ClientFrame, b"\xffsecret")
    assert "secret" not in caught.value.message
