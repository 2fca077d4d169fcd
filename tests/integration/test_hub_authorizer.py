"""I1, G10: an authorizer that allows, denies, hangs, lies and dies decides what tokens do not."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING

import grpc
import pytest

from hub.auth.circuit import FAILURES
from shipspeak.realtime.v1 import error_reason_pb2 as reasons
from shipspeak.realtime.v1 import frame_pb2, realtime_service_pb2
from tests.support.authorizer import LIES, AuthorizerServer
from tests.support.hub_process import HubProcess
from tests.support.raw_client import RawClient, draft
from tests.support.tokens import SECRET, make_token

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

UNKNOWN = (grpc.StatusCode.UNAVAILABLE, "AUTHORIZER_UNAVAILABLE")
DENIED = (grpc.StatusCode.PERMISSION_DENIED, "RIGHT_MISSING")


@pytest.fixture
def service() -> Iterator[AuthorizerServer]:
    with AuthorizerServer() as server:
        yield server


def _hub(folder: Path, service: AuthorizerServer, keep: str = "30") -> HubProcess:
    env = {
        "RTHUB_AUTH_HS256_SECRET": SECRET,
        "RTHUB_AUTHORIZER_URL": service.url,
        "RTHUB_AUTHORIZER_SECRET": "between-us",
        "RTHUB_AUTHORIZER_CACHE": keep,
        # The honest answer of a busy machine must not count as none.
        "RTHUB_AUTHORIZER_TIMEOUT": "10",
    }
    return HubProcess(folder, env=env, dev=False)


def _alice() -> str:
    return make_token("alice", subscribe=["user/{sub}"], publish=["user/{sub}"])


def _topic() -> str:
    return f"meeting/{secrets.token_hex(4)}"


async def test_what_the_token_lacks_is_asked_once_for_each_user_action_and_topic(
    tmp_path: Path, service: AuthorizerServer
) -> None:
    """I1: on every way to read and to publish; what the token allows needs nobody."""
    topic, other = _topic(), _topic()
    with _hub(tmp_path, service) as hub:
        async with RawClient(hub.grpc, _alice()) as alice:
            stream, _ = await alice.session()
            await stream.subscribe("user/alice")
            assert service.asked == []
            await stream.subscribe(topic)
            (result,) = await stream.publish(draft(topic, 1))
            assert result.outcome == frame_pb2.OUTCOME_STORED
            assert [event.id for event in await stream.events(1)] == ["e1"]
            wish = frame_pb2.Subscribe(topic=topic, at=frame_pb2.START_EARLIEST)
            listening = alice.listen(wish)
            assert [event.id for event in await listening.events(1)] == ["e1"]
            answer = await alice.poll(wish)
            assert [event.id for f in answer.frames for run in f.runs for event in run.events] == [
                "e1"
            ]
            await alice.call("ReadHistory", realtime_service_pb2.ReadHistoryRequest(topic=topic))
            asked = [("alice", action, topic) for action in ("subscribe", "publish")]
            assert [one[:3] for one in service.asked] == asked
            assert {one[3] for one in service.asked} == {"Bearer between-us"}

            service.mode = "deny"
            await stream.send(request_id=1, subscribe=frame_pb2.Subscribe(topic=other))
            assert (await stream.control("error")).reason == reasons.ERROR_REASON_RIGHT_MISSING
            (result,) = await stream.publish(draft(other, 2))
            assert result.error.reason == reasons.ERROR_REASON_RIGHT_MISSING
            history = realtime_service_pb2.ReadHistoryRequest(topic=other)
            assert await alice.refused("ReadHistory", history) == DENIED
            # The hub's own books are not the authorizer's to give.
            service.mode = "allow"
            history = realtime_service_pb2.ReadHistoryRequest(topic="control/revocations")
            assert await alice.refused("ReadHistory", history) == DENIED
    assert "between-us" not in hub.log


async def test_lies_and_a_death_allow_nothing_and_stall_nobody(
    tmp_path: Path, service: AuthorizerServer
) -> None:
    """G10: it fails closed; whoever has a right of its own goes on."""
    with _hub(tmp_path, service) as hub:
        async with RawClient(hub.grpc, _alice()) as alice:
            for lie in LIES:
                history = realtime_service_pb2.ReadHistoryRequest(topic=_topic())
                service.mode = lie
                assert await alice.refused("ReadHistory", history) == UNKNOWN
                # A true word between two lies, or the hub would not listen to the next one.
                service.mode = "allow"
                await alice.call("ReadHistory", history)
            service.die()
            for _ in range(FAILURES):
                history = realtime_service_pb2.ReadHistoryRequest(topic=_topic())
                assert await alice.refused("ReadHistory", history) == UNKNOWN
            (result,) = await alice.publish(draft(_topic(), 1))
            assert result.error.reason == reasons.ERROR_REASON_AUTHORIZER_UNAVAILABLE
            assert result.error.HasField("retry_after")
            stream, _ = await alice.session()
            await stream.subscribe("user/alice")
    assert "authorizer_left_alone" in hub.log


async def test_a_topic_goes_on_while_it_is_allowed_and_ends_when_nobody_says_so(
    tmp_path: Path, service: AuthorizerServer
) -> None:
    """G10: asked again before the answer ends; one that hangs ends the topic, not the hub."""
    allowed, denied = _topic(), _topic()
    with _hub(tmp_path, service, keep="4") as hub:
        async with RawClient(hub.grpc, _alice()) as alice:
            stream, _ = await alice.session()
            await stream.subscribe(denied)
            service.mode = "deny"
            ended = await stream.control("unsubscribed", 40)
            assert ended.topic == denied
            service.mode = "allow"
            await stream.subscribe(allowed)
            service.mode = "hang"
            ended = await stream.control("unsubscribed", 40)
            assert ended.topic == allowed
            assert ended.error.reason == reasons.ERROR_REASON_TOKEN_EXPIRED
            await stream.subscribe("user/alice")
            (result,) = await stream.publish(draft("user/alice", 1))
            assert result.outcome == frame_pb2.OUTCOME_STORED
