"""Sessions on a real hub: sets of subscriptions, windows, signs of life, delivery."""

from __future__ import annotations

import asyncio
import secrets
from typing import TYPE_CHECKING

import grpc
import pytest

from shipspeak.realtime.v1 import event_pb2, frame_pb2, realtime_service_pb2
from tests.support.raw_client import RawClient, draft, hello

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from tests.support.hub_process import HubProcess

CODE = grpc.StatusCode
WINDOW = 65_536


@pytest.fixture
async def client(shared_hub: HubProcess) -> AsyncIterator[RawClient]:
    async with RawClient(shared_hub.grpc) as client:
        yield client


@pytest.fixture
def topic() -> str:
    return f"meeting/{secrets.token_hex(4)}"


def _bulk(topic: str, number: int, size: int = 20_000, **content: int) -> event_pb2.Draft:
    made = event_pb2.Draft(id=f"e{number}", topic=topic)
    made.content.other.type_url = "type.example/bulk"
    made.content.other.value = bytes(size)
    if "priority" in content:
        made.content.priority = event_pb2.Priority.ValueType(content["priority"])
    return made


async def _update(
    client: RawClient, session_id: str, revision: int, *topics: str
) -> realtime_service_pb2.UpdateSubscriptionsResponse:
    request = realtime_service_pb2.UpdateSubscriptionsRequest(
        session_id=session_id,
        revision=revision,
        subscriptions=[frame_pb2.Subscribe(topic=topic) for topic in topics],
    )
    answer: realtime_service_pb2.UpdateSubscriptionsResponse = await client.call(
        "UpdateSubscriptions", request
    )
    return answer


async def test_the_complete_set_of_subscriptions(client: RawClient, topic: str) -> None:
    a, b, c = f"{topic}/a", f"{topic}/b", f"{topic}/c"
    listener = client.listen(frame_pb2.Subscribe(topic=a), frame_pb2.Subscribe(topic=b))
    session_id = (await listener.read()).welcome.session_id
    assert (await _update(client, session_id, 5, b, c)).revision == 5
    kinds = [await listener.read() for _ in range(4)]
    assert {frame.subscribed.topic for frame in kinds} >= {a, b, c}
    assert {frame.unsubscribed.topic for frame in kinds} >= {a}
    await client.publish(draft(a, 1), draft(b, 2), draft(c, 3))
    assert {event.id for event in await listener.events(2)} == {"e2", "e3"}


@pytest.mark.parametrize("revision", [1, 4, 5])
async def test_a_stale_revision_changes_nothing(
    client: RawClient, topic: str, revision: int
) -> None:
    listener = client.listen()
    session_id = (await listener.read()).welcome.session_id
    await _update(client, session_id, 5, topic)
    stale = realtime_service_pb2.UpdateSubscriptionsRequest(
        session_id=session_id, revision=revision
    )
    status = await client.refused("UpdateSubscriptions", stale)
    assert status == (CODE.ABORTED, "REVISION_STALE")
    await client.publish(draft(topic, 1))
    assert len(await listener.events(1)) == 1


async def test_racing_updates_end_with_the_highest_revision(client: RawClient, topic: str) -> None:
    topics = [f"{topic}/{number}" for number in range(6)]
    listener = client.listen(*(frame_pb2.Subscribe(topic=one) for one in topics))
    session_id = (await listener.read()).welcome.session_id
    await asyncio.gather(
        *(_update(client, session_id, n, *topics[n - 1 : n + 1]) for n in range(1, 6)),
        return_exceptions=True,
    )
    await client.publish(*(draft(one, number) for number, one in enumerate(topics)))
    assert {event.id for event in await listener.events(2)} == {"e4", "e5"}


async def test_an_unknown_session(client: RawClient) -> None:
    unknown = (CODE.NOT_FOUND, "SESSION_UNKNOWN")
    touch = realtime_service_pb2.TouchRequest(session_id="no-such-session")
    assert await client.refused("Touch", touch) == unknown


async def test_a_reader_that_stops_reporting_gets_no_more_than_its_window(
    start_hub: Callable[..., HubProcess], topic: str
) -> None:
    hub = await asyncio.to_thread(start_hub, "--heartbeat", "5")
    async with RawClient(hub.grpc) as client:
        listener = client.listen(frame_pb2.Subscribe(topic=topic), hello=hello(window_bytes=WINDOW))
        welcome = (await listener.read()).welcome
        assert welcome.window_bytes == WINDOW
        await listener.control("subscribed")
        results = await client.publish(*(_bulk(topic, n) for n in range(40)))
        head = results[-1].offset
        got = frames = 0
        while got < WINDOW:
            frame = await listener.until(lambda frame: frame.runs)
            got, frames = got + frame.ByteSize(), frames + 1
        lagging = await listener.read(12)
        assert lagging.WhichOneof("control") == "heartbeat", "nothing but the heartbeat comes"
        assert not lagging.heartbeat.HasField("complete_as_of"), "it lags, and is told so"
        last_frame = frame.ByteSize()
        assert got < WINDOW + last_frame

        urgent = _bulk(f"{topic}/urgent", 99, 10, priority=1)
        update = realtime_service_pb2.UpdateSubscriptionsRequest(
            session_id=welcome.session_id,
            revision=1,
            subscriptions=[
                frame_pb2.Subscribe(topic=topic),
                frame_pb2.Subscribe(topic=f"{topic}/urgent"),
            ],
        )
        await client.call("UpdateSubscriptions", update)
        await client.publish(urgent)
        passed = await listener.until(lambda frame: frame.runs)
        assert [event.id for event in passed.runs[0].events] == ["e99"], "CRITICAL passes"
        got += passed.ByteSize()

        through = frame.runs[-1].through_offset
        while through < head:
            touch = realtime_service_pb2.TouchRequest(
                session_id=welcome.session_id, handled_bytes=got
            )
            await client.call("Touch", touch)
            frame = await listener.until(lambda frame: frame.runs)
            assert frame.runs[0].after_offset == through
            through, got = frame.runs[-1].through_offset, got + frame.ByteSize()


async def test_a_silent_listener_is_ended(client: RawClient, topic: str) -> None:
    listener = client.listen(frame_pb2.Subscribe(topic=topic), hello=hello(window_bytes=WINDOW))
    assert (await listener.read()).welcome.heartbeat_interval.seconds == 1
    assert await listener.end(8) == (CODE.UNAVAILABLE, "HEARTBEAT_MISSED")


async def test_a_listener_that_touches_lives(client: RawClient, topic: str) -> None:
    listener = client.listen(frame_pb2.Subscribe(topic=topic), hello=hello(window_bytes=WINDOW))
    session_id = (await listener.read()).welcome.session_id
    for _ in range(5):
        heartbeat = await listener.control("heartbeat", 5)
        assert heartbeat.HasField("complete_as_of")
        answer = await client.call(
            "Touch", realtime_service_pb2.TouchRequest(session_id=session_id)
        )
        assert answer.HasField("server_time")


async def test_a_late_joiner_replays_the_whole_topic(client: RawClient, topic: str) -> None:
    for start in range(0, 1200, 400):
        await client.publish(*(draft(topic, n) for n in range(start, start + 400)))
    stream, _ = await client.session()
    subscribed = await stream.subscribe(topic, at=frame_pb2.START_EARLIEST)
    assert (subscribed.verdict, subscribed.head) == (frame_pb2.VERDICT_OK, 1200)
    assert subscribed.position.handled_offset == 0
    events = await stream.events(1200)
    assert [event.id for event in events] == [f"e{n}" for n in range(1200)]
    await client.publish(draft(topic, 1200))
    assert [event.offset for event in await stream.events(1)] == [1201]


async def test_resuming_inside_a_run(client: RawClient, topic: str) -> None:
    await client.publish(*(draft(topic, n) for n in range(10)))
    stream, _ = await client.session()
    first = await stream.subscribe(topic, at=frame_pb2.START_EARLIEST)
    handled = (await stream.events(10))[5]
    await stream.send(unsubscribe=frame_pb2.Unsubscribe(topic=topic))
    position = event_pb2.Position(
        cursor=first.position.cursor, handled_offset=6, handled_id=handled.id
    )
    again = await stream.subscribe(topic, position=position)
    assert again.verdict == frame_pb2.VERDICT_OK
    assert again.position.handled_offset == 6
    assert [event.offset for event in await stream.events(4)] == [7, 8, 9, 10]


async def test_volatile_topics_deliver_live_and_keep_nothing(client: RawClient, topic: str) -> None:
    signal = topic.replace("meeting", "signal")
    stream, _ = await client.session()
    subscribed = await stream.subscribe(signal, at=frame_pb2.START_EARLIEST)
    assert subscribed.verdict == frame_pb2.VERDICT_LIVE
    assert (subscribed.epoch, subscribed.position.cursor) == (0, b"")
    (result,) = await client.publish(draft(signal, 1))
    assert result.outcome == frame_pb2.OUTCOME_ACCEPTED
    frame = await stream.until(lambda frame: frame.runs)
    run = frame.runs[0]
    assert (run.epoch, run.after_offset, run.through_offset, run.cursor) == (0, 0, 0, b"")
    assert [(event.id, event.offset) for event in run.events] == [("e1", 0)]
    late, _ = await client.session()
    await late.subscribe(signal)
    await client.publish(draft(signal, 2))
    assert [event.id for event in await late.events(1)] == ["e2"]


async def test_expired_events_are_counted_and_not_shown(client: RawClient, topic: str) -> None:
    short = draft(topic, 1)
    short.ttl.FromMilliseconds(1)
    await client.publish(short, draft(topic, 2))
    await asyncio.sleep(0.01)  # the hub's clock must pass the event's end
    stream, _ = await client.session()
    await stream.subscribe(topic, at=frame_pb2.START_EARLIEST)
    frame = await stream.until(lambda frame: frame.runs)
    assert [event.id for event in frame.runs[0].events] == ["e2"]
    assert frame.runs[0].expired == 1


async def test_the_same_id_is_stored_once(client: RawClient, topic: str) -> None:
    stream, _ = await client.session()
    (first,) = await stream.publish(draft(topic, 1))
    (again,) = await client.publish(draft(topic, 1))
    assert (again.offset, again.epoch) == (first.offset, first.epoch)
    assert again.duplicate
    assert not first.duplicate


async def test_half_closing_finishes_the_answers_under_way(client: RawClient, topic: str) -> None:
    stream, _ = await client.session()
    request = frame_pb2.PublishRequest(drafts=[draft(topic, 1)])
    await stream.send(request_id=5, publish=request)
    await stream.half_close()
    published = await stream.control("published")
    assert published.results[0].outcome == frame_pb2.OUTCOME_STORED
    assert await stream.end() == (CODE.OK, "")
