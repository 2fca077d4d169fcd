"""The lean push path on the wire."""

from __future__ import annotations

import asyncio
import base64

import pytest
from google.rpc import error_details_pb2, status_pb2

from tests.wire.board import LISTEN, Board, draining
from tests.wire.raw import PATIENCE, TEXT, Answer, Raw, ask, frame, post
from tests.wire.servers import ORIGIN, Server, running_bridge

EVENT_BYTES = 1024


async def listen(server: Server, request: bytes = b"", *headers: tuple[str, str]) -> Raw:
    client = await Raw.connect(server.port)
    await client.send(post(LISTEN, frame(request), *headers))
    return client


def details(answer: Answer) -> status_pb2.Status:
    encoded = answer.trailers()["grpc-status-details-bin"]
    raw = base64.b64decode(encoded + "=" * (-len(encoded) % 4))
    return status_pb2.Status.FromString(raw)


async def test_stream_opens_at_once_and_carries_frames_in_order() -> None:
    board = Board()
    async with running_bridge(push={LISTEN: board}) as server:
        client = await listen(server, b"", ("origin", ORIGIN), ("authorization", "Bearer t"))
        answer = await client.read_head()
        assert answer.status == 200
        assert answer.header("content-type") == "application/grpc-web+proto"
        assert answer.header("access-control-allow-origin") == ORIGIN
        assert answer.header("x-accel-buffering") == "no"
        await board.until(lambda: len(board.members) == 1)
        for number in range(100):
            board.publish(b"%d" % number)
        assert await client.read_frames(100) == [b"%d" % number for number in range(100)]
        board.end(None)
        await client.read_part()
        await client.read_part()
        assert client.answer.trailers() == {"grpc-status": "0"}
        await asyncio.wait_for(board.members[0].detached.wait(), PATIENCE)
        assert board.callers[0].metadata == {"authorization": "Bearer t"}
        assert board.callers[0].transport == "grpc-web"
        assert board.callers[0].peer.startswith("ipv4:127.0.0.1:")
        client.close()


async def test_frame_sent_while_opening_comes_first() -> None:
    board = Board()
    async with running_bridge(push={LISTEN: board}) as server:
        client = await listen(server, b"early")
        await client.read_head()
        assert await client.read_frames(1) == [b"welcome"]
        client.close()


async def test_slow_opening_shows_its_headers() -> None:
    board = Board()
    async with running_bridge(push={LISTEN: board}) as server:
        client = await listen(server, b"slow")
        assert (await client.read_head()).status == 200
        assert board.members == []
        board.gate.set()
        await board.until(lambda: len(board.members) == 1)
        board.publish(b"x")
        assert await client.read_frames(1) == [b"x"]
        client.close()


async def test_text_mode_is_base64_per_frame() -> None:
    board = Board()
    async with running_bridge(push={LISTEN: board}) as server:
        client = await Raw.connect(server.port)
        body = base64.b64encode(frame(b""))
        await client.send(post(LISTEN, body, content_type=TEXT))
        answer = await client.read_head()
        assert answer.header("content-type") == "application/grpc-web-text+proto"
        await board.until(lambda: len(board.members) == 1)
        board.publish(b"first")
        board.publish(b"second!")
        board.end(draining())
        while not answer.complete:
            await client.read_part()
        assert answer.messages(text=True) == [b"first", b"second!"]
        assert answer.status_message(text=True) == ("14", "the hub is draining")
        client.close()


async def test_refusal_carries_the_reason() -> None:
    board = Board()
    async with running_bridge(push={LISTEN: board}) as server:
        answer = await ask(server.port, post(LISTEN, frame(b"refuse")))
    assert answer.status_message() == ("7", "no")
    assert answer.header("grpc-status") == "7"
    status = details(answer)
    info = error_details_pb2.ErrorInfo()
    assert status.details[0].Unpack(info)
    assert info.reason == "RIGHT_MISSING"
    assert info.metadata["topic"] == "user/x"


async def test_failure_to_open_is_internal_and_says_nothing() -> None:
    board = Board()
    async with running_bridge(push={LISTEN: board}) as server:
        answer = await ask(server.port, post(LISTEN, frame(b"break")))
    assert (answer.status_message()[0], answer.reason()) == ("13", "INTERNAL")
    assert b"secret" not in answer.body


async def test_malformed_request_opens_nothing() -> None:
    board = Board()
    async with running_bridge(push={LISTEN: board}) as server:
        answer = await ask(server.port, post(LISTEN, b""))
        assert answer.status_message()[0] == "3"
        answer = await ask(
            server.port, post(LISTEN, frame(b""), ("origin", "https://evil.example"))
        )
        assert answer.status == 403
    assert board.members == []


async def test_leaving_detaches_at_once() -> None:
    board = Board()
    async with running_bridge(push={LISTEN: board}) as server:
        clients = [await listen(server) for _ in range(50)]
        for client in clients:
            await client.read_head()
        await board.until(lambda: len(board.members) == 50)
        for index, client in enumerate(clients):
            (client.abort if index % 2 else client.close)()
        async with asyncio.timeout(PATIENCE):
            for member in board.members:
                await member.detached.wait()
        assert server.app is not None
        assert server.app.open_streams == 0


async def test_deadline_ends_the_stream() -> None:
    board = Board()
    async with running_bridge(push={LISTEN: board}) as server:
        client = await listen(server, b"", ("grpc-timeout", "500m"))
        answer = await client.read_answer()
        assert answer.status_message() == ("4", "deadline exceeded")
        await asyncio.wait_for(board.members[0].detached.wait(), PATIENCE)
        client.close()


async def test_end_carries_the_error() -> None:
    board = Board()
    async with running_bridge(push={LISTEN: board}) as server:
        client = await listen(server)
        await client.read_head()
        await board.until(lambda: len(board.members) == 1)
        board.end(draining())
        board.end(None)
        while not client.answer.complete:
            await client.read_part()
        assert client.answer.status_message() == ("14", "the hub is draining")
        retry = error_details_pb2.RetryInfo()
        assert details(client.answer).details[1].Unpack(retry)
        assert retry.retry_delay.ToTimedelta().total_seconds() == 1.5
        client.close()


async def test_connection_is_reused_after_a_stream_ended() -> None:
    board = Board()
    async with running_bridge(push={LISTEN: board}) as server:
        client = await listen(server)
        await client.read_head()
        await board.until(lambda: len(board.members) == 1)
        board.end(None)
        while not client.answer.complete:
            await client.read_part()
        await client.send(post("/echo.Echo/unary", frame(b"again")))
        assert (await client.read_answer()).messages() == [b"again"]
        client.close()


def buffered(server: Server) -> list[int]:
    uvicorn_server = server.http._server
    assert uvicorn_server is not None
    return [
        connection.transport.get_write_buffer_size()
        for connection in uvicorn_server.server_state.connections
    ]


async def read_stream(client: Raw, events: int) -> bytes:
    """The bytes of so many fixed-size events, whatever frames they came in."""
    received = bytearray()
    await client.read_head()
    while len(received) < events * EVENT_BYTES:
        assert await client.read_part()
        received += b"".join(client.answer.messages())
        client.answer.body = b""
    return bytes(received)


@pytest.mark.timeout(60)
async def test_stalled_reader_delays_nobody_and_loses_nothing() -> None:
    board = Board()
    events = 8000
    log = [(b"%07d" % number).ljust(EVENT_BYTES, b".") for number in range(events)]
    async with running_bridge(push={LISTEN: board}) as server:
        stalled = await Raw.connect(server.port, receive_buffer=16 * 1024)
        await stalled.send(post(LISTEN, frame(b"")))
        await board.until(lambda: len(board.members) == 1)
        clients = [await listen(server) for _ in range(200)]
        await board.until(lambda: len(board.members) == 201)
        # The whole log goes to one reader that does not read: it stays where it is.
        slow = board.members[0]
        board.log.extend(log)
        step = 64
        for end in range(step, events + step, step):
            if not slow.sink.writable:
                break
            waiting = board.log[slow.position : end]
            slow.position += len(waiting)
            slow.sink.send(b"".join(waiting))
        assert not slow.sink.writable
        held = slow.position
        assert held < events
        assert max(buffered(server)) <= 64 * 1024 + step * EVENT_BYTES + 64
        # The others read all of it meanwhile.
        readers = [asyncio.create_task(read_stream(client, 64)) for client in clients]
        for member in board.members[1:]:
            member.position = events - 64
            member.flush()
        expected = b"".join(log[-64:])
        assert all(received == expected for received in await asyncio.gather(*readers))
        assert slow.position == held
        assert not slow.sink.writable
        # It reads again, and gets the rest in order.
        received = await read_stream(stalled, events)
        assert received == b"".join(log)
        assert slow.position == events
        for client in (stalled, *clients):
            client.close()
