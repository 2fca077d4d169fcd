"""What the pages say is not there is refused, and what they say is there is there."""

from __future__ import annotations

import asyncio
import re
from typing import TYPE_CHECKING

import pytest

from hub.telemetry.metrics import Metrics
from shipspeak.realtime.v1 import error_reason_pb2, frame_pb2
from shipspeak_realtime import RealtimeClient
from tests.docs.pages import page
from tests.support.hub_process import HubProcess

if TYPE_CHECKING:
    from collections.abc import Iterator

TOPIC = "meeting/claims"
REFUSED = {
    "grant": frame_pb2.Subscribe(topic=TOPIC, grant="a.b.c"),
}


@pytest.fixture(scope="module")
def hub_process(tmp_path_factory: pytest.TempPathFactory) -> Iterator[HubProcess]:
    with HubProcess(tmp_path_factory.mktemp("hub")) as process:
        yield process


def not_yet() -> str:
    found = re.search(
        r"^Not yet: (.*?)^What is in", page("README.md").text, re.MULTILINE | re.DOTALL
    )
    return found[1] if found else ""


@pytest.mark.parametrize("feature", REFUSED)
async def test_a_start_that_is_not_there_yet_is_refused(hub_process: HubProcess, feature: str):
    async with asyncio.timeout(20), RealtimeClient(hub_process.grpc) as client:
        answer = await client.poll([REFUSED[feature]])
    [error] = [frame.error for frame in answer.message.frames]
    assert error.reason == error_reason_pb2.ERROR_REASON_FEATURE_UNAVAILABLE
    assert error.metadata["feature"] == feature
    assert feature in not_yet()


def test_every_metric_is_described_and_every_described_one_exists():
    families = {family.name for family in Metrics().registry.collect()}
    described = set(re.findall(r"`(rthub_\w+)", page("docs/operations.md").text))
    assert {name.removesuffix("_total") for name in described} == families
