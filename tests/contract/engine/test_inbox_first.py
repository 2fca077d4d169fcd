"""Events that are there until they are acknowledged: one device is first."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from hub.engine.inbox import Noted
from hub.model.receipts import DISMISSED, READ, WITHDRAWN
from tests.contract.engine.harness import RecordingFeed, read_all
from tests.contract.engine.inbox_bench import TOPIC, Bench, opened

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from hub.engine.inbox import MarkResult


@pytest.fixture
async def bench(tmp_path: Path) -> AsyncIterator[Bench]:
    async with opened(tmp_path) as made:
        yield made


def _noted(result: MarkResult) -> Noted:
    assert isinstance(result, Noted), result
    return result


async def test_the_first_acknowledgement_withdraws_it(bench: Bench) -> None:
    """E4: content and receipt change in one commit, and a device that was away gets neither."""
    feed = RecordingFeed()
    await bench.engine.open(TOPIC, feed)
    await bench.publish("stays")
    await bench.publish("goes", until_acknowledged=True)
    (first,) = await bench.say(("goes", READ), device="phone")
    assert _noted(first) == Noted(_noted(first).epoch, 3, first=True)
    assert feed.withdrawn == [2]
    assert [(e.event_id, e.withdrawn) for e in await read_all(bench.engine, TOPIC)][:2] == [
        ("stays", False),
        ("goes", True),
    ]
    (told,) = await bench.receipts()
    assert (told.event_id, told.offset, told.state, told.device_id) == (
        "goes",
        2,
        WITHDRAWN,
        "phone",
    )


async def test_what_is_not_marked_so_stays(bench: Bench) -> None:
    await bench.publish("stays")
    await bench.say(("stays", READ))
    assert [e.withdrawn for e in await read_all(bench.engine, TOPIC)] == [False, False]
    assert [receipt.state for receipt in await bench.receipts()] == [READ]


async def test_one_device_alone_is_first(bench: Bench) -> None:
    """However many say it at once, and whatever they say: one receipt, one that was first."""
    await bench.publish("x", until_acknowledged=True)
    answers = await asyncio.gather(
        *(
            bench.say(("x", state), device=f"d{number}")
            for number in range(20)
            for state in (READ, DISMISSED)
        )
    )
    results = [_noted(result) for answer in answers for result in answer]
    (receipt,) = await bench.receipts()
    winner = int(receipt.device_id.removeprefix("d"))
    # Its second word counts as a repeat of its first.
    assert [index // 2 for index, result in enumerate(results) if result.first] == [winner] * 2
    assert sum(not result.duplicate for result in results) == 1
    assert {result.offset for result in results} == {2}


async def test_a_repeat_after_a_lost_answer_is_still_first(bench: Bench) -> None:
    await bench.publish("x", until_acknowledged=True)
    await bench.say(("x", DISMISSED), device="phone")
    (again,) = await bench.say(("x", DISMISSED), device="phone")
    (other,) = await bench.say(("x", DISMISSED), device="laptop")
    (back_end,) = await bench.say(
        ("x", WITHDRAWN), publisher="back-end", device="", event_publisher="back-end"
    )
    assert [(_noted(r).duplicate, _noted(r).first) for r in (again, other, back_end)] == [
        (True, True),
        (True, False),
        (True, False),
    ]


async def test_a_device_without_a_name_is_first_once(bench: Bench) -> None:
    await bench.publish("x", until_acknowledged=True)
    answers = [await bench.say(("x", READ), device="") for _ in range(2)]
    assert [_noted(result).first for (result,) in answers] == [True, False]


async def test_what_its_publisher_took_back_is_nobodys(bench: Bench) -> None:
    await bench.publish("x", until_acknowledged=True)
    await bench.say(("x", WITHDRAWN), publisher="back-end", event_publisher="back-end")
    (late,) = await bench.say(("x", READ))
    assert (_noted(late).duplicate, _noted(late).first) == (True, False)
