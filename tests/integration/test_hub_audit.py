"""I1: who did what with the admin service stands in a book that nobody changes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import grpc
import pytest
from google.rpc import code_pb2

from shipspeak.realtime.v1 import admin_service_pb2, frame_pb2, realtime_service_pb2
from shipspeak.realtime.v1 import error_reason_pb2 as reasons
from shipspeak_realtime import AdminClient
from tests.support.hub_process import HubProcess
from tests.support.raw_client import RawClient, draft, refusal
from tests.support.tokens import SECRET, make_token

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

BOOK = "control/audit"
MISSING = (grpc.StatusCode.PERMISSION_DENIED, "RIGHT_MISSING")


def _hub(folder: Path) -> HubProcess:
    return HubProcess(folder, env={"RTHUB_AUTH_HS256_SECRET": SECRET}, dev=False)


def _root() -> str:
    return make_token("root", admin=True, subscribe=["control/**"], publish=["control/**"])


def _reader() -> str:
    """Whoever may read everything, but is no administrator."""
    return make_token("reader", subscribe=["**"], publish=["**"], work=["**"])


async def _book(hub: HubProcess) -> Sequence[admin_service_pb2.AuditEntry]:
    async with AdminClient(hub.grpc, token=_root()) as admin:
        return await admin.audit(1000)


async def _refused(client: RawClient, name: str, request: object) -> tuple[grpc.StatusCode, str]:
    with pytest.raises(grpc.aio.AioRpcError) as refused:
        await client.admin(name, request)
    return refusal(refused.value)


async def test_every_admin_call_is_written_down_whatever_became_of_it(tmp_path: Path) -> None:
    """I1: done, failed, refused for want of the right or of a token; a kill takes nothing away."""
    with _hub(tmp_path) as hub:
        async with RawClient(hub.grpc, _root()) as root:
            await root.admin("ListShards", admin_service_pb2.ListShardsRequest())
            await root.admin("Revoke", admin_service_pb2.RevokeRequest(user="alice"))
            gone = admin_service_pb2.DisconnectRequest(session_id="nowhere")
            assert (await _refused(root, "Disconnect", gone))[1] == "SESSION_UNKNOWN"
            strange = admin_service_pb2.PurgeTopicRequest(topic="meeting/1\n[red]")
            await _refused(root, "PurgeTopic", strange)
        async with RawClient(hub.grpc, _reader()) as reader:
            erase = admin_service_pb2.EraseUserRequest(user="bob")
            assert await _refused(reader, "EraseUser", erase) == MISSING
        async with RawClient(hub.grpc) as nobody:
            assert (await _refused(nobody, "EraseUser", erase))[1] == "TOKEN_MISSING"
        hub.kill()
        hub.start()
        entries = await _book(hub)
    told = [(entry.who, entry.action, entry.target, entry.code, entry.reason) for entry in entries]
    assert told == [
        ("root", "ListShards", "all", code_pb2.OK, 0),
        ("root", "Revoke", "user=alice", code_pb2.OK, 0),
        (
            *("root", "Disconnect", "session_id=nowhere"),
            *(code_pb2.NOT_FOUND, reasons.ERROR_REASON_SESSION_UNKNOWN),
        ),
        (
            *("root", "PurgeTopic", "topic=meeting/1?[red]"),
            *(code_pb2.INVALID_ARGUMENT, reasons.ERROR_REASON_TOPIC_INVALID),
        ),
        (
            *("reader", "EraseUser", ""),
            *(code_pb2.PERMISSION_DENIED, reasons.ERROR_REASON_RIGHT_MISSING),
        ),
        (
            *("", "EraseUser", ""),
            *(code_pb2.UNAUTHENTICATED, reasons.ERROR_REASON_TOKEN_MISSING),
        ),
    ]
    assert all(entry.peer.startswith("ipv4:127.0.0.1") for entry in entries)
    assert len({entry.instance for entry in entries}) == 1
    times = [entry.at.ToMilliseconds() for entry in entries]
    assert times == sorted(times)
    assert times[0] > 0


async def test_only_administrators_read_it_and_nobody_writes_or_removes(tmp_path: Path) -> None:
    """I1: also whoever may read, publish and work on everything."""
    with _hub(tmp_path) as hub:
        async with RawClient(hub.grpc, _root()) as root, RawClient(hub.grpc, _reader()) as reader:
            await root.admin("Revoke", admin_service_pb2.RevokeRequest(user="alice"))
            for topic in (BOOK, "control/revocations"):
                history = realtime_service_pb2.ReadHistoryRequest(topic=topic)
                assert await reader.refused("ReadHistory", history) == MISSING
                stream, _ = await reader.session()
                await stream.send(request_id=1, subscribe=frame_pb2.Subscribe(topic=topic))
                assert (await stream.control("error")).reason == reasons.ERROR_REASON_RIGHT_MISSING
                answer = await reader.poll(frame_pb2.Subscribe(topic=topic))
                assert answer.frames[0].error.reason == reasons.ERROR_REASON_RIGHT_MISSING
                for client in (reader, root):
                    (result,) = await client.publish(draft(topic, 1))
                    assert result.error.reason == reasons.ERROR_REASON_RIGHT_MISSING
                purge = admin_service_pb2.PurgeTopicRequest(topic=topic)
                assert await _refused(root, "PurgeTopic", purge) == MISSING
            await root.admin("EraseUser", admin_service_pb2.EraseUserRequest(user="root"))
            stream, _ = await root.session()
            await stream.subscribe(BOOK, at=frame_pb2.START_EARLIEST)
            event = (await stream.events(4))[0]
            entry = admin_service_pb2.AuditEntry()
            assert event.content.other.Unpack(entry)
            assert entry.action == "Revoke"


async def test_a_flood_of_refused_calls_does_not_push_out_what_was_done(tmp_path: Path) -> None:
    with _hub(tmp_path) as hub:
        async with RawClient(hub.grpc, _root()) as root, RawClient(hub.grpc, _reader()) as reader:
            await root.admin("Revoke", admin_service_pb2.RevokeRequest(user="alice"))
            for _ in range(200):
                await _refused(reader, "ListShards", admin_service_pb2.ListShardsRequest())
            await root.admin("ListShards", admin_service_pb2.ListShardsRequest())
        entries = await _book(hub)
    assert entries[0].action == "Revoke"
    written = [entry for entry in entries if entry.who == "reader"]
    left_out = sum(entry.refusals_left_out for entry in entries)
    assert 20 <= len(written) < 200
    assert len(written) + left_out == 200
