"""The admin service of a real hub: its right, its look inside, and removal as readers see it."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING

import grpc
import pytest

from hub.rpc.admin import SERVICE
from shipspeak.realtime.v1 import admin_service_pb2, event_pb2, frame_pb2
from tests.support.grpc_web import web_refusal
from tests.support.raw_client import RawClient, draft, refusal
from tests.support.tokens import make_token

if TYPE_CHECKING:
    from tests.support.hub_process import HubProcess

CODE = grpc.StatusCode
METHODS = [method.name for method in SERVICE.methods]


def _token(subject: str, *, admin: bool) -> str:
    return make_token(subject, publish=["**"], subscribe=["**"], work=["**"], admin=admin)


def _topic() -> str:
    return f"meeting/{secrets.token_hex(4)}"


@pytest.mark.parametrize("door", ["grpc", "grpc-web"])
@pytest.mark.parametrize("method", METHODS)
async def test_every_admin_call_demands_the_admin_right(
    locked_hub: HubProcess, method: str, door: str
) -> None:
    """E2: on every door, also of those that are not built, and before the request is looked at.

    A session's frames (`Connect`, WebSocket) have no words for admin calls.
    """
    request = getattr(admin_service_pb2, f"{method}Request")()
    # All that a token may hold, but the admin right.
    everything = _token("alice", admin=False)
    for token, want in (
        ("", (CODE.UNAUTHENTICATED, "TOKEN_MISSING")),
        (everything, (CODE.PERMISSION_DENIED, "RIGHT_MISSING")),
    ):
        if door == "grpc-web":
            path = f"{SERVICE.full_name}/{method}"
            assert await web_refusal(locked_hub.http, path, request, token) == want
            continue
        async with RawClient(locked_hub.grpc, token) as client:
            with pytest.raises(grpc.aio.AioRpcError) as refused:
                await client.admin(method, request)
            assert refusal(refused.value) == want


async def test_a_look_at_topics_sessions_and_shards(locked_hub: HubProcess) -> None:
    """E2: depth, the oldest event, readers."""
    topic = _topic()
    async with (
        RawClient(locked_hub.grpc, _token("alice", admin=False)) as alice,
        RawClient(locked_hub.grpc, _token("root", admin=True)) as root,
    ):
        await alice.publish(draft(topic, 1), draft(topic, 2))
        reader, welcome = await alice.session(device_id="phone")
        await reader.subscribe(topic)
        await reader.subscribe(f"signal/{topic[8:]}")

        listed = await root.admin("ListTopics", admin_service_pb2.ListTopicsRequest(pattern=topic))
        (info,) = listed.topics
        assert (info.topic, info.head, info.depth, info.readers) == (topic, 2, 2, 1)
        assert info.HasField("oldest_at")
        volatile = admin_service_pb2.ListTopicsRequest(pattern="signal/*")
        assert [one.readers for one in (await root.admin("ListTopics", volatile)).topics] == [1]

        wanted = admin_service_pb2.ListSessionsRequest(user="alice", topic=topic)
        (session,) = (await root.admin("ListSessions", wanted)).sessions
        assert session.session_id == welcome.session_id
        assert (session.user, session.device_id, session.transport) == ("alice", "phone", "grpc")
        assert list(session.topics) == sorted([topic, f"signal/{topic[8:]}"])

        shards = (await root.admin("ListShards", admin_service_pb2.ListShardsRequest())).shards
        assert [shard.shard for shard in shards] == [0, 1, 2, 3]
        assert all(shard.serving and shard.owner == welcome.instance for shard in shards)


async def test_topics_come_in_pages(locked_hub: HubProcess) -> None:
    kind = f"meeting/{secrets.token_hex(4)}"
    async with RawClient(locked_hub.grpc, _token("root", admin=True)) as root:
        await root.publish(*(draft(f"{kind}/{number:02d}", number) for number in range(25)))
        request = admin_service_pb2.ListTopicsRequest(pattern=f"{kind}/*")
        request.page.size = 10
        sizes, names = [], []
        while True:
            answer = await root.admin("ListTopics", request)
            sizes.append(len(answer.topics))
            names += [info.topic for info in answer.topics]
            request.page.token = answer.next_page
            if not answer.next_page:
                break
        assert names == [f"{kind}/{number:02d}" for number in range(25)]
        assert max(sizes) == 10


async def test_a_purge_is_told_to_readers_at_the_head(locked_hub: HubProcess) -> None:
    """E2, G6."""
    topic = _topic()
    async with RawClient(locked_hub.grpc, _token("root", admin=True)) as root:
        await root.publish(draft(topic, 1), draft(topic, 2))
        reader, _ = await root.session()
        await reader.subscribe(topic)
        purge = admin_service_pb2.PurgeTopicRequest(topic=topic)
        assert (await root.admin("PurgeTopic", purge)).removed == 2
        told = await reader.control("subscribed")
        assert (told.verdict, told.position.handled_offset) == (frame_pb2.VERDICT_GAP, 2)
        (result,) = await root.publish(draft(topic, 3))
        assert result.offset == 3
        assert [event.id for event in await reader.events(1)] == ["e3"]
        assert (await root.admin("PurgeTopic", purge)).removed == 1


@pytest.mark.parametrize("live", [True, False])
async def test_a_purge_is_told_to_readers_who_were_away(locked_hub: HubProcess, live: bool) -> None:
    """E2, G6: by Connect and by Poll, though they had read everything; once."""
    topic = _topic()
    async with RawClient(locked_hub.grpc, _token("root", admin=True)) as root:
        await root.publish(draft(topic, 1), draft(topic, 2))
        polled = await root.poll(frame_pb2.Subscribe(topic=topic, at=frame_pb2.START_EARLIEST))
        cursor = polled.frames[-1].runs[-1].cursor
        if live:
            other, _ = await root.session()
            await other.subscribe(topic)
        purge = admin_service_pb2.PurgeTopicRequest(topic=topic)
        assert (await root.admin("PurgeTopic", purge)).removed == 2

        position = event_pb2.Position(cursor=cursor)
        (frame,) = (await root.poll(frame_pb2.Subscribe(topic=topic, position=position))).frames
        reader, _ = await root.session()
        resumed = await reader.subscribe(topic, position=position)
        for told in (frame.subscribed, resumed):
            assert (told.verdict, told.lost) == (frame_pb2.VERDICT_GAP, 0)
            assert told.position.handled_offset == 2
            at = event_pb2.Position(cursor=told.position.cursor)
            again, _ = await root.session()
            assert (await again.subscribe(topic, position=at)).verdict == frame_pb2.VERDICT_OK
            start = frame_pb2.Subscribe(topic=topic, position=at)
            assert not (await root.poll(start)).frames


async def test_a_deleted_event_is_counted_and_nothing_of_it_is_read(
    locked_hub: HubProcess,
) -> None:
    topic = _topic()
    async with RawClient(locked_hub.grpc, _token("root", admin=True)) as root:
        await root.publish(*(draft(topic, number) for number in (1, 2, 3)))
        first, _ = await root.session()
        await first.subscribe(topic, at=frame_pb2.START_EARLIEST)
        assert len(await first.events(3)) == 3
        delete = admin_service_pb2.DeleteEventRequest(topic=topic, event_id="e2")
        await root.admin("DeleteEvent", delete)
        # By the ring, by a poll and by history alike.
        second, _ = await root.session()
        await second.subscribe(topic, at=frame_pb2.START_EARLIEST)
        (run,) = (await second.until(lambda frame: frame.runs)).runs
        start = frame_pb2.Subscribe(topic=topic, at=frame_pb2.START_EARLIEST)
        polled = [run for frame in (await root.poll(start)).frames for run in frame.runs]
        for one in (run, *polled):
            assert [event.id for event in one.events] == ["e1", "e3"]
            assert (one.withdrawn, one.through_offset) == (1, 3)
        unknown = admin_service_pb2.DeleteEventRequest(topic=topic, event_id="nobody")
        with pytest.raises(grpc.aio.AioRpcError) as refused:
            await root.admin("DeleteEvent", unknown)
        assert refusal(refused.value) == (CODE.NOT_FOUND, "EVENT_UNKNOWN")


async def test_a_user_is_erased(locked_hub: HubProcess) -> None:
    topic, user = _topic(), f"u{secrets.token_hex(4)}"
    async with (
        RawClient(locked_hub.grpc, _token(user, admin=False)) as gone,
        RawClient(locked_hub.grpc, _token("root", admin=True)) as root,
    ):
        await gone.publish(draft(topic, 1), draft(topic, 2))
        await root.publish(draft(topic, 3), draft(f"user/{user}", 4))
        erase = admin_service_pb2.EraseUserRequest(user=user)
        assert (await root.admin("EraseUser", erase)).removed == 3
        reader, _ = await root.session()
        await reader.subscribe(topic, at=frame_pb2.START_EARLIEST)
        assert [event.id for event in await reader.events(1)] == ["e3"]
        assert (await root.admin("EraseUser", erase)).removed == 0


async def test_sessions_are_disconnected(locked_hub: HubProcess) -> None:
    user = f"u{secrets.token_hex(4)}"
    async with (
        RawClient(locked_hub.grpc, _token(user, admin=False)) as alice,
        RawClient(locked_hub.grpc, _token("root", admin=True)) as root,
    ):
        one, welcome = await alice.session()
        two, _ = await alice.session()
        three, _ = await alice.session()
        by_id = admin_service_pb2.DisconnectRequest(session_id=welcome.session_id)
        assert (await root.admin("Disconnect", by_id)).closed == 1
        go_away = await one.control("go_away")
        assert go_away.action == frame_pb2.GO_AWAY_ACTION_STOP
        assert await one.end() == (CODE.PERMISSION_DENIED, "DISCONNECTED_BY_ADMIN")
        by_user = admin_service_pb2.DisconnectRequest(user=user)
        assert (await root.admin("Disconnect", by_user)).closed == 2
        for stream in (two, three):
            assert await stream.end() == (CODE.PERMISSION_DENIED, "DISCONNECTED_BY_ADMIN")
        assert (await root.admin("Disconnect", by_user)).closed == 0
        with pytest.raises(grpc.aio.AioRpcError) as refused:
            await root.admin("Disconnect", by_id)
        assert refusal(refused.value) == (CODE.NOT_FOUND, "SESSION_UNKNOWN")


async def test_a_drained_instance_sends_its_clients_away(hub: HubProcess) -> None:
    async with RawClient(hub.grpc) as client:
        stream, _ = await client.session()
        other = admin_service_pb2.DrainRequest(instance="another")
        with pytest.raises(grpc.aio.AioRpcError) as refused:
            await client.admin("Drain", other)
        assert refusal(refused.value) == (CODE.INVALID_ARGUMENT, "FIELD_INVALID")
        drain = admin_service_pb2.DrainRequest()
        drain.within.FromMilliseconds(100)
        await client.admin("Drain", drain)
        go_away = await stream.control("go_away")
        assert go_away.action == frame_pb2.GO_AWAY_ACTION_RESUME
        assert go_away.within.ToMilliseconds() == 100
        await stream.half_close()
        late = client.listen()
        assert await late.end() == (CODE.UNAVAILABLE, "DRAINING")
    assert hub.running
    assert hub.terminate() == 0


async def test_a_reader_that_was_told_of_a_purge_is_not_told_again(locked_hub: HubProcess) -> None:
    """G6: told once, on the stream that it had, and OK when it comes back from there."""
    topic = _topic()
    async with RawClient(locked_hub.grpc, _token("root", admin=True)) as root:
        for number in range(1, 6):
            await root.publish(draft(topic, number))
            reader, _ = await root.session()
            await reader.subscribe(topic)
            purge = admin_service_pb2.PurgeTopicRequest(topic=topic)
            assert (await root.admin("PurgeTopic", purge)).removed == 1
            told = await reader.control("subscribed")
            assert told.verdict == frame_pb2.VERDICT_GAP
            position = event_pb2.Position(cursor=told.position.cursor)
            again, _ = await root.session()
            resumed = await again.subscribe(topic, position=position)
            assert (resumed.verdict, resumed.position.handled_offset) == (
                frame_pb2.VERDICT_OK,
                number,
            )
