"""Presence on a real hub: full states and deltas, crowds, Listen and Touch, rights."""

from __future__ import annotations

import asyncio
import secrets
from typing import TYPE_CHECKING

import grpc
import pytest

from shipspeak.realtime.v1 import error_reason_pb2 as reasons
from shipspeak.realtime.v1 import frame_pb2
from shipspeak.realtime.v1 import realtime_service_pb2 as messages
from tests.support.present import announce, joined, mint, names, read, secret, watching
from tests.support.raw_client import RawClient, hello

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from tests.support.hub_process import HubProcess

CODE = grpc.StatusCode


@pytest.fixture
async def client(shared_hub: HubProcess) -> AsyncIterator[RawClient]:
    async with RawClient(shared_hub.grpc) as client:
        yield client


@pytest.fixture
def topic() -> str:
    return f"meeting/{secrets.token_hex(4)}"


async def test_join_update_and_leave(client: RawClient, topic: str) -> None:
    alice = await joined(client, topic, "alice-tab")
    watcher = await watching(client, topic)
    first = await watcher.control("presence")
    assert (first.full, names(first)) == (True, {"alice-tab": frame_pb2.PRESENCE_STATE_ONLINE})
    assert (first.topic, first.sessions, first.users) == (topic, 1, 1)
    assert first.members[0].HasField("since")

    bob = await joined(client, topic, "bob-tab")
    second = await watcher.control("presence")
    assert (second.full, names(second)) == (False, {"bob-tab": frame_pb2.PRESENCE_STATE_ONLINE})
    away = frame_pb2.PRESENCE_STATE_AWAY
    await announce(bob, topic, state=away, metadata={"page": "3"})
    third = await watcher.control("presence")
    assert [(m.client_id, m.state, dict(m.metadata)) for m in third.members] == [
        ("bob-tab", away, {"page": "3"})
    ]
    await announce(alice, topic, state=frame_pb2.PRESENCE_STATE_OFFLINE)
    fourth = await watcher.control("presence")
    assert (names(fourth), fourth.sessions) == ({"alice-tab": frame_pb2.PRESENCE_STATE_OFFLINE}, 1)


async def test_a_crowd_is_told_as_counts_and_read_in_pages(client: RawClient, topic: str) -> None:
    watcher = await watching(client, topic)
    await watcher.control("presence")
    streams = [await joined(client, topic, f"m{number}") for number in range(101)]
    for stream in streams:
        await stream.send(window=frame_pb2.Window())
    frame = await watcher.until(lambda frame: frame.presence.sessions == 101)
    assert (frame.presence.full, len(frame.presence.members)) == (True, 0)
    first = await read(client, topic)
    second = await read(client, topic, page=first.next_page)
    assert (first.sessions, len(first.members), len(second.members)) == (101, 100, 1)
    assert not second.next_page
    assert len({m.client_id for m in (*first.members, *second.members)}) == 101
    counts = await read(client, topic, counts_only=True)
    assert (counts.sessions, counts.users, len(counts.members)) == (101, 1, 0)
    for stream in streams[:11]:
        await stream.half_close()
    frame = await watcher.until(lambda frame: frame.presence.sessions == 90)
    assert (frame.presence.full, len(frame.presence.members)) == (True, 90)


async def test_a_page_token_of_nobody(client: RawClient, topic: str) -> None:
    request = messages.ReadPresenceRequest(topic=topic, page="x")
    status = await client.refused("ReadPresence", request)
    assert status == (CODE.INVALID_ARGUMENT, "FIELD_INVALID")


async def test_a_listener_is_present_by_touch(client: RawClient, topic: str) -> None:
    watcher = await watching(client, topic)
    await watcher.control("presence")
    listener = client.listen(
        frame_pb2.Subscribe(topic=topic, presence=True), hello=hello(client_id="browser")
    )
    session_id = (await listener.read()).welcome.session_id
    assert (await listener.control("presence")).full

    async def touch(state: frame_pb2.PresenceState.ValueType) -> None:
        presence = frame_pb2.SetPresence(topic=topic, state=state)
        await client.call("Touch", messages.TouchRequest(session_id=session_id, presence=presence))

    await touch(frame_pb2.PRESENCE_STATE_ACTIVE)
    expected = {"browser": frame_pb2.PRESENCE_STATE_ACTIVE}
    assert names(await watcher.control("presence")) == expected
    assert names(await listener.control("presence")) == expected
    for _ in range(4):
        await listener.control("heartbeat", 5)
        await touch(frame_pb2.PRESENCE_STATE_ACTIVE)
    assert names(await read(client, topic)) == expected
    await touch(frame_pb2.PRESENCE_STATE_OFFLINE)
    left = await watcher.control("presence")
    assert names(left) == {"browser": frame_pb2.PRESENCE_STATE_OFFLINE}


async def test_a_listener_begins_and_ends_to_watch_by_its_set(
    client: RawClient, topic: str
) -> None:
    other = await joined(client, topic, "m")
    listener = client.listen(frame_pb2.Subscribe(topic=topic))
    session_id = (await listener.read()).welcome.session_id

    async def update(revision: int, *, presence: bool) -> None:
        request = messages.UpdateSubscriptionsRequest(
            session_id=session_id,
            revision=revision,
            subscriptions=[frame_pb2.Subscribe(topic=topic, presence=presence)],
        )
        await client.call("UpdateSubscriptions", request)

    await update(1, presence=True)
    assert names(await listener.control("presence")) == {"m": frame_pb2.PRESENCE_STATE_ONLINE}
    await update(2, presence=False)
    await announce(other, topic, state=frame_pb2.PRESENCE_STATE_OFFLINE)
    heartbeat = await listener.until(lambda frame: frame.WhichOneof("control") != "subscribed")
    assert heartbeat.WhichOneof("control") == "heartbeat", "it watches no more"


async def test_a_watcher_that_comes_back_gets_the_full_state(client: RawClient, topic: str) -> None:
    member = await joined(client, topic, "m")
    first = await watching(client, topic)
    await first.control("presence")
    first._call.cancel()  # the network breaks
    other = await joined(client, topic, "n")
    again = await watching(client, topic)
    frame = await again.control("presence")
    assert (frame.full, set(names(frame))) == (True, {"m", "n"})
    del member, other


async def test_a_poll_has_no_presence(client: RawClient, topic: str) -> None:
    answer = await client.poll(frame_pb2.Subscribe(topic=topic, presence=True))
    (frame,) = answer.frames
    assert frame.error.reason == reasons.ERROR_REASON_FEATURE_UNAVAILABLE
    assert frame.error.metadata["feature"] == "presence"


async def test_a_namespace_without_presence(client: RawClient) -> None:
    stream, _ = await client.session()
    await announce(stream, "system/all")
    error = await stream.control("error")
    assert (error.request_id, error.topic) == (7, "system/all")
    assert error.reason == reasons.ERROR_REASON_PRESENCE_NOT_ALLOWED
    wish = frame_pb2.Subscribe(topic="system/all", presence=True)
    await stream.send(request_id=8, subscribe=wish)
    error = await stream.control("error")
    assert error.reason == reasons.ERROR_REASON_PRESENCE_NOT_ALLOWED
    status = await client.refused("ReadPresence", messages.ReadPresenceRequest(topic="system/all"))
    assert status == (CODE.INVALID_ARGUMENT, "PRESENCE_NOT_ALLOWED")


async def test_rights(start_hub: Callable[..., HubProcess], topic: str) -> None:
    """To be seen takes `presence`; to see takes `presence` and `subscribe`."""
    hub = await asyncio.to_thread(start_hub, "--heartbeat", "1", env=secret(), dev=False)
    seen, seeing, blind = (
        mint("alice", presence=[topic]),
        mint("bob", subscribe=[topic], presence=[topic]),
        mint("carol", subscribe=[topic]),
    )
    async with (
        RawClient(hub.grpc, seen) as alice,
        RawClient(hub.grpc, seeing) as bob,
        RawClient(hub.grpc, blind) as carol,
    ):
        member = await joined(alice, topic, "a")
        watcher = await watching(bob, topic)
        (only,) = (await watcher.control("presence")).members
        assert only.user == "alice"
        denied = (CODE.PERMISSION_DENIED, "RIGHT_MISSING")
        request = messages.ReadPresenceRequest(topic=topic)
        assert await alice.refused("ReadPresence", request) == denied
        assert await carol.refused("ReadPresence", request) == denied
        outsider, _ = await carol.session()
        wish = frame_pb2.Subscribe(topic=topic, presence=True)
        await outsider.send(request_id=1, subscribe=wish)
        assert (await outsider.control("error")).metadata["right"] == "presence"
        await announce(outsider, topic)
        assert (await outsider.control("error")).metadata["right"] == "presence"

        # A new token without the right ends both, and says so.
        less = frame_pb2.RefreshToken(token=mint("alice"))
        await member.send(request_id=2, refresh_token=less)
        assert (await member.control("error")).metadata["right"] == "presence"
        left = await watcher.control("presence")
        assert names(left) == {"a": frame_pb2.PRESENCE_STATE_OFFLINE}
        less = frame_pb2.RefreshToken(token=mint("bob", subscribe=[topic]))
        await watcher.send(request_id=3, refresh_token=less)
        ended = await watcher.control("unsubscribed")
        assert ended.error.reason == reasons.ERROR_REASON_RIGHT_MISSING
