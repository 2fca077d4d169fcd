"""More than anybody should say on one session."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from shipspeak.realtime.v1 import error_reason_pb2 as reasons
from shipspeak.realtime.v1 import event_pb2, frame_pb2
from tests.attacks.attack import Attack, Door
from tests.attacks.doors import said_by, said_by_result
from tests.attacks.rows.shared import STREAMS, on_stream

if TYPE_CHECKING:
    from tests.attacks.scene import Scene

MANY = 600
DRAFTS = 1000
LIMITED = "RESOURCE_EXHAUSTED RATE_LIMITED"
ANSWERED = f"taken, or {LIMITED}"


async def _publishes(scene: Scene, door: Door) -> str:
    """Drafts beyond one user's rate: refused with a time, and what was taken is stored."""
    token = scene.keys.token(f"flooder-{door.value}")
    topic = scene.topic()

    async def talk(stream: Any) -> str:
        said: set[str] = set()
        for batch in range(DRAFTS // 100):
            drafts = [_bare(topic, batch * 100 + n) for n in range(100)]
            sent = frame_pb2.PublishRequest(drafts=drafts)
            await stream.send(request_id=batch + 1, publish=sent)
        for _ in range(DRAFTS // 100):
            for result in (await stream.control("published", 120)).results:
                said.add(said_by_result(result))
                if result.error.reason == reasons.ERROR_REASON_RATE_LIMITED:
                    assert result.error.HasField("retry_after"), result
        return ANSWERED if said <= {"STORED", LIMITED, _BEHIND} else str(said)

    return await on_stream(scene, door, talk, token)


_BEHIND = "ABORTED EARLIER_DRAFT_FAILED"


def _bare(topic: str, number: int) -> event_pb2.Draft:
    draft = event_pb2.Draft(id=f"f{number}", topic=topic)
    draft.content.metrics.metrics.add(name="n", value=number)
    return draft


async def _subscribes(scene: Scene, door: Door) -> str:
    """One more than a session may have."""
    topic = scene.topic()

    async def talk(stream: Any) -> str:
        for number in range(1001):
            wish = frame_pb2.Subscribe(topic=f"{topic}x{number}", at=frame_pb2.START_LATEST)
            await stream.send(request_id=number + 1, subscribe=wish)
        return said_by(await stream.control("error", 120))

    return await on_stream(scene, door, talk)


async def _churn(scene: Scene, door: Door) -> str:
    """Subscribes and unsubscribes, again and again: each is answered."""
    topic = scene.topic()

    async def talk(stream: Any) -> str:
        for _ in range(MANY // 3):
            wish = frame_pb2.Subscribe(topic=topic, at=frame_pb2.START_LATEST)
            await stream.send(subscribe=wish)
            await stream.send(unsubscribe=frame_pb2.Unsubscribe(topic=topic))
        for _ in range(MANY // 3):
            await stream.control("unsubscribed", 120)
        return "each answered"

    return await on_stream(scene, door, talk)


async def _pings(scene: Scene, door: Door) -> str:
    """Frames beyond the connection's rate: read later, and each is answered."""

    async def talk(stream: Any) -> str:
        for number in range(MANY):
            await stream.send(ping=frame_pb2.Ping(nonce=number))
        for number in range(MANY):
            assert (await stream.control("pong", 120)).nonce == number
        return "each answered"

    return await on_stream(scene, door, talk)


async def _presence(scene: Scene, door: Door) -> str:
    async def talk(stream: Any) -> str:
        for number in range(1000):
            said = frame_pb2.SetPresence(topic="meeting/crowd", metadata={"n": str(number)})
            await stream.send(request_id=number + 1, presence=said)
        return said_by(await stream.control("error", 120))

    return await on_stream(scene, door, talk)


ROWS = (
    Attack(
        "flood of publishes",
        STREAMS,
        f"{DRAFTS} drafts of one user",
        _publishes,
        ANSWERED,
        flood=True,
    ),
    Attack(
        "flood of subscribes",
        STREAMS,
        "1,001 topics",
        _subscribes,
        "RESOURCE_EXHAUSTED SUBSCRIPTION_LIMIT",
        flood=True,
    ),
    Attack(
        "flood of changes",
        STREAMS,
        "subscribe, unsubscribe, again",
        _churn,
        "each answered",
        flood=True,
    ),
    Attack("flood of pings", STREAMS, f"{MANY} Ping", _pings, "each answered", flood=True),
    Attack("flood of presence", STREAMS, "1,000 changes", _presence, LIMITED, flood=True),
)
