"""I1, G10: what is revoked ends at once on every transport, and stays revoked."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING, Any

import grpc
import pytest

from hub.auth.tokens import mint
from shipspeak.realtime.v1 import admin_service_pb2, frame_pb2, realtime_service_pb2
from tests.support.hub_process import HubProcess
from tests.support.raw_client import RawClient, draft, hello, refusal

if TYPE_CHECKING:
    from pathlib import Path

SECRET = "integration-secret-0123456789abcdef"
REVOKED = (grpc.StatusCode.UNAUTHENTICATED, "TOKEN_REVOKED")
LATEST = frame_pb2.Subscribe(topic="meeting/1", at=frame_pb2.START_LATEST)


def _token(subject: str, **more: Any) -> str:
    return mint(
        SECRET,
        subject=subject,
        issuer="shipspeak",
        audience="shipspeak-realtime",
        lifetime=600,
        publish=["**"],
        subscribe=["**"],
        **more,
    )


def _hub(folder: Path) -> HubProcess:
    return HubProcess(
        folder, "--heartbeat", "1", env={"RTHUB_AUTH_HS256_SECRET": SECRET}, dev=False
    )


async def _revoke(hub: HubProcess, **target: Any) -> None:
    async with RawClient(hub.grpc, _token("root", admin=True)) as root:
        await root.admin("Revoke", admin_service_pb2.RevokeRequest(**target))


async def test_a_revoked_user_loses_every_session_and_comes_back_with_a_newer_token(
    tmp_path: Path,
) -> None:
    """G10: streams of both kinds end with a reason; nobody else is touched; a restart keeps it."""
    topic = "meeting/1"
    with _hub(tmp_path) as hub:
        old = _token("alice", clock=lambda: time.time() - 5)
        async with RawClient(hub.grpc, old) as alice, RawClient(hub.grpc, _token("bob")) as bob:
            connected, _ = await alice.session()
            await connected.subscribe(topic)
            listening = alice.listen(LATEST)
            await listening.control("subscribed")
            bystander, _ = await bob.session()
            await bystander.subscribe(topic)

            await _revoke(hub, user="alice")
            for stream in (connected, listening):
                go_away = await stream.control("go_away")
                assert go_away.action == frame_pb2.GO_AWAY_ACTION_REAUTHENTICATE
                assert await stream.end() == REVOKED
            await bob.publish(draft(topic, 1))
            assert len(await bystander.events(1)) == 1
            await _is_refused_everywhere(alice, topic)

        hub.kill()
        hub.start()
        async with RawClient(hub.grpc, old) as alice:
            await _is_refused_everywhere(alice, topic)
        newer = _token("alice", clock=lambda: time.time() + 5)
        async with RawClient(hub.grpc, newer) as alice:
            await alice.publish(draft(topic, 2))


async def _is_refused_everywhere(client: RawClient, topic: str) -> None:
    stream = client.connect()
    await stream.send(hello=hello())
    assert await stream.end() == REVOKED
    for name, request in (
        ("Publish", frame_pb2.PublishRequest(drafts=[draft(topic, 3)])),
        ("Poll", realtime_service_pb2.PollRequest(hello=hello(), subscriptions=[LATEST])),
        ("ReadHistory", realtime_service_pb2.ReadHistoryRequest(topic=topic)),
    ):
        with pytest.raises(grpc.aio.AioRpcError) as refused:
            await client.call(name, request)
        assert refusal(refused.value) == REVOKED


async def test_one_token_is_revoked_by_its_id(tmp_path: Path) -> None:
    """I1: a user's other token goes on."""
    with _hub(tmp_path) as hub:
        async with (
            RawClient(hub.grpc, _token("alice", token_id="lost-phone")) as lost,
            RawClient(hub.grpc, _token("alice", token_id="laptop")) as kept,
        ):
            gone, _ = await lost.session()
            await _revoke(hub, token_id="lost-phone")
            assert await gone.end() == REVOKED
            await kept.publish(draft("meeting/1", 1))


async def test_a_poll_that_waits_answers_nothing_to_a_revoked_token(tmp_path: Path) -> None:
    """G10: rights are asked for again when the answer is given."""
    with _hub(tmp_path) as hub:
        async with RawClient(hub.grpc, _token("alice", token_id="t")) as alice:
            first = await alice.call(
                "Poll",
                realtime_service_pb2.PollRequest(
                    hello=hello(),
                    subscriptions=[LATEST],
                ),
            )
            position = first.frames[0].subscribed.position
            waiting = realtime_service_pb2.PollRequest(
                hello=hello(),
                subscriptions=[frame_pb2.Subscribe(topic="meeting/1", position=position)],
            )
            waiting.wait.FromSeconds(20)
            poll = asyncio.create_task(alice.call("Poll", waiting))
            await _revoke(hub, token_id="t")
            async with RawClient(hub.grpc, _token("bob")) as bob:
                await bob.publish(draft("meeting/1", 1))
            with pytest.raises(grpc.aio.AioRpcError) as refused:
                await poll
            assert refusal(refused.value) == REVOKED


async def test_what_was_revoked_stays_so_whatever_is_removed(tmp_path: Path) -> None:
    """G10: neither a user who is called like the hub, nor a purge, takes a revocation back."""
    with _hub(tmp_path) as hub:
        await _revoke(hub, token_id="t")
        async with RawClient(hub.grpc, _token("root", admin=True)) as root:
            await root.admin("EraseUser", admin_service_pb2.EraseUserRequest(user="hub"))
            topic = "control/revocations"
            for name, request in (
                ("PurgeTopic", admin_service_pb2.PurgeTopicRequest(topic=topic)),
                (
                    "DeleteEvent",
                    admin_service_pb2.DeleteEventRequest(topic=topic, event_id="x", offset=1),
                ),
            ):
                with pytest.raises(grpc.aio.AioRpcError) as refused:
                    await root.admin(name, request)
                assert refusal(refused.value)[1] == "RIGHT_MISSING"
        hub.restart()
        async with RawClient(hub.grpc, _token("alice", token_id="t")) as alice:
            stream = alice.connect()
            await stream.send(hello=hello())
            assert await stream.end() == REVOKED


async def test_a_time_that_is_none_or_lies_ahead_is_refused_and_the_hub_starts_again(
    tmp_path: Path,
) -> None:
    with _hub(tmp_path) as hub:
        for seconds in (1 << 60, int(time.time()) + 3600):
            request = admin_service_pb2.RevokeRequest()
            request.issued_before.seconds = seconds
            async with RawClient(hub.grpc, _token("root", admin=True)) as root:
                with pytest.raises(grpc.aio.AioRpcError) as refused:
                    await root.admin("Revoke", request)
            assert refusal(refused.value)[1] == "FIELD_INVALID"
        hub.restart()
        async with RawClient(hub.grpc, _token("alice")) as alice:
            await alice.publish(draft("meeting/1", 1))
