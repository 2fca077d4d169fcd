"""Sessions on WebSockets of a real hub: the same as on Connect streams, with close codes."""

from __future__ import annotations

import asyncio
import os
import secrets
import signal
from typing import TYPE_CHECKING

import pytest
from websockets.exceptions import InvalidStatus

from shipspeak.realtime.v1 import error_reason_pb2 as reasons
from shipspeak.realtime.v1 import event_pb2, frame_pb2
from tests.support.raw_client import RawClient, draft, hello
from tests.support.socket_client import open_socket
from tests.support.tokens import make_token

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.support.hub_process import HubProcess

WINDOW = 65_536


@pytest.fixture
def topic() -> str:
    return f"meeting/{secrets.token_hex(4)}"


def bulk(topic: str, number: int, size: int = 20_000) -> event_pb2.Draft:
    made = event_pb2.Draft(id=f"e{number}", topic=topic)
    made.content.other.type_url = "type.example/bulk"
    made.content.other.value = bytes(size)
    return made


async def test_a_session_publishes_and_reads_its_own_events(
    shared_hub: HubProcess, topic: str
) -> None:
    """The frames of Connect, one message each, both ways."""
    async with open_socket(shared_hub.http) as stream:
        assert stream.connection.subprotocol == "shipspeak.realtime.v1"
        welcome = await stream.welcomed(window_bytes=WINDOW)
        assert welcome.window_bytes == WINDOW
        await stream.subscribe(topic)
        await stream.publish(draft(topic, 1), draft(topic, 2))
        # Small events that were stored together may have come before the answer.
        await stream.subscribe(f"{topic}/more")
        await stream.publish(draft(f"{topic}/more", 3))
        await stream.send(ping=frame_pb2.Ping(nonce=7))
        assert (await stream.control("pong")).nonce == 7
        await stream.leave()


async def test_a_cursor_moves_between_grpc_and_websocket(
    shared_hub: HubProcess, topic: str
) -> None:
    """G5: no gap and no repeat."""
    async with RawClient(shared_hub.grpc) as client, open_socket(shared_hub.http) as socket:
        await client.publish(*(draft(topic, number) for number in range(10)))
        stream, _ = await client.session()
        await stream.subscribe(topic, at=frame_pb2.START_EARLIEST)
        run = (await stream.until(lambda frame: frame.runs)).runs[-1]
        await client.publish(*(draft(topic, number) for number in range(10, 20)))
        await socket.welcomed()
        await socket.subscribe(topic, position=event_pb2.Position(cursor=run.cursor))
        events = await socket.events(20 - run.through_offset)
        assert [event.offset for event in events] == list(range(run.through_offset + 1, 21))


async def test_garbage_is_refused_and_the_session_goes_on(
    shared_hub: HubProcess, topic: str
) -> None:
    async with open_socket(shared_hub.http) as stream:
        await stream.welcomed()
        for garbage in (b"\xff\xff\xff", b"", b"\x0a"):
            await stream.send_bytes(garbage)
            assert (await stream.control("error")).reason == reasons.ERROR_REASON_FRAME_MALFORMED
        await stream.send(hello=hello())
        assert (await stream.control("error")).reason == reasons.ERROR_REASON_FIELD_INVALID
        await stream.subscribe(topic)


@pytest.mark.parametrize(
    ("first", "code", "reason"),
    [
        (frame_pb2.ClientFrame(ping=frame_pb2.Ping(nonce=1)), 4003, "HELLO_REQUIRED"),
        (
            frame_pb2.ClientFrame(hello=hello(protocol_version=9)),
            4009,
            "PROTOCOL_VERSION_UNSUPPORTED",
        ),
    ],
)
async def test_a_bad_first_frame_ends_it(
    shared_hub: HubProcess, first: frame_pb2.ClientFrame, code: int, reason: str
) -> None:
    async with open_socket(shared_hub.http) as stream:
        await stream.send_bytes(first.SerializeToString())
        assert await stream.closed() == (code, reason, [reason])


async def test_text_is_no_frame(shared_hub: HubProcess) -> None:
    async with open_socket(shared_hub.http) as stream:
        await stream.welcomed()
        await stream.connection.send("text")
        assert await stream.closed() == (1003, "FRAME_MALFORMED", ["FRAME_MALFORMED"])


async def test_silence_before_hello_ends_it(shared_hub: HubProcess) -> None:
    """G11: also when the peer's WebSocket answers pings, since its client says nothing."""
    async with open_socket(shared_hub.http) as stream:
        assert await stream.closed(30) == (4014, "HEARTBEAT_MISSED", ["HEARTBEAT_MISSED"])


async def test_silence_in_a_window_ends_it(shared_hub: HubProcess) -> None:
    """G11."""
    async with open_socket(shared_hub.http) as stream:
        await stream.welcomed(window_bytes=WINDOW)
        assert await stream.closed(30) == (4014, "HEARTBEAT_MISSED", ["HEARTBEAT_MISSED"])


async def test_a_client_without_a_window_is_kept_by_its_pongs(
    shared_hub: HubProcess, topic: str
) -> None:
    async with open_socket(shared_hub.http) as stream:
        await stream.welcomed()
        for _ in range(6):
            await stream.control("heartbeat", 30)
        await stream.subscribe(topic)


@pytest.mark.parametrize(
    ("given", "reason"),
    [
        ("", "TOKEN_MISSING"),
        ("garbage", "TOKEN_MALFORMED"),
        (make_token().rpartition(".")[0] + ".AAAA", "TOKEN_SIGNATURE_INVALID"),
        (make_token(lifetime=-10), "TOKEN_EXPIRED"),
    ],
)
async def test_bad_tokens(locked_hub: HubProcess, given: str, reason: str) -> None:
    async with open_socket(locked_hub.http) as stream:
        await stream.send(hello=hello(token=given))
        assert await stream.closed() == (4016, reason, [reason])


async def test_a_token_in_a_header_is_notoken(locked_hub: HubProcess) -> None:
    headers = {"authorization": f"Bearer {make_token()}"}
    async with open_socket(locked_hub.http, additional_headers=headers) as stream:
        await stream.send(hello=hello())
        assert (await stream.closed())[1] == "TOKEN_MISSING"


async def test_the_end_of_a_token_ends_it(locked_hub: HubProcess, topic: str) -> None:
    """G10."""
    async with open_socket(locked_hub.http) as stream:
        await stream.welcomed(token=make_token(lifetime=3))
        await stream.subscribe(topic)
        go_away = await stream.control("go_away", 30)
        assert go_away.action == frame_pb2.GO_AWAY_ACTION_REAUTHENTICATE
        assert await stream.closed() == (4016, "SESSION_EXPIRED", ["SESSION_EXPIRED"])


async def test_a_new_token_in_place(locked_hub: HubProcess, topic: str) -> None:
    async with open_socket(locked_hub.http) as stream:
        await stream.welcomed(token=make_token(lifetime=5))
        await stream.subscribe(topic)
        await stream.control("session_expiring", 30)
        await stream.send(request_id=5, refresh_token=frame_pb2.RefreshToken(token=make_token()))
        assert (await stream.control("token_accepted")).request_id == 5
        await stream.publish(draft(topic, 1))


async def test_a_drain_tells_and_ends_with_a_code(start_hub: Callable[..., HubProcess]) -> None:
    env = {"RTHUB_DRAIN_SPREAD": "0.5", "RTHUB_DRAIN_GRACE": "1"}
    hub = await asyncio.to_thread(start_hub, env=env)
    async with (
        open_socket(hub.http) as stays,
        open_socket(hub.http) as leaves,
        open_socket(hub.http) as nameless,
    ):
        await stays.welcomed()
        await leaves.welcomed()
        os.kill(hub.pid, signal.SIGTERM)
        go_away = await leaves.control("go_away")
        assert go_away.action == frame_pb2.GO_AWAY_ACTION_RESUME
        await leaves.leave()
        assert await stays.closed(30) == (4014, "DRAINING", ["DRAINING"])
        assert await nameless.closed(30) == (4014, "DRAINING", ["DRAINING"])
        assert await asyncio.to_thread(hub.terminate) == 0


async def test_a_full_hub_says_so_on_the_socket(start_hub: Callable[..., HubProcess]) -> None:
    hub = await asyncio.to_thread(start_hub, env={"RTHUB_MAX_SESSIONS": "1"})
    async with open_socket(hub.http) as first:
        await first.welcomed()
        async with open_socket(hub.http) as second:
            assert await second.closed() == (4008, "CONNECTION_LIMIT", ["CONNECTION_LIMIT"])


async def test_a_slow_reader_is_held_by_its_window(shared_hub: HubProcess, topic: str) -> None:
    """G7, G8: what is in flight is bounded, and reports open the window again."""
    async with RawClient(shared_hub.grpc) as client, open_socket(shared_hub.http) as stream:
        await stream.welcomed(window_bytes=WINDOW)
        await stream.subscribe(topic)
        await client.publish(*(bulk(topic, number) for number in range(40)))
        taken = events = 0
        while events < 40:
            frame = await stream.until(lambda frame: frame.runs)
            taken += frame.ByteSize()
            events += sum(len(run.events) for run in frame.runs)
            await stream.send(window=frame_pb2.Window(handled_bytes=taken))
        assert events == 40


@pytest.mark.parametrize("origin", ["https://evil.example", "null"])
async def test_foreign_pages_cannot_connect(locked_hub: HubProcess, origin: str) -> None:
    with pytest.raises(InvalidStatus) as refused:
        async with open_socket(locked_hub.http, origin=origin):
            pass
    assert refused.value.response.status_code == 403


async def test_pages_of_the_hub_itself_can(locked_hub: HubProcess) -> None:
    async with open_socket(locked_hub.http, origin=locked_hub.http) as stream:
        await stream.welcomed(token=make_token())


async def test_a_development_hub_answers_to_known_hosts_only(hub: HubProcess) -> None:
    """No name that its owner points at this machine reaches it (DNS rebinding)."""
    own = {"name": "rebound.example", "origin": "http://rebound.example"}
    with pytest.raises(InvalidStatus) as refused:
        async with open_socket(hub.http, **own):
            pass
    assert refused.value.response.status_code == 421


async def test_a_close_with_1000_leaves_at_once(shared_hub: HubProcess, topic: str) -> None:
    """G12: a proper close is a clean leave."""
    async with open_socket(shared_hub.http) as watcher, open_socket(shared_hub.http) as member:
        await watcher.welcomed()
        await watcher.subscribe(topic, presence=True)
        await watcher.control("presence")
        await member.welcomed(client_id="member")
        present = frame_pb2.SetPresence(topic=topic, state=frame_pb2.PRESENCE_STATE_ONLINE)
        await member.send(presence=present)
        joined = await watcher.control("presence")
        assert [member.client_id for member in joined.members] == ["member"]
        await member.leave()
        left = await watcher.control("presence")
        assert left.members[0].state == frame_pb2.PRESENCE_STATE_OFFLINE
