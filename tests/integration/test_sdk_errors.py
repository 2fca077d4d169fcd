"""What the hub refuses reaches the one who asked, typed, and nobody else."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest
from google.protobuf.wrappers_pb2 import StringValue

from hub.auth.tokens import mint
from shipspeak.realtime.v1 import event_pb2, meeting_pb2, notification_pb2
from shipspeak_realtime import (
    AuthError,
    ClosedError,
    Cursor,
    DeadlineError,
    InvalidRequestError,
    PermissionDeniedError,
    ProtocolError,
    RealtimeClient,
    RealtimeError,
    State,
    make_content,
    make_draft,
)
from shipspeak_realtime import session as sdk_session
from shipspeak_realtime.outbox import MAX_DRAFTS

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.support.hub_process import HubProcess

    StartHub = Callable[..., HubProcess]

SECRET = "a secret of these tests, 32 bytes or more"
UPDATE = meeting_pb2.UploadProgress(sent_bytes=1)


def token(lifetime: float = 60, **grants: list[str]) -> str:
    return mint(
        SECRET,
        subject="alice",
        issuer="shipspeak",
        audience="shipspeak-realtime",
        lifetime=lifetime,
        publish=grants.get("publish", ["meeting/*"]),
        subscribe=grants.get("subscribe", ["meeting/*"]),
        presence=[],
        work=[],
        admin=False,
    )


@pytest.fixture
def guarded(start_hub: StartHub) -> HubProcess:
    """A hub that asks for tokens."""
    env = {"RTHUB_AUTH_HS256_SECRET": SECRET}
    return start_hub("--heartbeat", "1", env=env, dev=False)


@pytest.mark.parametrize(
    ("topic", "payload", "kind", "reason"),
    [
        ("nokind/1", UPDATE, InvalidRequestError, "NAMESPACE_UNKNOWN"),
        ("meeting", UPDATE, InvalidRequestError, "TOPIC_INVALID"),
        ("user/1", UPDATE, InvalidRequestError, "PAYLOAD_NOT_ALLOWED"),
        ("meeting/1", StringValue(value="x" * 300_000), InvalidRequestError, "EVENT_TOO_LARGE"),
        ("user/1", notification_pb2.Notification(), InvalidRequestError, "FIELD_INVALID"),
        (
            "meeting/1",
            event_pb2.Content(receipt=notification_pb2.ReceiptUpdate(event_id="x")),
            RealtimeError,
            "PAYLOAD_RESERVED",
        ),
    ],
)
async def test_a_refused_draft_is_a_typed_error(
    shared_hub: HubProcess, topic: str, payload: object, kind: type[Exception], reason: str
):
    async with RealtimeClient(shared_hub.grpc) as client:
        with pytest.raises(kind) as caught:
            await client.publish(topic, payload)  # type: ignore[arg-type]
        assert caught.value.reason == reason  # type: ignore[attr-defined]
        assert (await client.publish("meeting/1", UPDATE)).offset > 0


async def test_one_bad_draft_of_many_harms_no_other(shared_hub: HubProcess):
    """Calls that run at one time share a batch; a refusal is for the one to blame."""
    async with RealtimeClient(shared_hub.grpc) as client:
        good = [client.publish("meeting/many", UPDATE) for _ in range(5)]
        bad = client.publish("meeting/many", StringValue(value="x" * 300_000))
        more = [client.publish("meeting/many", UPDATE) for _ in range(5)]
        outcomes = await asyncio.gather(*good, bad, *more, return_exceptions=True)
    failed = [outcome for outcome in outcomes if isinstance(outcome, Exception)]
    offsets = [outcome.offset for outcome in outcomes if not isinstance(outcome, BaseException)]
    assert [getattr(each, "reason", each) for each in failed] == ["EVENT_TOO_LARGE"]
    assert offsets == sorted(offsets)
    assert len(offsets) == 10


async def test_a_refused_subscription_leaves_the_others_alone(shared_hub: HubProcess):
    async with (
        asyncio.timeout(20),
        RealtimeClient(shared_hub.grpc) as client,
        client.subscribe("meeting/alone", start="earliest") as good,
    ):
        await client.publish("meeting/alone", UPDATE)
        events = aiter(good)
        await anext(events)
        with pytest.raises(InvalidRequestError) as caught:
            await anext(aiter(client.subscribe("nokind/1")))
        assert caught.value.reason == "NAMESPACE_UNKNOWN"
        with pytest.raises(InvalidRequestError) as caught:
            await anext(aiter(client.subscribe("meeting/2", start=Cursor("meeting/2", b"x"))))
        assert caught.value.reason == "CURSOR_INVALID"
        await client.publish("meeting/alone", UPDATE)
        assert (await anext(events)).offset == 2
        assert client.stats().reconnects == 0


async def test_a_topic_is_read_once_and_may_be_read_again(shared_hub: HubProcess):
    async with RealtimeClient(shared_hub.grpc) as client, asyncio.timeout(20):
        await client.publish("meeting/again", UPDATE)
        async with client.subscribe("meeting/again", start="earliest") as first:
            await anext(aiter(first))
            with pytest.raises(InvalidRequestError) as caught:
                await anext(aiter(client.subscribe("meeting/again")))
            assert caught.value.reason == "ALREADY_SUBSCRIBED"
        for _ in range(3):
            async for event in client.subscribe("meeting/again", start="earliest"):
                assert event.offset == 1
                break


async def test_rights_are_checked_for_both_ways(guarded: HubProcess):
    """D4: publishing and subscribing each need their right."""
    rights = token(publish=["meeting/1"], subscribe=["meeting/1"])
    async with RealtimeClient(guarded.grpc, token=rights) as client, asyncio.timeout(20):
        await client.publish("meeting/1", UPDATE)
        with pytest.raises(PermissionDeniedError) as caught:
            await client.publish("meeting/2", UPDATE)
        assert caught.value.reason == "RIGHT_MISSING"
        with pytest.raises(PermissionDeniedError):
            await anext(aiter(client.subscribe("meeting/2")))
        assert (await anext(aiter(client.subscribe("meeting/1", start="earliest")))).offset == 1


@pytest.mark.parametrize(
    ("bad", "reason"),
    [
        (None, "TOKEN_MISSING"),
        ("x.y.z", "TOKEN_MALFORMED"),
        ("x.y.z\n", "TOKEN_MALFORMED"),
        (token(-60), "TOKEN_EXPIRED"),
    ],
)
async def test_a_bad_token_is_an_auth_error(guarded: HubProcess, bad: str | None, reason: str):
    async with RealtimeClient(guarded.grpc, token=bad) as client, asyncio.timeout(20):
        with pytest.raises(AuthError) as caught:
            await client.publish("meeting/1", UPDATE)
        assert caught.value.reason == reason
        with pytest.raises(AuthError) as caught:
            await anext(aiter(client.subscribe("meeting/1")))
        assert caught.value.reason == reason
        assert client.state is State.NEEDS_AUTH


async def test_a_token_function_heals_an_old_token(guarded: HubProcess):
    handed_out = []

    async def get_token() -> str:
        handed_out.append(1)
        return token(-60) if len(handed_out) == 1 else token()

    async with RealtimeClient(guarded.grpc, token=get_token) as client, asyncio.timeout(20):
        assert (await client.publish("meeting/1", UPDATE)).offset == 1
        assert len(handed_out) == 2
        assert (await anext(aiter(client.subscribe("meeting/1", start="earliest")))).offset == 1


async def test_a_token_function_that_fails_is_asked_again(guarded: HubProcess):
    asked = []

    async def get_token() -> str:
        asked.append(1)
        if len(asked) == 1:
            raise OSError("the token server is away")
        return token()

    async with RealtimeClient(guarded.grpc, token=get_token) as client, asyncio.timeout(20):
        receipts = await asyncio.gather(*(client.publish("meeting/1", UPDATE) for _ in range(3)))
    assert [receipt.offset for receipt in receipts] == [1, 2, 3]


async def test_a_token_is_renewed_in_place(guarded: HubProcess):
    """D4: a session outlives its first token without a reconnect."""
    handed_out = []

    async def get_token() -> str:
        handed_out.append(1)
        return token(lifetime=4)

    rights = token()
    async with (
        asyncio.timeout(40),
        RealtimeClient(guarded.grpc, token=rights) as writer,
        RealtimeClient(guarded.grpc, token=get_token) as reader,
        reader.subscribe("meeting/1", start="earliest") as subscription,
    ):
        loop, events = asyncio.get_running_loop(), aiter(subscription)
        until = loop.time() + 9
        while loop.time() < until:
            receipt = await writer.publish("meeting/1", UPDATE)
            assert (await anext(events)).offset == receipt.offset
        assert reader.stats().reconnects == 0
    assert len(handed_out) >= 3


async def test_a_fixed_token_that_ends_ends_the_subscription(guarded: HubProcess):
    """D4: the end of a token is enforced on a running session."""
    async with asyncio.timeout(20), RealtimeClient(guarded.grpc, token=token(2)) as client:
        with pytest.raises(AuthError) as caught:
            await anext(aiter(client.subscribe("meeting/1")))
        assert caught.value.reason == "SESSION_EXPIRED"


async def test_nobody_signed_in_is_an_auth_error(guarded: HubProcess):
    async def get_token() -> None:
        return None

    async with RealtimeClient(guarded.grpc, token=get_token) as client, asyncio.timeout(20):
        with pytest.raises(AuthError):
            await anext(aiter(client.subscribe("meeting/1")))


async def test_a_client_of_another_version_is_told_to_upgrade(
    shared_hub: HubProcess, monkeypatch: pytest.MonkeyPatch
):
    """D6: refused first, with a reason."""
    monkeypatch.setattr(sdk_session, "PROTOCOL_VERSION", 99)
    async with RealtimeClient(shared_hub.grpc) as client, asyncio.timeout(20):
        with pytest.raises(ProtocolError) as caught:
            await anext(aiter(client.subscribe("meeting/1")))
        assert caught.value.reason == "PROTOCOL_VERSION_UNSUPPORTED"
        assert client.state is State.FAILED


async def test_a_hub_that_is_away_ends_in_the_callers_deadline(hub: HubProcess):
    await asyncio.to_thread(hub.kill)
    async with RealtimeClient(hub.grpc) as client:
        with pytest.raises(DeadlineError) as caught:
            await client.publish("meeting/1", UPDATE, id="mine", timeout=0.5)
    assert (caught.value.request_id, caught.value.topic) == ("mine", "meeting/1")


async def test_closing_ends_what_waits(hub: HubProcess):
    async with RealtimeClient(hub.grpc) as client:
        reading = asyncio.ensure_future(anext(aiter(client.subscribe("meeting/1"))))
        await client.publish("meeting/2", UPDATE)
        await asyncio.to_thread(hub.kill)
        publishing = asyncio.ensure_future(client.publish("meeting/1", UPDATE))
        await asyncio.sleep(0)
    for waiting in (reading, publishing):
        with pytest.raises(ClosedError):
            await waiting
    with pytest.raises(ClosedError):
        await client.publish("meeting/1", UPDATE)


async def test_many_drafts_in_their_order(shared_hub: HubProcess):
    """More than the outbox holds at a time, and the caller's drafts stay as they were."""
    content = make_content(UPDATE)
    drafts = [make_draft("meeting/batch", content) for _ in range(MAX_DRAFTS + 500)]
    async with RealtimeClient(shared_hub.grpc) as client:
        receipts = await client.publish_many(drafts)
    assert [receipt.offset for receipt in receipts] == list(range(1, len(drafts) + 1))
    assert all(draft == make_draft("meeting/batch", content) for draft in drafts)
