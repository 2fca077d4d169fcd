"""Dead letters on a real hub (E1): why, from where, and what is done with them."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING

import pytest

from shipspeak.realtime.v1 import error_reason_pb2 as reasons
from shipspeak.realtime.v1 import event_pb2, frame_pb2
from tests.support.raw_client import RawClient, Stream, draft
from tests.support.work_member import Member

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from tests.support.hub_process import HubProcess


@pytest.fixture
async def client(shared_hub: HubProcess) -> AsyncIterator[RawClient]:
    async with RawClient(shared_hub.grpc) as client:
        yield client


@pytest.fixture
def kind() -> str:
    """The id of a meeting that no other test knows; its topics are meeting/<kind>/<n>."""
    return secrets.token_hex(4)


async def publish(client: RawClient, topic: str, *numbers: int) -> None:
    results = await client.publish(*(draft(topic, number) for number in numbers))
    assert {result.outcome for result in results} == {frame_pb2.OUTCOME_STORED}


async def test_a_rejected_event_is_a_dead_letter(client: RawClient, kind: str) -> None:
    """E1: with all that is known, and the event as it was."""
    topic = f"meeting/{kind}"
    reader, _ = await client.session()
    await reader.subscribe("dead/meeting")
    member = await Member.join(client, kind, topic)
    await publish(client, topic, 1)
    held = await member.deliveries(1)
    assert await member.say(frame_pb2.VERB_REJECT, *held) == [0]
    letter = await _letter_of(reader, kind)
    assert letter.id == f"dl:{kind}:e1"
    assert dict(letter.content.attributes) == {
        "work": kind,
        "topic": topic,
        "offset": "1",
        "attempts": "1",
        "reason": "REJECTED_BY_MEMBER",
    }
    original = event_pb2.Event()
    assert letter.content.other.Unpack(original)
    assert original == held[0].event
    await member.quiet()


async def test_attempts_end_and_events_of_one_id_are_two_dead_letters(
    start_hub: Callable[..., HubProcess], kind: str
) -> None:
    hub = start_hub(env={"RTHUB_WORK_MAX_ATTEMPTS": "2"})
    async with RawClient(hub.grpc) as client:
        reader, _ = await client.session()
        await reader.subscribe("dead/meeting")
        member = await Member.join(client, kind, "meeting/*")
        await publish(client, "meeting/a", 1)
        await publish(client, "meeting/b", 1)
        for attempt in (1, 2):
            held = await member.deliveries(2)
            assert [delivery.attempt for delivery in held] == [attempt] * 2
            assert await member.say(frame_pb2.VERB_NACK, *held) == [0, 0]
        letters = await reader.events(2)
    first, second = (letter.id for letter in letters)
    assert first == f"dl:{kind}:e1"
    assert second.startswith(f"{first}:")
    assert second != first
    facts = [dict(letter.content.attributes) for letter in letters]
    assert {fact["topic"] for fact in facts} == {"meeting/a", "meeting/b"}
    assert {(fact["attempts"], fact["reason"]) for fact in facts} == {("2", "ATTEMPTS_EXHAUSTED")}


async def test_only_the_hub_publishes_dead_letters(client: RawClient) -> None:
    (result,) = await client.publish(draft("dead/meeting", 1))
    assert result.error.reason == reasons.ERROR_REASON_RIGHT_MISSING


async def _letter_of(reader: Stream, work: str) -> event_pb2.Event:
    while True:
        (letter,) = await reader.events(1)
        if letter.content.attributes["work"] == work:
            return letter
