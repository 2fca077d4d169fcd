"""Work subscriptions on a real hub (E1): sharing, leases, redelivery, crashes, dead letters."""

from __future__ import annotations

import asyncio
import secrets
from typing import TYPE_CHECKING

import grpc
import pytest
from google.protobuf.duration_pb2 import Duration

from hub.auth.tokens import mint
from shipspeak.realtime.v1 import error_reason_pb2 as reasons
from shipspeak.realtime.v1 import frame_pb2
from tests.support.raw_client import RawClient, draft
from tests.support.work_member import Member, acks, ids

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from tests.support.hub_process import HubProcess

CODE = grpc.StatusCode
SECRET = "a-secret-of-more-than-thirty-two-bytes"


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


async def test_two_members_share_each_event_to_one(client: RawClient, kind: str) -> None:
    """E1."""
    pattern = f"meeting/{kind}/*"
    one = await Member.join(client, kind, pattern, max_outstanding=5)
    two = await Member.join(client, kind, pattern, max_outstanding=5)
    for number in range(10):
        await publish(client, f"meeting/{kind}/{number}", number)
    first, second = await asyncio.gather(one.deliveries(5), two.deliveries(5))
    assert sorted(ids(first) + ids(second)) == [(f"e{number}", 1) for number in range(10)]
    assert all(delivery.work == kind for delivery in first + second)
    assert {delivery.topic for delivery in first} <= {f"meeting/{kind}/{n}" for n in range(10)}
    assert all(delivery.event.offset == 1 for delivery in first)
    await asyncio.gather(one.ack(*first), two.ack(*second))
    await asyncio.gather(one.quiet(), two.quiet())


async def test_a_member_holds_no_more_than_it_asked_for(client: RawClient, kind: str) -> None:
    topic = f"meeting/{kind}"
    member = await Member.join(client, kind, topic, max_outstanding=2)
    await publish(client, topic, 1, 2, 3, 4)
    first = await member.deliveries(2)
    await member.quiet()
    await member.ack(first[0])
    assert ids(await member.deliveries(1)) == [("e3", 1)]


async def test_what_a_dead_member_held_goes_to_another(client: RawClient, kind: str) -> None:
    """E1: at once, without waiting for the lease to end."""
    topic = f"meeting/{kind}"
    one = await Member.join(client, kind, topic, ack_deadline=Duration(seconds=600))
    await publish(client, topic, 1, 2)
    held = await one.deliveries(2)
    assert held[0].deadline.seconds - held[0].event.published_at.seconds >= 599
    two = await Member.join(client, kind, topic)
    one.die()
    assert ids(await two.deliveries(2)) == [("e1", 2), ("e2", 2)]


async def test_closing_gives_the_deliveries_back(client: RawClient, kind: str) -> None:
    """E1: what was given back was no attempt."""
    topic = f"meeting/{kind}"
    one = await Member.join(client, kind, topic)
    await publish(client, topic, 1)
    (held,) = await one.deliveries(1)
    two = await Member.join(client, kind, topic)
    await one.stream.send(request_id=5, close_work=frame_pb2.CloseWork(name=kind))
    closed = await one.stream.control("work_closed")
    assert (closed.request_id, closed.name) == (5, kind)
    (again,) = await two.deliveries(1)
    assert again.attempt == 1
    assert await one.say(frame_pb2.VERB_ACK, held) == [reasons.ERROR_REASON_DELIVERY_UNKNOWN]
    await one.stream.send(request_id=6, close_work=frame_pb2.CloseWork(name=kind))
    assert (await one.stream.control("error")).reason == reasons.ERROR_REASON_WORK_UNKNOWN


async def test_a_confirmed_ack_survives_a_kill_and_an_open_delivery_comes_again(
    hub: HubProcess, kind: str
) -> None:
    """E1: never redelivered once it was confirmed, redelivered when it was not."""
    topic = f"meeting/{kind}"
    async with RawClient(hub.grpc) as client:
        member = await Member.join(client, kind, topic)
        await publish(client, topic, 1, 2, 3)
        one, two, three = await member.deliveries(3)
        await member.ack(one, three)
        await asyncio.to_thread(hub.restart)
    async with RawClient(hub.grpc) as client:
        member = await Member.join(client, kind, topic)
        assert ids(await member.deliveries(1)) == [("e2", 2)]
        stale = await member.say(frame_pb2.VERB_ACK, two)
        assert stale == [reasons.ERROR_REASON_DELIVERY_UNKNOWN]
        await member.quiet()


async def test_nack_brings_it_back_after_the_delay(client: RawClient, kind: str) -> None:
    topic = f"meeting/{kind}"
    member = await Member.join(client, kind, topic)
    await publish(client, topic, 1, 2)
    one, two = await member.deliveries(2)
    loop = asyncio.get_running_loop()
    began = loop.time()
    assert await member.say(frame_pb2.VERB_NACK, one, delay=0.8) == [0]
    assert await member.say(frame_pb2.VERB_NACK, two) == [0]
    assert ids(await member.deliveries(1)) == [("e2", 2)]
    assert ids(await member.deliveries(1)) == [("e1", 2)]
    assert loop.time() - began >= 0.8


async def test_extend_answers_and_a_day_is_too_long(client: RawClient, kind: str) -> None:
    topic = f"meeting/{kind}"
    member = await Member.join(client, kind, topic)
    await publish(client, topic, 1)
    held = await member.deliveries(1)
    assert await member.say(frame_pb2.VERB_EXTEND, *held, delay=600) == [0]
    too_long = await member.say(frame_pb2.VERB_EXTEND, *held, delay=601)
    assert too_long == [reasons.ERROR_REASON_FIELD_INVALID]
    assert await member.say(frame_pb2.VERB_READ, *held) == [reasons.ERROR_REASON_FIELD_INVALID]
    await member.ack(*held)


async def test_the_unary_call_acknowledges_too(client: RawClient, kind: str) -> None:
    topic = f"meeting/{kind}"
    member = await Member.join(client, kind, topic)
    await publish(client, topic, 1)
    held = await member.deliveries(1)
    answer = await client.call("Acknowledge", acks(frame_pb2.VERB_ACK, *held, *held))
    assert [result.error.reason for result in answer.results] == [
        0,
        reasons.ERROR_REASON_DELIVERY_UNKNOWN,
    ]


async def test_ordered_topics_come_one_event_at_a_time(client: RawClient, kind: str) -> None:
    """E1: in order, to one member; other topics go on meanwhile."""
    pattern = f"meeting/{kind}/*"
    one = await Member.join(client, kind, pattern, ordered=True)
    a, b = f"meeting/{kind}/a", f"meeting/{kind}/b"
    await publish(client, a, 1, 2, 3)
    (first,) = await one.deliveries(1)
    two = await Member.join(client, kind, pattern, ordered=True)
    await publish(client, b, 10, 11)
    (other,) = await two.deliveries(1)
    assert (first.event.id, other.event.id) == ("e1", "e10")
    await asyncio.gather(one.quiet(), two.quiet())
    assert await one.say(frame_pb2.VERB_NACK, first) == [0]
    (again,) = await one.deliveries(1)
    assert (again.event.id, again.attempt) == ("e1", 2)
    await one.ack(again)
    (second,) = await one.deliveries(1)
    assert second.event.id == "e2"
    one.die()
    assert ids(await two.deliveries(1)) == [("e2", 2)]


async def test_the_first_member_fixes_pattern_and_order(client: RawClient, kind: str) -> None:
    member = await Member.join(client, kind, f"meeting/{kind}/*")
    assert await member.refused(f"meeting/{kind}/**") == reasons.ERROR_REASON_FIELD_INVALID
    ordered = await member.refused(f"meeting/{kind}/*", ordered=True)
    assert ordered == reasons.ERROR_REASON_FIELD_INVALID


@pytest.mark.parametrize(
    ("pattern", "reason"),
    [
        ("meeting", reasons.ERROR_REASON_TOPIC_INVALID),
        ("meeting/**/x", reasons.ERROR_REASON_TOPIC_INVALID),
        ("meeting/{sub}", reasons.ERROR_REASON_TOPIC_INVALID),
        ("*/42", reasons.ERROR_REASON_TOPIC_INVALID),
        ("*/**", reasons.ERROR_REASON_TOPIC_INVALID),
        ("nowhere/*", reasons.ERROR_REASON_NAMESPACE_UNKNOWN),
        ("signal/*", reasons.ERROR_REASON_FIELD_INVALID),
        ("dead/*", reasons.ERROR_REASON_FIELD_INVALID),
    ],
)
async def test_refused_patterns(client: RawClient, kind: str, pattern: str, reason: int) -> None:
    stream, _ = await client.session()
    member = Member(stream, kind)
    await member.open(pattern)
    error = await stream.control("error")
    assert (error.request_id, error.reason) == (1, reason)
    assert error.topic in ("", pattern)


@pytest.mark.parametrize("seconds", [9, 601])
async def test_a_lease_lasts_10_to_600_seconds(client: RawClient, kind: str, seconds: int) -> None:
    stream, _ = await client.session()
    reason = await Member(stream, kind).refused(
        f"meeting/{kind}", ack_deadline=Duration(seconds=seconds)
    )
    assert reason == reasons.ERROR_REASON_FIELD_INVALID


async def test_expired_events_are_not_handed_out(client: RawClient, kind: str) -> None:
    """G9."""
    topic = f"meeting/{kind}"
    await Member.join(client, kind, topic, max_outstanding=1)
    member = await Member.join(client, f"{kind}-2", topic, max_outstanding=1)
    brief = draft(topic, 2)
    brief.ttl.FromMilliseconds(1)
    await client.publish(draft(topic, 1), brief, draft(topic, 3))
    (first,) = await member.deliveries(1)
    await member.ack(first)
    assert ids(await member.deliveries(1)) == [("e3", 1)]


def _token(subject: str, **grants: tuple[str, ...]) -> str:
    return mint(
        SECRET,
        subject=subject,
        issuer="shipspeak",
        audience="shipspeak-realtime",
        lifetime=60,
        publish=grants.get("publish", ()),
        subscribe=grants.get("subscribe", ()),
        work=grants.get("work", ()),
    )


@pytest.fixture
def closed_hub(start_hub: Callable[..., HubProcess]) -> HubProcess:
    """A hub that asks for tokens."""
    return start_hub("--heartbeat", "1", env={"RTHUB_AUTH_HS256_SECRET": SECRET}, dev=False)


async def test_rights(closed_hub: HubProcess, kind: str) -> None:
    """G10: work and subscribe on the whole pattern, and deliveries of one's own alone."""
    pattern = f"meeting/{kind}/*"
    every = {"subscribe": ("meeting/**",), "publish": ("meeting/**",)}
    for grants in (
        every,
        {"work": ("meeting/**",)},
        {"work": (f"meeting/{kind}/1",), **every},
    ):
        async with RawClient(closed_hub.grpc, _token("eve", **grants)) as client:
            stream, _ = await client.session()
            refused = await Member(stream, kind).refused(pattern)
            assert refused == reasons.ERROR_REASON_RIGHT_MISSING
    good = {"work": (f"meeting/{kind}/*",), **every}
    async with (
        RawClient(closed_hub.grpc, _token("bob", **good)) as bob,
        RawClient(closed_hub.grpc, _token("eve", **good)) as eve,
    ):
        member = await Member.join(bob, kind, pattern)
        await publish(bob, f"meeting/{kind}/1", 1)
        held = await member.deliveries(1)
        answer = await eve.call("Acknowledge", acks(frame_pb2.VERB_ACK, *held))
        assert answer.results[0].error.reason == reasons.ERROR_REASON_DELIVERY_UNKNOWN
        # A newer token without the right ends the membership, and says so.
        token = _token("bob", **every)
        await member.stream.send(refresh_token=frame_pb2.RefreshToken(token=token))
        closed = await member.stream.control("work_closed")
        assert closed.error.reason == reasons.ERROR_REASON_RIGHT_MISSING
        other = await Member.join(eve, kind, pattern)
        assert ids(await other.deliveries(1)) == [("e1", 1)]
