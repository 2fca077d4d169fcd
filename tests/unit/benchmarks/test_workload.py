"""The frames and markers that the benchmark sends."""

from __future__ import annotations

import pytest

from benchmarks import wire
from benchmarks.workload import ACK_TAG, MARKER, Workload, content, marker, sequence_of
from shipspeak.realtime.v1 import event_pb2, frame_pb2


@pytest.mark.parametrize("size", [42, 64, 256, 4096])
def test_a_payload_has_the_size_asked_for_and_begins_with_the_marker(size):
    value = content(123, 45, size).other.value
    assert len(value) == size
    found = MARKER.match(value)
    assert found is not None
    assert (int(found[1]), int(found[2])) == (123, 45)


def test_the_sequence_number_of_an_event_is_read_back():
    assert sequence_of(event_pb2.Event(content=content(1, 77, 256))) == 77


def test_an_event_without_a_marker_is_refused():
    with pytest.raises(ValueError, match="carries no marker"):
        sequence_of(event_pb2.Event(id="x"))


def test_digits_written_into_the_template_make_the_next_draft():
    workload = Workload("meeting/1", run_id="r")
    template = workload.template()
    frame = bytearray(template.frame)
    frame[template.id_at : template.id_at + template.id_width] = b"%012d" % 9
    frame[template.marker_at : template.marker_at + 42] = marker(1000, 9)
    (body,) = wire.split_messages(bytes(frame[wire.FRAME_HEAD_BYTES :]))
    (draft,) = frame_pb2.ClientFrame.FromString(body).publish.drafts
    assert draft == workload.draft(1000, 9)


def test_the_tag_of_an_answer_is_the_first_byte_of_its_frame():
    frame = frame_pb2.ServerFrame(published=frame_pb2.Published(request_id=1))
    assert frame.SerializeToString()[0] == ACK_TAG


def test_messages_cut_short_are_left_out():
    data = wire.grpc_message(b"one") + wire.grpc_message(b"two")
    assert wire.split_messages(data) == [b"one", b"two"]
    assert wire.split_messages(data[:-1]) == [b"one"]
    assert wire.split_messages(b"\x00\x00") == []
