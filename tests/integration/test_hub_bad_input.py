"""Bad input gets a typed error; the connection and a bystander are unharmed, nothing is lost."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING

import grpc
import pytest
from google.rpc import code_pb2

from shipspeak.realtime.v1 import error_reason_pb2 as reasons
from shipspeak.realtime.v1 import event_pb2, frame_pb2, notification_pb2, realtime_service_pb2
from tests.support.raw_client import GOOD, RawClient, Stream, draft

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from tests.support.hub_process import HubProcess

CODE = grpc.StatusCode


class _Scene:
    """A client that misbehaves, and a bystander that reads what it publishes in between."""

    def __init__(self, client: RawClient, stream: Stream, bystander: Stream, topic: str) -> None:
        self.client = client
        self.stream = stream
        self.bystander = bystander
        self.topic = topic
        self.published = 0

    async def unharmed(self) -> None:
        """Both streams still work and the bystander has missed nothing."""
        self.published += 1
        (result,) = await self.stream.publish(draft(self.topic, self.published))
        assert result.outcome == frame_pb2.OUTCOME_STORED
        assert result.offset == self.published, "nothing bad was stored in between"
        (event,) = await self.bystander.events(1)
        assert (event.id, event.offset) == (f"e{self.published}", self.published)
        await self.stream.send(request_id=7, ping=frame_pb2.Ping(nonce=self.published))
        assert (await self.stream.control("pong")).nonce == self.published

    async def refused(self, reason: reasons.ErrorReason.ValueType, code: int) -> event_pb2.Error:
        """The next error frame, which must have this reason."""
        error: event_pb2.Error = await self.stream.control("error")
        assert reasons.ErrorReason.Name(error.reason) == reasons.ErrorReason.Name(reason)
        assert error.code == code
        assert error.message
        return error


@pytest.fixture
async def scene(shared_hub: HubProcess) -> AsyncIterator[_Scene]:
    topic = f"meeting/{secrets.token_hex(4)}"
    async with RawClient(shared_hub.grpc) as client, RawClient(shared_hub.grpc) as other:
        stream, _ = await client.session()
        bystander, _ = await other.session()
        await bystander.subscribe(topic)
        made = _Scene(client, stream, bystander, topic)
        await made.unharmed()
        yield made
        await made.unharmed()


@pytest.mark.parametrize(
    "garbage",
    [b"\xff", b"\x00" * 10, b"\x12\x7f", secrets.token_bytes(1000), b"\x2a\xff\xff\xff\xff\x0f"],
)
async def test_garbage_frames(scene: _Scene, garbage: bytes) -> None:
    for _ in range(3):
        await scene.stream.send_bytes(garbage)
        await scene.refused(reasons.ERROR_REASON_FRAME_MALFORMED, code_pb2.INVALID_ARGUMENT)


async def test_frames_of_no_known_kind(scene: _Scene) -> None:
    for unknown in (b"", b"\x08\x05", b"\xfa\x01\x00"):
        await scene.stream.send_bytes(unknown)
        await scene.refused(reasons.ERROR_REASON_FRAME_MALFORMED, code_pb2.INVALID_ARGUMENT)


async def test_a_second_hello(scene: _Scene) -> None:
    await scene.stream.send(request_id=3, hello=GOOD)
    error = await scene.refused(reasons.ERROR_REASON_FIELD_INVALID, code_pb2.INVALID_ARGUMENT)
    assert error.request_id == 3


@pytest.mark.parametrize("garbage", [b"\xff\xff", b""])
async def test_a_first_frame_that_is_no_hello_ends_that_stream_only(
    scene: _Scene, garbage: bytes
) -> None:
    stream = scene.client.connect()
    await stream.send_bytes(garbage)
    assert await stream.end() == (CODE.INVALID_ARGUMENT, "HELLO_REQUIRED")


@pytest.mark.parametrize("topic", ["nothing/1", "meting/42"])
async def test_an_unknown_kind(scene: _Scene, topic: str) -> None:
    await scene.stream.send(request_id=5, subscribe=frame_pb2.Subscribe(topic=topic))
    error = await scene.refused(reasons.ERROR_REASON_NAMESPACE_UNKNOWN, code_pb2.NOT_FOUND)
    assert (error.request_id, error.topic) == (5, topic)
    (result,) = await scene.stream.publish(draft(topic, 1))
    assert result.outcome == frame_pb2.OUTCOME_REFUSED
    assert result.error.reason == reasons.ERROR_REASON_NAMESPACE_UNKNOWN


@pytest.mark.parametrize(
    "topic", ["meeting", "meeting/", "meeting/../user/x", "meeting/*", "MEETING/1"]
)
async def test_a_name_that_is_no_topic(scene: _Scene, topic: str) -> None:
    await scene.stream.send(subscribe=frame_pb2.Subscribe(topic=topic))
    await scene.refused(reasons.ERROR_REASON_TOPIC_INVALID, code_pb2.INVALID_ARGUMENT)
    (result,) = await scene.stream.publish(draft(topic, 1))
    assert result.error.reason == reasons.ERROR_REASON_TOPIC_INVALID


async def test_an_oversize_event_stops_its_topic_in_the_batch_and_no_other(scene: _Scene) -> None:
    other = scene.topic + "/other"
    large = draft(scene.topic, 50)
    large.content.other.value = bytes(262_145)
    large.content.other.type_url = "type.example/x"
    results = await scene.stream.publish(large, draft(scene.topic, 51), draft(other, 52))
    assert [result.outcome for result in results] == [
        frame_pb2.OUTCOME_REFUSED,
        frame_pb2.OUTCOME_NOT_ATTEMPTED,
        frame_pb2.OUTCOME_STORED,
    ]
    assert results[0].error.reason == reasons.ERROR_REASON_EVENT_TOO_LARGE
    assert results[0].error.metadata["max_bytes"] == "262144"
    assert results[1].error.reason == reasons.ERROR_REASON_EARLIER_DRAFT_FAILED
    assert results[1].error.HasField("retry_after")


async def test_a_batch_that_is_too_large(scene: _Scene) -> None:
    drafts = []
    for number in range(6):
        drafts.append(draft(scene.topic, 100 + number))
        drafts[-1].content.other.type_url = "type.example/x"
        drafts[-1].content.other.value = bytes(200_000)
    await scene.stream.send(request_id=9, publish=frame_pb2.PublishRequest(drafts=drafts))
    error = await scene.refused(reasons.ERROR_REASON_BATCH_TOO_LARGE, code_pb2.INVALID_ARGUMENT)
    assert error.request_id == 9
    status = await scene.client.refused("Publish", frame_pb2.PublishRequest(drafts=drafts))
    assert status == (CODE.INVALID_ARGUMENT, "BATCH_TOO_LARGE")


async def test_the_wrong_payload_for_the_kind(scene: _Scene) -> None:
    wrong = event_pb2.Draft(id="w1", topic=scene.topic)
    wrong.content.practice.hint.text = "slower"
    wrong.content.practice.hint.aspect = "pace"
    (result,) = await scene.stream.publish(wrong)
    assert result.error.reason == reasons.ERROR_REASON_PAYLOAD_NOT_ALLOWED
    assert result.error.metadata["payload"] == "practice"


async def test_a_payload_that_only_the_hub_publishes(scene: _Scene) -> None:
    forged = event_pb2.Draft(id="r1", topic="user/alice")
    forged.content.receipt.event_id = "e1"
    forged.content.receipt.state = notification_pb2.RECEIPT_STATE_READ
    (result,) = await scene.stream.publish(forged)
    assert result.error.reason == reasons.ERROR_REASON_PAYLOAD_RESERVED


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"id": ""}, "id"),
        ({"id": "x" * 65}, "id"),
        ({"id": "a b"}, "id"),
        ({"content": event_pb2.Content()}, "content"),
        ({"content": event_pb2.Content(priority=9)}, "priority"),  # type: ignore[arg-type]
    ],
)
async def test_a_field_that_breaks_a_rule(
    scene: _Scene, change: dict[str, object], field: str
) -> None:
    bad = event_pb2.Draft(**{"id": "x", "topic": scene.topic, **change})  # type: ignore[arg-type]
    if field != "content":
        bad.content.metrics.metrics.add(name="n")
    await scene.stream.send(request_id=4, publish=frame_pb2.PublishRequest(drafts=[bad]))
    error = await scene.refused(reasons.ERROR_REASON_FIELD_INVALID, code_pb2.INVALID_ARGUMENT)
    assert field in error.metadata["field"]


async def test_an_empty_batch(scene: _Scene) -> None:
    await scene.stream.send(request_id=4, publish=frame_pb2.PublishRequest())
    await scene.refused(reasons.ERROR_REASON_FIELD_INVALID, code_pb2.INVALID_ARGUMENT)


async def test_two_topics_in_one_batch_of_all_or_nothing(scene: _Scene) -> None:
    drafts = [draft(scene.topic, 1), draft(scene.topic + "/b", 2)]
    request = frame_pb2.PublishRequest(drafts=drafts, all_or_nothing=True)
    await scene.stream.send(publish=request)
    await scene.refused(reasons.ERROR_REASON_BATCH_TOPICS_MIXED, code_pb2.INVALID_ARGUMENT)


async def test_all_or_nothing_stores_nothing_when_one_draft_is_refused(scene: _Scene) -> None:
    wrong = event_pb2.Draft(id="w1", topic=scene.topic)
    wrong.content.practice.hint.text = "slower"
    wrong.content.practice.hint.aspect = "pace"
    request = frame_pb2.PublishRequest(drafts=[draft(scene.topic, 70), wrong], all_or_nothing=True)
    answer = await scene.client.call("Publish", request)
    assert [result.outcome for result in answer.results] == [
        frame_pb2.OUTCOME_NOT_ATTEMPTED,
        frame_pb2.OUTCOME_REFUSED,
    ]


async def test_a_damaged_cursor(scene: _Scene) -> None:
    topic = scene.topic + "/c"
    subscribed = await scene.stream.subscribe(topic)
    await scene.stream.send(unsubscribe=frame_pb2.Unsubscribe(topic=topic))
    assert (await scene.stream.control("unsubscribed")).topic == topic
    good = subscribed.position.cursor
    bad = bytearray(good)
    bad[10] ^= 1
    for token, place in ((bytes(bad), topic), (good, scene.topic + "/d"), (b"", topic)):
        position = event_pb2.Position(cursor=token)
        await scene.stream.send(subscribe=frame_pb2.Subscribe(topic=place, position=position))
        await scene.refused(reasons.ERROR_REASON_CURSOR_INVALID, code_pb2.INVALID_ARGUMENT)
    assert (await scene.stream.subscribe(topic, position=event_pb2.Position(cursor=good))).verdict


async def test_subscribing_twice_and_leaving_what_was_not_there(scene: _Scene) -> None:
    topic = scene.topic + "/twice"
    await scene.stream.subscribe(topic)
    await scene.stream.send(subscribe=frame_pb2.Subscribe(topic=topic))
    await scene.refused(reasons.ERROR_REASON_ALREADY_SUBSCRIBED, code_pb2.ALREADY_EXISTS)
    await scene.stream.send(unsubscribe=frame_pb2.Unsubscribe(topic="meeting/never"))
    await scene.refused(reasons.ERROR_REASON_NOT_SUBSCRIBED, code_pb2.NOT_FOUND)


@pytest.mark.parametrize("name", ["Publish", "Poll", "Touch", "ReadHistory", "RefreshSession"])
async def test_garbage_in_unary_calls(scene: _Scene, name: str) -> None:
    status = await scene.client.refused(name, b"\xff\xff\xff")
    assert status == (CODE.INVALID_ARGUMENT, "FRAME_MALFORMED")


async def test_garbage_in_listen(scene: _Scene) -> None:
    stream = scene.client.listen_bytes(b"\xff\xff\xff")
    assert await stream.end() == (CODE.INVALID_ARGUMENT, "FRAME_MALFORMED")


async def test_a_bad_topic_in_listen_is_an_error_frame_and_the_rest_goes_on(scene: _Scene) -> None:
    stream = scene.client.listen(
        frame_pb2.Subscribe(topic="nothing/1"), frame_pb2.Subscribe(topic=scene.topic)
    )
    error = await stream.control("error")
    assert (error.reason, error.topic) == (reasons.ERROR_REASON_NAMESPACE_UNKNOWN, "nothing/1")
    assert (await stream.control("subscribed")).topic == scene.topic
    await scene.unharmed()
    assert len(await stream.events(1)) == 1


async def test_a_bad_topic_in_poll_is_an_error_frame_beside_the_others(scene: _Scene) -> None:
    answer = await scene.client.poll(
        frame_pb2.Subscribe(topic="nothing/1"), frame_pb2.Subscribe(topic=scene.topic)
    )
    assert [frame.WhichOneof("control") for frame in answer.frames] == ["error", "subscribed"]
    assert answer.frames[0].error.topic == "nothing/1"


async def test_conflation_where_it_is_not_allowed(scene: _Scene) -> None:
    for wish in ({"conflate": True}, {"at": frame_pb2.START_SNAPSHOT}):
        await scene.stream.send(subscribe=frame_pb2.Subscribe(topic="user/alice", **wish))
        await scene.refused(reasons.ERROR_REASON_CONFLATION_NOT_ALLOWED, code_pb2.INVALID_ARGUMENT)


async def test_a_publisher_that_never_reads_its_answers_costs_nobody(scene: _Scene) -> None:
    rude = scene.client.connect()
    await rude.send(hello=GOOD)
    for number in range(3000):
        await rude.send(request_id=number, ping=frame_pb2.Ping(nonce=number))
    await scene.unharmed()


async def test_history_of_a_volatile_topic(scene: _Scene) -> None:
    request = realtime_service_pb2.ReadHistoryRequest(topic="signal/x")
    status = await scene.client.refused("ReadHistory", request)
    assert status == (CODE.FAILED_PRECONDITION, "START_UNAVAILABLE")
