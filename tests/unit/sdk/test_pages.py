"""What the answers of unary readers become."""

from __future__ import annotations

from shipspeak.realtime.v1 import event_pb2, frame_pb2, realtime_service_pb2
from shipspeak_realtime import VerdictKind
from shipspeak_realtime.pages import answer_of_poll

TOPIC = "signal/1"


def test_a_gap_without_a_log_leaves_no_place_to_go_on_from():
    """A poll of a volatile topic that has run ahead: told, and asked again without a cursor."""
    told = [
        frame_pb2.Subscribed(topic=TOPIC, verdict=verdict, position=event_pb2.Position())
        for verdict in (frame_pb2.VERDICT_LIVE, frame_pb2.VERDICT_GAP)
    ]
    run = event_pb2.TopicRun(topic=TOPIC, events=[event_pb2.Event(id="v9")])
    frames = [*(frame_pb2.ServerFrame(subscribed=one) for one in told), frame_pb2.ServerFrame()]
    frames[-1].runs.append(run)
    answer = realtime_service_pb2.PollResponse(frames=frames)
    page = answer_of_poll([frame_pb2.Subscribe(topic=TOPIC)], answer).pages[TOPIC]
    assert (page.verdict, page.next) == (VerdictKind.GAP, None)
    assert [event.id for event in page.events] == ["v9"]
