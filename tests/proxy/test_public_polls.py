"""Public topics through nginx's cache: a crowd costs the hub next to nothing, and loses nothing."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import random
import time
from typing import TYPE_CHECKING

import httpx
import pytest

from hub.pipeline.public import WINDOW_SECONDS
from shipspeak.realtime.v1 import event_pb2
from shipspeak.realtime.v1.realtime_service_pb2 import PollResponse
from tests.support.raw_client import RawClient, draft
from tests.wire.raw import Raw, request

if TYPE_CHECKING:
    from tests.proxy.nginx import Nginx
    from tests.support.hub_process import HubProcess

TOPIC = "public/status"
POLLERS = 1000
WINDOWS = 3
HUB_REQUESTS_PER_SECOND = 2.0


def requests_at(hub: HubProcess) -> float:
    """Polls of public topics that reached the hub."""
    for line in httpx.get(f"{hub.http}/metrics").text.splitlines():
        if line.startswith("rthub_public_polls_total "):
            return float(line.split()[1])
    raise AssertionError("the hub does not count them")


class Poller:
    """Follows a topic by the rule of the protocol's page, on a connection of its own."""

    def __init__(self, connection: Raw) -> None:
        self.connection = connection
        self.since = "latest"
        self.begin: int | None = None
        self.offsets: list[int] = []
        self.requests = 0

    async def poll(self) -> bool:
        """One request; whether it answered that more is there already."""
        path = f"/v1/topics/{TOPIC}?since={self.since}"
        await self.connection.send(request("GET", path, host="127.0.0.1"))
        answer = await self.connection.read_answer()
        assert answer.status == 200, answer.body
        self.requests += 1
        response = PollResponse.FromString(answer.body)
        for frame in response.frames:
            cursor = b""
            if frame.HasField("subscribed"):
                self.begin = frame.subscribed.position.handled_offset
                cursor = frame.subscribed.position.cursor
            for run in frame.runs:
                self.offsets += [event.offset for event in run.events]
                cursor = run.cursor
            self.since = base64.urlsafe_b64encode(cursor).decode().rstrip("=")
        return response.more

    async def follow(self, ended: asyncio.Event) -> None:
        """Poll once a window, at a time of its own, until it is ended."""
        await asyncio.sleep(random.uniform(0, WINDOW_SECONDS))  # noqa: S311 - spreads a crowd
        while True:
            while await self.poll():
                pass
            if ended.is_set():
                return
            await asyncio.sleep(WINDOW_SECONDS)


@pytest.mark.timeout(300)
async def test_a_thousand_pollers_cost_the_hub_two_requests_a_second(
    hub: HubProcess, nginx: Nginx
) -> None:
    """F4, G2r."""
    ended = asyncio.Event()
    async with RawClient(hub.grpc) as publisher, contextlib.AsyncExitStack() as stack:
        pollers = []
        for _ in range(POLLERS):
            pollers.append(Poller(await Raw.connect(nginx.port)))
            stack.callback(pollers[-1].connection.close)
        before, began = await asyncio.to_thread(requests_at, hub), time.monotonic()
        following = [asyncio.create_task(poller.follow(ended)) for poller in pollers]
        number = 0
        while time.monotonic() - began < WINDOWS * WINDOW_SECONDS:
            number += 1
            await publisher.publish(draft(TOPIC, number))
            await asyncio.sleep(0.1)
        ended.set()
        await asyncio.gather(*following)
        seconds = time.monotonic() - began
        cost = await asyncio.to_thread(requests_at, hub) - before
        asked = sum(poller.requests for poller in pollers)
        print(f"{asked} polls in {seconds:.0f} s, of which {cost:.0f} reached the hub")
        assert asked >= POLLERS
        assert cost <= HUB_REQUESTS_PER_SECOND * seconds
        await _read_the_rest(pollers, number)


async def _read_the_rest(pollers: list[Poller], head: int) -> None:
    """Everyone gets everything behind the place where it began, once and in order (G2, G3)."""
    async with asyncio.timeout(60):
        for poller in pollers[:: POLLERS // 50]:
            assert poller.begin is not None
            while not poller.offsets or poller.offsets[-1] < head:
                await poller.poll()
                await asyncio.sleep(0.05)
            assert poller.offsets == list(range(poller.begin + 1, head + 1))


async def test_private_topics_are_never_cached(hub: HubProcess, nginx: Nginx) -> None:
    """F4, G10."""
    secret = event_pb2.Draft(id="s1", topic="meeting/secret")
    secret.content.other.type_url = "type.example/secret"
    secret.content.other.value = b"do-not-keep"
    async with RawClient(hub.grpc) as client, httpx.AsyncClient() as http:
        await client.publish(secret)
        for topic, status in (("meeting/secret", 403), ("nothing/1", 404), ("meeting", 400)):
            for _ in range(2):
                for since in ("latest", "earliest"):
                    address = f"{nginx.http}/v1/topics/{topic}"
                    answer = await http.get(address, params={"since": since})
                    assert answer.status_code == status
                    assert answer.headers["cache-control"] == "no-store"
                    assert answer.headers["x-cache-status"] in ("MISS", "EXPIRED")
                    assert b"do-not-keep" not in answer.content
    kept = [path for path in nginx.cache.rglob("*") if path.is_file()]
    assert not any(b"secret" in path.read_bytes() for path in kept)


async def test_a_cached_answer_is_compressed_once_and_validated(
    hub: HubProcess, nginx: Nginx
) -> None:
    async with RawClient(hub.grpc) as client, httpx.AsyncClient() as http:
        await client.publish(*(draft("public/big", number) for number in range(200)))
        address = f"{nginx.http}/v1/topics/public/big?since=earliest"
        plain = await http.get(address, headers={"accept-encoding": "identity"})
        small = await http.get(address, headers={"accept-encoding": "gzip"})
        assert plain.status_code == small.status_code == 200
        assert small.content == plain.content
        assert small.headers["content-encoding"] == "gzip"
        assert int(plain.headers["content-length"]) == len(plain.content)
        again = await http.get(address, headers={"if-none-match": plain.headers["etag"]})
        # Another window has another answer only where something is new.
        assert (again.status_code, again.content) == (304, b"")
