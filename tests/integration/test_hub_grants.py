"""I1, G10: a grant lets one user read one topic more, until it ends."""

from __future__ import annotations

import secrets
import time
from typing import TYPE_CHECKING, Any

import jwt
import pytest

from hub.auth.tokens import mint
from shipspeak.realtime.v1 import admin_service_pb2, frame_pb2, realtime_service_pb2
from shipspeak.realtime.v1 import error_reason_pb2 as reasons
from tests.support.hub_process import HubProcess
from tests.support.raw_client import RawClient, draft, hello

if TYPE_CHECKING:
    from collections.abc import Iterator

SECRET = "integration-secret-0123456789abcdef"


@pytest.fixture(scope="module")
def hub(tmp_path_factory: pytest.TempPathFactory) -> Iterator[HubProcess]:
    env = {"RTHUB_AUTH_HS256_SECRET": SECRET}
    with HubProcess(tmp_path_factory.mktemp("hub"), env=env, dev=False) as process:
        yield process


def _session_token() -> str:
    return mint(
        SECRET,
        subject="alice",
        issuer="shipspeak",
        audience="shipspeak-realtime",
        lifetime=600,
        publish=["**"],
        subscribe=["user/{sub}"],
    )


def _grant(pattern: str, lifetime: float = 600, **changes: Any) -> str:
    claims = {
        "sub": "alice",
        "iss": "shipspeak",
        "aud": "shipspeak-realtime",
        "exp": time.time() + lifetime,
        "topic": pattern,
        **changes,
    }
    return jwt.encode(claims, SECRET, algorithm="HS256")


def _topic() -> str:
    return f"meeting/{secrets.token_hex(4)}"


def _wish(topic: str, grant: str) -> frame_pb2.Subscribe:
    return frame_pb2.Subscribe(topic=topic, at=frame_pb2.START_EARLIEST, grant=grant)


async def test_a_grant_lets_its_user_read_its_topic_on_every_transport(hub: HubProcess) -> None:
    topic = _topic()
    async with RawClient(hub.grpc, _session_token()) as alice:
        await alice.publish(draft(topic, 1))
        stream, _ = await alice.session()
        await stream.send(subscribe=_wish(topic, ""))
        assert (await stream.control("error")).reason == reasons.ERROR_REASON_RIGHT_MISSING
        await stream.send(subscribe=_wish(topic, _grant(topic)))
        assert [event.id for event in await stream.events(1)] == ["e1"]
        listening = alice.listen(_wish(topic, _grant("meeting/*")))
        assert [event.id for event in await listening.events(1)] == ["e1"]
        poll = realtime_service_pb2.PollRequest(
            hello=hello(), subscriptions=[_wish(topic, _grant(topic))]
        )
        answer = await alice.call("Poll", poll)
        assert [e.id for frame in answer.frames for run in frame.runs for e in run.events] == ["e1"]


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"sub": "bob"}, reasons.ERROR_REASON_PRINCIPAL_MISMATCH),
        ({"topic": "meeting/other"}, reasons.ERROR_REASON_RIGHT_MISSING),
        ({"topic": None}, reasons.ERROR_REASON_TOKEN_MALFORMED),
        ({"topic": ["meeting/1"]}, reasons.ERROR_REASON_TOKEN_MALFORMED),
        ({"exp": 1}, reasons.ERROR_REASON_TOKEN_EXPIRED),
        ({"aud": "billing"}, reasons.ERROR_REASON_TOKEN_AUDIENCE_INVALID),
        ({"iss": "evil"}, reasons.ERROR_REASON_TOKEN_ISSUER_INVALID),
    ],
)
async def test_a_grant_that_does_not_fit_is_refused_and_the_session_goes_on(
    hub: HubProcess, changes: dict[str, Any], reason: int
) -> None:
    async with RawClient(hub.grpc, _session_token()) as alice:
        stream, _ = await alice.session()
        await stream.send(subscribe=_wish("meeting/1", _grant("meeting/1", **changes)))
        assert (await stream.control("error")).reason == reason
        await stream.subscribe("user/alice")


async def test_a_grant_is_no_token_of_a_session(hub: HubProcess) -> None:
    """It has no rights of its own."""
    async with RawClient(hub.grpc, _grant("meeting/1")) as alice:
        stream, _ = await alice.session()
        await stream.send(subscribe=frame_pb2.Subscribe(topic="meeting/1"))
        assert (await stream.control("error")).reason == reasons.ERROR_REASON_RIGHT_MISSING


async def test_when_a_grant_ends_its_topic_ends_and_a_new_one_goes_on(hub: HubProcess) -> None:
    """G10: nothing that is published afterwards is delivered."""
    topic = _topic()
    async with RawClient(hub.grpc, _session_token()) as alice:
        stream, _ = await alice.session()
        # Long enough to subscribe by on a busy machine.
        await stream.send(subscribe=_wish(topic, _grant(topic, lifetime=4)))
        await stream.control("subscribed")
        ended = await stream.control("unsubscribed", 30)
        assert ended.topic == topic
        assert ended.error.reason == reasons.ERROR_REASON_TOKEN_EXPIRED
        await alice.publish(draft(topic, 1))
        await stream.send(ping=frame_pb2.Ping(nonce=1))
        frame = await stream.read()
        while frame.WhichOneof("control") != "pong":
            assert not frame.runs
            frame = await stream.read()
        await stream.send(subscribe=_wish(topic, _grant(topic)))
        assert [event.id for event in await stream.events(1)] == ["e1"]


async def test_a_new_session_token_leaves_what_a_grant_allows(hub: HubProcess) -> None:
    topic = _topic()
    async with RawClient(hub.grpc, _session_token()) as alice:
        stream, _ = await alice.session()
        await stream.send(subscribe=_wish(topic, _grant(topic)))
        await stream.control("subscribed")
        refresh = frame_pb2.RefreshToken(token=_session_token())
        await stream.send(request_id=3, refresh_token=refresh)
        await stream.control("token_accepted")
        await alice.publish(draft(topic, 1))
        assert [event.id for event in await stream.events(1)] == ["e1"]


async def test_a_revoked_user_s_grant_is_refused(hub: HubProcess) -> None:
    admin = mint(
        SECRET,
        subject="root",
        issuer="shipspeak",
        audience="shipspeak-realtime",
        lifetime=60,
        admin=True,
    )
    async with (
        RawClient(hub.grpc, admin) as root,
        RawClient(hub.grpc, _session_token()) as alice,
    ):
        await root.admin("Revoke", admin_service_pb2.RevokeRequest(token_id="g1"))
        stream, _ = await alice.session()
        await stream.send(subscribe=_wish("meeting/1", _grant("meeting/1", jti="g1")))
        assert (await stream.control("error")).reason == reasons.ERROR_REASON_TOKEN_REVOKED


async def test_a_grant_that_is_revoked_ends_its_topic(hub: HubProcess) -> None:
    """G10: within 5 s, on a session that goes on."""
    topic = _topic()
    admin = mint(
        SECRET,
        subject="root",
        issuer="shipspeak",
        audience="shipspeak-realtime",
        lifetime=60,
        admin=True,
    )
    async with (
        RawClient(hub.grpc, admin) as root,
        RawClient(hub.grpc, _session_token()) as alice,
    ):
        stream, _ = await alice.session()
        await stream.send(subscribe=_wish(topic, _grant(topic, jti="g2")))
        await stream.control("subscribed")
        await root.admin("Revoke", admin_service_pb2.RevokeRequest(token_id="g2"))
        ended = await stream.control("unsubscribed", 30)
        assert ended.topic == topic
        await stream.subscribe("user/alice")
