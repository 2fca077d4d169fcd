"""G12: a run on a real hub, written down by its members and watchers, and judged afterwards."""

from __future__ import annotations

import asyncio
import contextlib
import random
import secrets
import time
from typing import TYPE_CHECKING

import grpc

from shipspeak.realtime.v1 import frame_pb2
from tests.guarantees.history import History
from tests.guarantees.presence import Life, Presence, Shown, Viewer
from tests.guarantees.validators import present
from tests.support.present import announce, joined, watching
from tests.support.raw_client import RawClient, Stream

if TYPE_CHECKING:
    from tests.support.hub_process import HubProcess

HEARTBEAT = 1.0
# The hub looks at its sessions once a second, and this machine may be busy.
PROMPT = 4.0
STATES = {"online": frame_pb2.PRESENCE_STATE_ONLINE, "away": frame_pb2.PRESENCE_STATE_AWAY}
NAMES = {number: name for name, number in STATES.items()}


async def watch(client: RawClient, topic: str, viewer: Viewer) -> None:
    """Write down what a watcher holds, by the receiver's rule."""
    viewer.began_at = time.monotonic()
    stream = await watching(client, topic, viewer.name)
    held: dict[str, str] = {}
    while True:
        frame = await stream.read()
        viewer.until = time.monotonic()
        if frame.HasField("presence"):
            if frame.presence.full:
                held.clear()
            for member in frame.presence.members:
                held.pop(member.client_id, None)
                if member.state != frame_pb2.PRESENCE_STATE_OFFLINE:
                    held[member.client_id] = NAMES[member.state]
            sessions = frame.presence.sessions
            listed = dict(held) if len(held) == sessions else None
            viewer.shown.append(Shown(viewer.until, listed, sessions))
        # Heartbeats come all the time: an answer to each is its sign of life.
        await stream.send(window=frame_pb2.Window())


async def live(client: RawClient, topic: str, name: str, lives: list[Life], seed: int) -> None:
    """A few lives of one member: words, reconnects, and an end of some kind."""
    chance = random.Random(seed)  # noqa: S311 - to repeat a run
    for _ in range(2):
        stream = await joined(client, topic, name)
        began = time.monotonic()
        states = [(began, "online")]
        for _ in range(chance.randint(1, 4)):
            await asyncio.sleep(chance.uniform(0.1, 0.6))
            state = chance.choice(list(STATES))
            if chance.random() < 0.3:
                cut(stream)
                stream = await joined(client, topic, name)
                states.append((time.monotonic(), "online"))
            await announce(stream, topic, state=STATES[state])
            states.append((time.monotonic(), state))
        clean = chance.random() < 0.5
        left = time.monotonic()
        if clean:
            await announce(stream, topic, state=frame_pb2.PRESENCE_STATE_OFFLINE)
        lives.append(Life(topic, name, began, tuple(states), left, clean))
        if not clean and chance.random() < 0.5:
            cut(stream)
        # Whether it says no more or is cut: gone before the next life begins.
        await asyncio.sleep(2.5 * HEARTBEAT + PROMPT + 0.5)
        cut(stream)


def cut(stream: Stream) -> None:
    """The network breaks."""
    with contextlib.suppress(grpc.aio.AioRpcError):
        stream._call.cancel()


async def test_what_watchers_were_shown_was_so(shared_hub: HubProcess) -> None:
    """G12: joins, words, flapping, clean leaves and silent deaths, as two watchers saw them."""
    topic = f"meeting/{secrets.token_hex(4)}"
    record = Presence(HEARTBEAT, PROMPT)
    record.viewers += [Viewer(name, topic, 0.0, 0.0) for name in ("w1", "w2")]
    async with RawClient(shared_hub.grpc) as client, RawClient(shared_hub.grpc) as other:
        watchers = [asyncio.create_task(watch(other, topic, viewer)) for viewer in record.viewers]
        await asyncio.gather(
            *(live(client, topic, f"m{seed}", record.lives, seed) for seed in range(8))
        )
        for task in watchers:
            task.cancel()
        outcomes = await asyncio.gather(*watchers, return_exceptions=True)
    assert all(isinstance(outcome, asyncio.CancelledError) for outcome in outcomes)
    assert all(len(viewer.shown) > 8 for viewer in record.viewers)
    assert len(record.lives) == 16
    assert [str(found) for found in present(History(presence=record))] == []
