"""One user, several devices: who is first, and what was sent to all."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from hub.auth.tokens import mint
from shipspeak.realtime.v1 import meeting_pb2, notification_pb2
from shipspeak_realtime import (
    Event,
    InvalidRequestError,
    PermissionDeniedError,
    RealtimeClient,
)
from tests.support.tokens import SECRET

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence

    from tests.support.hub_process import HubProcess

DISMISSED = notification_pb2.RECEIPT_STATE_DISMISSED
WITHDRAWN = notification_pb2.RECEIPT_STATE_WITHDRAWN
ALL = "system/all"


def _client(
    hub: HubProcess,
    subject: str,
    device: str = "",
    *,
    publish: Sequence[str] = (),
    subscribe: Sequence[str] = ("user/{sub}", ALL),
) -> RealtimeClient:
    token = mint(
        SECRET,
        subject=subject,
        issuer="shipspeak",
        audience="shipspeak-realtime",
        lifetime=60,
        publish=list(publish),
        subscribe=list(subscribe),
        presence=[],
        work=[],
        admin=False,
    )
    return RealtimeClient(hub.grpc, token=token, device_id=device)


def _service(hub: HubProcess) -> RealtimeClient:
    return _client(hub, "news", publish=("user/*", "system/*", "meeting/*"))


def _news(title: str) -> notification_pb2.Notification:
    return notification_pb2.Notification(title=title)


async def _next_receipt(events: AsyncIterator[Event]) -> notification_pb2.ReceiptUpdate:
    receipt = (await anext(events)).receipt
    assert receipt is not None
    return receipt


async def test_the_first_device_takes_it_from_the_others(locked_hub: HubProcess) -> None:
    """E4: one device alone is told that it was first, and who was away never sees the event."""
    async with (
        _service(locked_hub) as service,
        _client(locked_hub, "ann", "phone") as phone,
        _client(locked_hub, "ann", "laptop") as laptop,
        _client(locked_hub, "ann", "tablet") as tablet,
        asyncio.timeout(60),
    ):
        devices = {"phone": phone, "laptop": laptop}
        inboxes = {
            name: aiter(device.subscribe("user/ann", start="earliest"))
            for name, device in devices.items()
        }
        sent = await service.publish("user/ann", _news("call back"), until_acknowledged=True)
        for inbox in inboxes.values():
            assert (await anext(inbox)).content.until_acknowledged
        said = await asyncio.gather(phone.mark_read(sent), laptop.dismiss(sent))
        first = dict(zip(devices, (one for (one,) in said), strict=True))
        assert sorted(first.values()) == [False, True]
        (winner,) = (name for name, was_first in first.items() if was_first)
        for inbox in inboxes.values():
            told = await _next_receipt(inbox)
            assert (told.offset, told.state, told.device_id) == (sent.offset, WITHDRAWN, winner)
        # The tablet was away all the time.
        late = aiter(tablet.subscribe("user/ann", start="earliest"))
        told = await _next_receipt(late)
        assert (told.offset, told.state) == (sent.offset, WITHDRAWN)
        assert tablet.stats().withdrawn == 1
        assert list(await devices[winner].mark_read(sent)) == [True], (
            "a lost answer changes nothing"
        )


async def test_what_was_sent_to_all_is_dismissed_by_each_alone(locked_hub: HubProcess) -> None:
    """C1: on all devices of the user who put it away, and on nobody else's."""
    async with (
        _service(locked_hub) as service,
        _client(locked_hub, "bea", "phone") as phone,
        _client(locked_hub, "bea", "laptop") as laptop,
        _client(locked_hub, "ben", "phone") as other,
        asyncio.timeout(60),
    ):
        sent = await service.publish(ALL, _news("maintenance"))
        everyone = aiter(phone.subscribe(ALL, start="earliest"))
        shown = await anext(everyone)
        assert shown.id == sent.id
        assert list(await phone.dismiss(shown)) == [True]
        # The other device was away.
        told = await _next_receipt(aiter(laptop.subscribe("user/bea", start="earliest")))
        assert (told.topic, told.offset, told.state) == (ALL, sent.offset, DISMISSED)
        assert list(await laptop.dismiss(shown)) == [False]
        mine = await laptop.read_history("user/bea")
        assert len(mine.events) == 1, "it is stored once"
        assert not (await other.read_history("user/ben")).events
        assert [event.id for event in (await other.read_history(ALL)).events] == [sent.id]


async def test_only_who_may_read_both_may_say_so(locked_hub: HubProcess) -> None:
    async with (
        _service(locked_hub) as service,
        _client(locked_hub, "cat", subscribe=["user/{sub}"]) as deaf,
        _client(locked_hub, "cat", subscribe=[ALL]) as homeless,
        _client(locked_hub, "user/cat") as nobody,
        _client(locked_hub, "dot", subscribe=["**"]) as dot,
        asyncio.timeout(60),
    ):
        sent = await service.publish(ALL, _news("x"))
        for client in (deaf, homeless, nobody):
            with pytest.raises(PermissionDeniedError):
                await client.dismiss(sent)
        upload = await service.publish("meeting/1", meeting_pb2.UploadProgress())
        with pytest.raises(InvalidRequestError, match="notifications"):
            await dot.dismiss(upload)


async def test_only_a_users_topic_can_have_it(locked_hub: HubProcess) -> None:
    async with _service(locked_hub) as service, asyncio.timeout(60):
        for topic, payload in ((ALL, _news("x")), ("meeting/1", meeting_pb2.UploadProgress())):
            with pytest.raises(InvalidRequestError) as refused:
                await service.publish(topic, payload, until_acknowledged=True)
            assert refused.value.reason == "FIELD_INVALID"
