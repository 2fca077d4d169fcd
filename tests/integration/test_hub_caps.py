"""D2, I2: caps of a real hub: sessions of a user, bytes of a namespace."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING

import grpc
import pytest

from shipspeak.realtime.v1 import admin_service_pb2, event_pb2, frame_pb2, realtime_service_pb2
from shipspeak.realtime.v1 import error_reason_pb2 as reasons
from tests.support.hub_process import HubProcess
from tests.support.raw_client import RawClient, draft, hello
from tests.support.tokens import SECRET, make_token

if TYPE_CHECKING:
    from collections.abc import Iterator

FULL = (grpc.StatusCode.RESOURCE_EXHAUSTED, "CONNECTION_LIMIT")
MOST_BYTES = 3_000


@pytest.fixture(scope="module")
def small_hub(tmp_path_factory: pytest.TempPathFactory) -> Iterator[HubProcess]:
    env = {
        "RTHUB_AUTH_HS256_SECRET": SECRET,
        "RTHUB_MAX_SESSIONS_PER_USER": "3",
        "RTHUB_NAMESPACE_BYTES": f'{{"meeting": {MOST_BYTES}}}',
    }
    with HubProcess(tmp_path_factory.mktemp("hub"), env=env, dev=False) as process:
        yield process


async def test_a_user_has_so_many_sessions_on_all_transports_together(
    small_hub: HubProcess,
) -> None:
    """D2: who is above the cap is refused, who is in goes on, and room comes back."""
    user = secrets.token_hex(4)
    wish = frame_pb2.Subscribe(topic="meeting/1", at=frame_pb2.START_LATEST)
    async with RawClient(small_hub.grpc, make_token(user)) as client:
        first, _ = await client.session()
        second, _ = await client.session()
        listening = client.listen(wish)
        await listening.control("subscribed")
        await _is_full(client, wish)
        # Whoever is in goes on, and so do others.
        await first.subscribe(f"user/{user}")
        async with RawClient(small_hub.grpc, make_token("other")) as other:
            await other.session()
        await second.half_close()
        assert await second.end() == (grpc.StatusCode.OK, "")
        await client.poll(wish)
        third, _ = await client.session()
        await third.subscribe(f"user/{user}")
        await _is_full(client, wish)


async def _is_full(client: RawClient, wish: frame_pb2.Subscribe) -> None:
    stream = client.connect()
    await stream.send(hello=hello())
    assert await stream.end() == FULL
    assert await client.listen(wish).end() == FULL
    poll = realtime_service_pb2.PollRequest(hello=hello(), subscriptions=[wish])
    assert await client.refused("Poll", poll) == FULL


async def test_a_full_namespace_takes_nothing_new_and_keeps_what_it_has(
    small_hub: HubProcess,
) -> None:
    """I2: others go on, and a purge makes room."""
    token = make_token("writer", publish=["**"], subscribe=["**"], admin=True)
    async with RawClient(small_hub.grpc, token) as client:
        stored = 0
        while True:
            (result,) = await client.publish(_bulk("meeting/full", stored))
            if result.outcome != frame_pb2.OUTCOME_STORED:
                break
            stored += 1
        assert result.error.reason == reasons.ERROR_REASON_STORAGE_LIMIT
        assert result.error.HasField("retry_after")
        assert stored == pytest.approx(MOST_BYTES / 1000, abs=1)
        (other,) = await client.publish(_bulk("practice/1", 1))
        assert other.outcome == frame_pb2.OUTCOME_STORED
        stream, _ = await client.session()
        await stream.subscribe("meeting/full", at=frame_pb2.START_EARLIEST)
        assert len(await stream.events(stored)) == stored
        purge = admin_service_pb2.PurgeTopicRequest(topic="meeting/full")
        await client.admin("PurgeTopic", purge)
        (result,) = await client.publish(_bulk("meeting/full", stored))
        assert result.outcome == frame_pb2.OUTCOME_STORED


def _bulk(topic: str, number: int) -> event_pb2.Draft:
    made = draft(topic, number)
    made.content.other.type_url = "type.example/bulk"
    made.content.other.value = bytes(1000)
    return made
