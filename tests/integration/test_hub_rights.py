"""Tokens and rights at the doors of a hub with a key."""

from __future__ import annotations

import math
import secrets
import time
from typing import TYPE_CHECKING, Any

import grpc
import httpx
import jwt
import pytest

from shipspeak.realtime.v1 import error_reason_pb2 as reasons
from shipspeak.realtime.v1 import frame_pb2, realtime_service_pb2
from tests.support.raw_client import RawClient, bearer, draft, hello
from tests.support.tokens import SECRET, make_token

if TYPE_CHECKING:
    from tests.support.hub_process import HubProcess

CODE = grpc.StatusCode


def _altered(**claims: Any) -> str:
    # Made when the tests are collected, and used when their turn has come.
    good = jwt.decode(make_token(lifetime=7200), options={"verify_signature": False})
    return jwt.encode({**good, **claims}, SECRET, algorithm="HS256")


BAD: dict[str, tuple[str, str]] = {
    "none": ("", "TOKEN_MISSING"),
    "forged": (make_token().rpartition(".")[0] + ".AAAA", "TOKEN_SIGNATURE_INVALID"),
    "another key": (
        jwt.encode({"sub": "x"}, "y" * 32, algorithm="HS256"),
        "TOKEN_SIGNATURE_INVALID",
    ),
    "unsigned": (jwt.encode({"sub": "alice"}, "", algorithm="none"), "TOKEN_SIGNATURE_INVALID"),
    "expired": (_altered(exp=int(time.time()) - 1), "TOKEN_EXPIRED"),
    "not yet": (_altered(nbf=int(time.time()) + 3600), "TOKEN_NOT_YET_VALID"),
    "audience": (_altered(aud="other"), "TOKEN_AUDIENCE_INVALID"),
    "issuer": (_altered(iss="other"), "TOKEN_ISSUER_INVALID"),
    "garbage": ("garbage", "TOKEN_MALFORMED"),
}


@pytest.mark.parametrize("case", BAD)
async def test_bad_tokens_at_every_call(locked_hub: HubProcess, case: str) -> None:
    token, reason = BAD[case]
    want = (CODE.UNAUTHENTICATED, reason)
    topic = f"meeting/{secrets.token_hex(4)}"
    async with (
        RawClient(locked_hub.grpc, make_token()) as good,
        RawClient(locked_hub.grpc, token) as bad,
    ):
        bystander, _ = await good.session()
        await bystander.subscribe(topic)
        stream = bad.connect()
        await stream.send(hello=hello())
        assert await stream.end() == want
        in_hello = bad.connect(metadata=())
        await in_hello.send(hello=hello(token=token))
        assert await in_hello.end() == want
        assert await bad.listen(frame_pb2.Subscribe(topic=topic)).end() == want
        publish = frame_pb2.PublishRequest(drafts=[draft(topic, 1)])
        assert await bad.refused("Publish", publish) == want
        poll = realtime_service_pb2.PollRequest(
            hello=hello(), subscriptions=[frame_pb2.Subscribe(topic=topic)]
        )
        assert await bad.refused("Poll", poll) == want
        history = realtime_service_pb2.ReadHistoryRequest(topic=topic)
        assert await bad.refused("ReadHistory", history) == want
        touch = realtime_service_pb2.TouchRequest(session_id="x")
        assert await bad.refused("Touch", touch) == want
        (result,) = await good.publish(draft(topic, 2))
        assert result.offset == 1, "nothing of the refused call was stored"
        assert [event.id for event in await bystander.events(1)] == ["e2"]


async def test_a_header_that_is_no_bearer(locked_hub: HubProcess) -> None:
    async with RawClient(locked_hub.grpc) as client:
        request = frame_pb2.PublishRequest(drafts=[draft("meeting/1", 1)])
        status = await client.refused("Publish", request, (("authorization", "Basic eDp5"),))
        assert status == (CODE.UNAUTHENTICATED, "TOKEN_MALFORMED")


async def test_a_token_of_the_greatest_length_is_taken_each_time(locked_hub: HubProcess) -> None:
    """gRPC's own bound on metadata refused one in twenty, by chance."""
    token = make_token(publish=[f"meeting/{'x' * 93}{number:04}" for number in range(52)])
    assert 7_000 < len(token) <= 8_192
    request = realtime_service_pb2.ReadHistoryRequest(topic="meeting/1")
    # What a proxy adds.
    metadata = (*bearer(token), ("x-request-id", "r" * 1000))
    async with RawClient(locked_hub.grpc) as client:
        answers = {await client.refused("ReadHistory", request, metadata) for _ in range(60)}
    assert answers == {(CODE.PERMISSION_DENIED, "RIGHT_MISSING")}


async def test_rights_are_held_topic_by_topic(locked_hub: HubProcess) -> None:
    token = make_token(publish=["meeting/1"], subscribe=["user/{sub}"])
    async with RawClient(locked_hub.grpc, token) as client:
        stream, welcome = await client.session()
        assert welcome.principal == "alice"
        results = await stream.publish(draft("meeting/1", 1), draft("user/alice", 2))
        assert [result.outcome for result in results] == [
            frame_pb2.OUTCOME_STORED,
            frame_pb2.OUTCOME_REFUSED,
        ]
        assert results[1].error.reason == reasons.ERROR_REASON_RIGHT_MISSING
        await stream.subscribe("user/alice")
        for topic in ("user/bob", "meeting/1"):
            await stream.send(request_id=8, subscribe=frame_pb2.Subscribe(topic=topic))
            error = await stream.control("error")
            assert (error.reason, error.topic) == (reasons.ERROR_REASON_RIGHT_MISSING, topic)
        answer = await client.poll(frame_pb2.Subscribe(topic="user/bob"))
        assert answer.frames[0].error.reason == reasons.ERROR_REASON_RIGHT_MISSING
        history = realtime_service_pb2.ReadHistoryRequest(topic="user/bob")
        status = await client.refused("ReadHistory", history)
        assert status == (CODE.PERMISSION_DENIED, "RIGHT_MISSING")


async def test_a_session_ends_with_itstoken(locked_hub: HubProcess) -> None:
    async with RawClient(locked_hub.grpc, make_token(lifetime=5)) as client:
        stream, _ = await client.session()
        expiring = await stream.control("session_expiring")
        assert expiring.at.seconds - time.time() < 5
        go_away = await stream.control("go_away")
        assert go_away.action == frame_pb2.GO_AWAY_ACTION_REAUTHENTICATE
        assert time.time() - expiring.at.seconds < 20, "G10: by the hub's look once a second"
        assert await stream.end() == (CODE.UNAUTHENTICATED, "SESSION_EXPIRED")


async def test_a_refresh_keeps_the_session(locked_hub: HubProcess) -> None:
    async with RawClient(locked_hub.grpc, make_token(lifetime=6)) as client:
        stream, welcome = await client.session()
        listener = client.listen(frame_pb2.Subscribe(topic="meeting/r"))
        session_id = (await listener.read()).welcome.session_id
        await stream.send(request_id=1, refresh_token=frame_pb2.RefreshToken(token=make_token()))
        accepted = await stream.control("token_accepted")
        assert accepted.expires_at.seconds - time.time() > 50
        request = realtime_service_pb2.RefreshSessionRequest(
            session_id=session_id, token=make_token(lifetime=70)
        )
        answer = await client.call("RefreshSession", request, metadata=())
        assert answer.expires_at.seconds - time.time() > 60
        async with RawClient(locked_hub.grpc, make_token()) as other:
            assert (await stream.control("heartbeat")).HasField("server_time")
            deadline = math.ceil(time.time()) + 6
            while time.time() < deadline:
                await stream.control("heartbeat")
            await other.publish(draft("meeting/r", 1))
            assert len(await listener.events(1)) == 1
        assert welcome.session_id != session_id


async def test_a_refresh_by_another_user(locked_hub: HubProcess) -> None:
    async with RawClient(locked_hub.grpc, make_token()) as client:
        stream, welcome = await client.session()
        mallory = frame_pb2.RefreshToken(token=make_token("mallory"))
        await stream.send(request_id=1, refresh_token=mallory)
        assert (await stream.control("error")).reason == reasons.ERROR_REASON_PRINCIPAL_MISMATCH
        request = realtime_service_pb2.RefreshSessionRequest(
            session_id=welcome.session_id, token=make_token("mallory")
        )
        assert await client.refused("RefreshSession", request) == (
            CODE.NOT_FOUND,
            "SESSION_UNKNOWN",
        )


async def test_a_refresh_with_fewer_rights_ends_what_they_do_not_cover(
    locked_hub: HubProcess,
) -> None:
    async with RawClient(locked_hub.grpc, make_token()) as client:
        stream, _ = await client.session()
        topic = f"meeting/{secrets.token_hex(4)}"
        await stream.subscribe(topic)
        await stream.subscribe("user/alice")
        less = make_token(subscribe=["user/{sub}"])
        await stream.send(request_id=1, refresh_token=frame_pb2.RefreshToken(token=less))
        unsubscribed = await stream.control("unsubscribed")
        assert unsubscribed.topic == topic
        assert unsubscribed.error.reason == reasons.ERROR_REASON_RIGHT_MISSING
        async with RawClient(locked_hub.grpc, make_token(publish=["**"])) as other:
            await other.publish(draft(topic, 1), draft("user/alice", 2))
        assert [event.id for event in await stream.events(1)] == ["e2"]


async def test_another_users_session_cannot_be_touched(locked_hub: HubProcess) -> None:
    async with RawClient(locked_hub.grpc, make_token()) as client:
        listener = client.listen(frame_pb2.Subscribe(topic="meeting/1"))
        session_id = (await listener.read()).welcome.session_id
        unknown = (CODE.NOT_FOUND, "SESSION_UNKNOWN")
        touch = realtime_service_pb2.TouchRequest(session_id=session_id)
        update = realtime_service_pb2.UpdateSubscriptionsRequest(session_id=session_id, revision=1)
        for name, request in (("Touch", touch), ("UpdateSubscriptions", update)):
            mallory = bearer(make_token("mallory"))
            assert await client.refused(name, request, mallory) == unknown
        await client.call("Touch", touch)
        await client.call("UpdateSubscriptions", update)


async def test_publishing_by_http_wants_a_token_too(locked_hub: HubProcess) -> None:
    body = {
        "drafts": [
            {
                "id": "h1",
                "topic": "meeting/http",
                "content": {"metrics": {"metrics": [{"name": "n"}]}},
            }
        ]
    }
    async with httpx.AsyncClient(base_url=locked_hub.http) as http:
        refused = await http.post("/v1/publish", json=body)
        assert refused.status_code == 401
        assert refused.json()["details"][0]["reason"] == "TOKEN_MISSING"
        headers = {"authorization": f"Bearer {make_token()}"}
        stored = await http.post("/v1/publish", json=body, headers=headers)
        assert stored.json()["results"][0]["outcome"] == "OUTCOME_STORED"
        body["drafts"][0]["topic"] = "user/alice"
        denied = await http.post("/v1/publish", json=body, headers=headers)
        assert denied.json()["results"][0]["error"]["reason"] == "ERROR_REASON_RIGHT_MISSING"


async def test_the_secret_and_the_tokens_are_not_in_the_log(locked_hub: HubProcess) -> None:
    token = make_token()
    async with RawClient(locked_hub.grpc, token) as client:
        await client.session()
        await client.refused("Publish", b"\xff")
    assert SECRET not in locked_hub.log
    assert token not in locked_hub.log
    assert token.rpartition(".")[2] not in locked_hub.log
