"""The receiver's rule: the shared vectors, and a hub that cuts, repeats and reorders."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shipspeak.realtime.v1 import event_pb2, frame_pb2
from shipspeak_realtime.runs import REMEMBERED_IDS, Action, Place, Receiver

CASES = json.loads(Path("tests/conformance/vectors/runs.json").read_text())


def run_of(step: dict[str, Any]) -> event_pb2.TopicRun:
    run = {**step, "events": [{"id": e["id"], "offset": int(e["offset"])} for e in step["events"]]}
    for name in ("epoch", "after_offset", "through_offset"):
        run[name] = int(run[name])
    return event_pb2.TopicRun(topic="meeting/1", **run)


def answer_of(step: dict[str, Any]) -> frame_pb2.Subscribed:
    return frame_pb2.Subscribed(
        verdict=frame_pb2.Verdict.Value(f"VERDICT_{step['verdict']}"),
        epoch=int(step["epoch"]),
        position=event_pb2.Position(handled_offset=int(step["handled_offset"])),
    )


def place_of(position: dict[str, Any] | None) -> Place | None:
    return None if position is None else Place(int(position["epoch"]), int(position["offset"]))


@pytest.mark.parametrize("case", CASES, ids=[case["name"] for case in CASES])
def test_shared_vectors(case: dict[str, Any]):
    receiver = Receiver(place_of(case["position"]))
    for step in case["steps"]:
        if "run" in step:
            taken = receiver.run(run_of(step["run"]))
            action, delivered = taken.action, [event.id for event in taken.events]
        else:
            action, delivered = receiver.subscribed(answer_of(step["subscribed"])), []
        assert action is Action(step["expect"]["action"])
        assert delivered == step["expect"]["deliver"]
        assert receiver.place == place_of(step["expect"]["position"])


def test_an_answer_that_says_ok_further_on_is_told_as_a_gap():
    """Nothing is missing, it says, and yet what lies between would never come."""
    receiver = Receiver(Place(7, 5))
    answer = answer_of({"verdict": "OK", "epoch": 7, "handled_offset": 9})
    assert receiver.subscribed(answer) is Action.GAP
    assert receiver.place == Place(7, 9)


def piece(offsets: list[int], after: int, through: int) -> event_pb2.TopicRun:
    events = [
        event_pb2.Event(id=str(offset), offset=offset)
        for offset in offsets
        if after < offset <= through
    ]
    return event_pb2.TopicRun(epoch=7, after_offset=after, through_offset=through, events=events)


@given(
    offsets=st.sets(st.integers(1, 60)).map(sorted),
    pieces=st.lists(st.tuples(st.integers(0, 60), st.integers(1, 20))),
)
def test_any_pieces_of_a_log_give_it_once_and_in_order(
    offsets: list[int], pieces: list[tuple[int, int]]
):
    receiver = Receiver(Place(7, 0))
    delivered = []
    for after, length in pieces:
        before = receiver.place
        taken = receiver.run(piece(offsets, after, after + length))
        delivered += [event.offset for event in taken.events]
        if taken.action is Action.RESUBSCRIBE:
            assert before is not None
            assert after > before.offset
            assert receiver.place == before
    assert receiver.place is not None
    assert delivered == [offset for offset in offsets if offset <= receiver.place.offset]
    # What a new subscription from that place would bring completes the log.
    taken = receiver.run(piece(offsets, receiver.place.offset, 100))
    assert delivered + [event.offset for event in taken.events] == offsets


def test_the_memory_of_volatile_ids_is_bounded():
    receiver = Receiver()
    receiver.subscribed(frame_pb2.Subscribed(verdict=frame_pb2.VERDICT_LIVE))
    ids = [f"e{number}" for number in range(REMEMBERED_IDS + 1)]
    receiver.run(event_pb2.TopicRun(events=[event_pb2.Event(id=each) for each in ids]))
    again = receiver.run(
        event_pb2.TopicRun(events=[event_pb2.Event(id=each) for each in (ids[1], ids[0])])
    )
    assert [event.id for event in again.events] == ["e0"], "only the oldest is forgotten"
