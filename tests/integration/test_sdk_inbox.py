"""A person's inbox on two devices: offline for a while, read here, gone there."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import grpc
import pytest

from hub.auth.tokens import mint
from shipspeak.realtime.v1 import frame_pb2, notification_pb2
from shipspeak_realtime import PermissionDeniedError, RealtimeClient, RealtimeError
from tests.support.raw_client import RawClient
from tests.support.tokens import SECRET

if TYPE_CHECKING:
    from tests.support.hub_process import HubProcess

READ = notification_pb2.RECEIPT_STATE_READ
DISMISSED = notification_pb2.RECEIPT_STATE_DISMISSED
WITHDRAWN = notification_pb2.RECEIPT_STATE_WITHDRAWN


def _token(subject: str, *publish: str) -> str:
    return mint(
        SECRET,
        subject=subject,
        issuer="shipspeak",
        audience="shipspeak-realtime",
        lifetime=60,
        publish=list(publish),
        subscribe=["user/{sub}"],
        presence=[],
        work=[],
        admin=False,
    )


def _client(hub: HubProcess, subject: str, device: str = "", *publish: str) -> RealtimeClient:
    return RealtimeClient(hub.grpc, token=_token(subject, *publish), device_id=device)


def _news(title: str) -> notification_pb2.Notification:
    return notification_pb2.Notification(title=title)


async def test_what_one_device_reads_the_other_sees_read(locked_hub: HubProcess) -> None:
    """E4, C1: dismissed everywhere at once, kept for a device that was away."""
    async with (
        _client(locked_hub, "news", "", "user/*") as service,
        _client(locked_hub, "ann", "phone") as phone,
        _client(locked_hub, "ann", "laptop") as laptop,
        asyncio.timeout(20),
    ):
        for title in ("one", "two", "three"):
            await service.publish("user/ann", _news(title), id=title)
        inbox = aiter(phone.subscribe("user/ann", start="earliest"))
        one, two, three = [await anext(inbox) for _ in range(3)]
        await phone.mark_read(one, two)
        await phone.dismiss(one)
        await phone.dismiss(one)
        await phone.mark_read(one)
        await service.withdraw(three)
        # The other device comes back from days offline.
        other = aiter(laptop.subscribe("user/ann", start="earliest"))
        seen = [await anext(other) for _ in range(6)]
        assert [event.content.notification.title for event in seen[:2]] == ["one", "two"]
        receipts = [event.receipt for event in seen[2:]]
        assert [(r.event_id, r.state, r.device_id) for r in receipts if r is not None] == [
            ("one", READ, "phone"),
            ("two", READ, "phone"),
            ("one", DISMISSED, "phone"),
            ("three", WITHDRAWN, ""),
        ]
        assert {event.publisher for event in seen[2:5]} == {"ann"}
        assert seen[5].publisher == "news"
        assert laptop.stats().withdrawn == 1, "the third notification itself"
        # And the device that had it all along hears the same.
        assert [(await anext(inbox)).receipt for _ in range(4)] == receipts


async def test_a_stream_says_its_device_by_itself(locked_hub: HubProcess) -> None:
    async with (
        _client(locked_hub, "news", "", "user/*") as service,
        RawClient(locked_hub.grpc, _token("tim")) as tim,
    ):
        await service.publish("user/tim", _news("x"), id="x")
        stream, _ = await tim.session(device_id="watch")
        request = frame_pb2.AcknowledgeRequest(device_id="another")
        for verb in (frame_pb2.VERB_READ, frame_pb2.VERB_ACK):
            ack = request.acks.add(verb=verb)
            ack.event.topic, ack.event.event_id = "user/tim", "x"
        await stream.send(request_id=7, acknowledge=request)
        answer = await stream.control("acknowledged")
        assert answer.request_id == 7
        assert not answer.results[0].HasField("error")
        assert answer.results[1].error.code == grpc.StatusCode.INVALID_ARGUMENT.value[0]
        start = frame_pb2.Subscribe(topic="user/tim", at=frame_pb2.START_EARLIEST)
        runs = [run for frame in (await tim.poll(start)).frames for run in frame.runs]
        receipts = [event.content.receipt for run in runs for event in run.events][1:]
        assert [receipt.device_id for receipt in receipts] == ["watch"]


async def test_nobody_speaks_for_another(locked_hub: HubProcess) -> None:
    async with (
        _client(locked_hub, "news", "", "user/*", "meeting/*") as service,
        _client(locked_hub, "spy", "", "user/*") as spy,
        _client(locked_hub, "zoe") as zoe,
    ):
        receipt = await service.publish("user/zoe", _news("x"), id="x")
        for refused in (spy.mark_read(receipt), spy.dismiss(receipt), zoe.withdraw(receipt)):
            with pytest.raises(PermissionDeniedError):
                await refused
        with pytest.raises(RealtimeError) as unknown:
            await spy.withdraw(receipt)
        assert unknown.value.reason == "EVENT_UNKNOWN", "it is not its own"
        await zoe.mark_read(receipt)
        page = await zoe.read_history("user/zoe")
        assert [event.kind for event in page.events] == ["notification", "receipt"]


async def test_publishers_with_the_same_id_do_not_meet(locked_hub: HubProcess) -> None:
    """Ids are unique per publisher: what one takes back, is marked or deleted is no other's."""
    async with (
        _client(locked_hub, "first", "", "user/*") as first,
        _client(locked_hub, "second", "", "user/*") as second,
        _client(locked_hub, "eve") as eve,
        asyncio.timeout(20),
    ):
        kept = await second.publish("user/eve", _news("kept"), id="n1")
        own = await first.publish("user/eve", _news("back"), id="n1")
        await first.withdraw(own)
        with pytest.raises(RealtimeError) as others:
            await first.withdraw(kept)
        assert others.value.reason == "EVENT_UNKNOWN"
        inbox = aiter(eve.subscribe("user/eve", start="earliest"))
        shown = await anext(inbox)
        assert (shown.publisher, shown.offset) == ("second", kept.offset)
        told = (await anext(inbox)).receipt
        assert told is not None
        assert (told.event_id, told.offset, told.state) == ("n1", own.offset, WITHDRAWN)
        await eve.mark_read(shown)
        read = (await anext(inbox)).receipt
        assert read is not None
        assert (read.offset, read.state) == (kept.offset, READ)
        await second.withdraw(kept)
        last = (await anext(inbox)).receipt
        assert last is not None
        assert (last.offset, last.state) == (kept.offset, WITHDRAWN)
