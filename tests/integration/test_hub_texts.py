"""I2: texts that would be shown as another are refused, whoever sends them."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING

from shipspeak.realtime.v1 import error_reason_pb2 as reasons
from shipspeak.realtime.v1 import frame_pb2
from tests.support.raw_client import RawClient, draft

if TYPE_CHECKING:
    from tests.support.hub_process import HubProcess

OVERRIDE = "invoice\u202efdp.exe"


async def test_a_draft_is_refused_with_its_field_and_the_others_are_stored(
    shared_hub: HubProcess,
) -> None:
    topic = f"meeting/{secrets.token_hex(4)}"
    unsafe = draft(topic, 1)
    unsafe.content.attributes["note"] = OVERRIDE
    async with RawClient(shared_hub.grpc) as client:
        refused, stored = await client.publish(unsafe, draft(f"{topic}/more", 2))
    assert refused.error.reason == reasons.ERROR_REASON_TEXT_UNSAFE
    assert refused.error.metadata["field"] == "content.attributes['note']"
    assert stored.outcome == frame_pb2.OUTCOME_STORED


async def test_a_person_s_facts_are_refused_and_the_session_goes_on(
    shared_hub: HubProcess,
) -> None:
    presence = frame_pb2.SetPresence(
        topic="meeting/1",
        state=frame_pb2.PRESENCE_STATE_ONLINE,
        metadata={"name": OVERRIDE},
    )
    async with RawClient(shared_hub.grpc) as client:
        stream, _ = await client.session()
        await stream.send(request_id=7, presence=presence)
        error = await stream.control("error")
        assert (error.request_id, error.reason) == (7, reasons.ERROR_REASON_TEXT_UNSAFE)
        await stream.subscribe("meeting/1")
