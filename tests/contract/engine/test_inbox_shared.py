"""What one user says about an event that is for many lies in the user's own topic."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from hub.engine.contract import Stored
from hub.engine.inbox import Noted
from hub.errors import HubError
from hub.model.receipts import DISMISSED, READ
from tests.contract.engine.harness import offsets, purge, read_all
from tests.contract.engine.inbox_bench import TOPIC, Bench, opened

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

ALL = "system/all"


@pytest.fixture
async def bench(tmp_path: Path) -> AsyncIterator[Bench]:
    async with opened(tmp_path) as made:
        yield made


async def test_it_names_the_other_topic(bench: Bench) -> None:
    """C1: dismissed everywhere at once, what was sent to all too; nobody else is told."""
    await bench.publish("news", "more", topic=ALL)
    assert bench.engine.shard_of(ALL) != bench.engine.shard_of(TOPIC), "over two shard files"
    assert offsets(await bench.say(("more", DISMISSED), topic=ALL, said_in=TOPIC)) == [1]
    (told,) = await bench.receipts()
    assert (told.topic, told.event_id, told.offset, told.state, told.device_id) == (
        ALL,
        "more",
        2,
        DISMISSED,
        "phone",
    )
    assert [(e.event_id, e.withdrawn) for e in await read_all(bench.engine, ALL)] == [
        ("news", False),
        ("more", False),
    ]


async def test_in_one_shard_as_well(bench: Bench) -> None:
    group = next(
        name
        for name in (f"group/g{number}" for number in range(1000))
        if bench.engine.shard_of(name) == bench.engine.shard_of(TOPIC)
    )
    await bench.publish("news", topic=group)
    assert offsets(await bench.say(("news", READ), topic=group, said_in=TOPIC)) == [1]


async def test_a_state_moves_forward_only_and_is_stored_once(bench: Bench) -> None:
    await bench.publish("news", topic=ALL)
    answers = [
        await bench.say(("news", state), topic=ALL, said_in=TOPIC, device=device)
        for state, device in (
            (READ, "phone"),
            (READ, "laptop"),
            (DISMISSED, "laptop"),
            (READ, "phone"),
            (DISMISSED, "laptop"),
        )
    ]
    results = [result for (result,) in answers if isinstance(result, Noted)]
    assert [(r.offset, r.duplicate, r.first) for r in results] == [
        (1, False, True),
        (1, True, False),
        (2, False, True),
        (1, True, True),
        (2, True, True),
    ]


async def test_an_event_of_the_same_id_in_ones_own_topic_is_another(bench: Bench) -> None:
    await bench.publish("n", topic=ALL)
    await bench.publish("n")
    await bench.say(("n", READ), topic=ALL, said_in=TOPIC)
    (own,) = await bench.say(("n", READ))
    assert isinstance(own, Stored)
    assert not own.duplicate
    assert [(r.topic, r.offset) for r in await bench.receipts()] == [(ALL, 1), ("", 1)]


async def test_what_is_there_until_acknowledged_stays_for_the_others(bench: Bench) -> None:
    await bench.publish("n", topic=ALL, until_acknowledged=True)
    await bench.say(("n", DISMISSED), topic=ALL, said_in=TOPIC)
    assert [e.withdrawn for e in await read_all(bench.engine, ALL)] == [False]
    assert [r.state for r in await bench.receipts()] == [DISMISSED]


async def test_what_is_not_there_is_unknown(bench: Bench) -> None:
    await bench.publish("n", topic=ALL)
    for event_id, offset in (("m", 0), ("n", 2)):
        (refused,) = await bench.say((event_id, READ), topic=ALL, said_in=TOPIC, offset=offset)
        assert isinstance(refused, HubError)
        assert refused.reason_name == "EVENT_UNKNOWN"


async def test_one_call_may_speak_of_both(bench: Bench) -> None:
    await bench.publish("a")
    await bench.publish("a", topic=ALL)
    own, other = (
        await bench.say(("a", READ)),
        await bench.say(("a", READ), ("a", DISMISSED), topic=ALL, said_in=TOPIC),
    )
    assert offsets(own + other) == [2, 3, 4]


async def test_a_purge_of_the_users_topic_forgets_it(bench: Bench) -> None:
    """C1: an erased user has said nothing."""
    await bench.publish("a", topic=ALL)
    await bench.say(("a", READ), topic=ALL, said_in=TOPIC)
    await purge(bench.engine, TOPIC)
    assert await bench.receipts() == []
    (again,) = await bench.say(("a", READ), topic=ALL, said_in=TOPIC)
    assert isinstance(again, Stored)


async def test_their_number_is_bounded(bench: Bench) -> None:
    """Receipts about a user's own events are bounded by the events; these are by a limit."""
    bench.max_elsewhere = 4
    await bench.publish("a", "b", "c", topic=ALL)
    await bench.say(("a", READ), ("a", DISMISSED), ("b", READ), topic=ALL, said_in=TOPIC)
    kept, full = await bench.say(("b", DISMISSED), ("c", READ), topic=ALL, said_in=TOPIC)
    (later,) = await bench.say(("c", READ), topic=ALL, said_in=TOPIC)
    assert isinstance(kept, Stored)
    for refused in (full, later):
        assert isinstance(refused, HubError)
        assert refused.reason_name == "RECEIPT_LIMIT"
    (known,) = await bench.say(("a", DISMISSED), topic=ALL, said_in=TOPIC)
    assert isinstance(known, Stored), "what was said is still known"
    await bench.publish("own")
    (own,) = await bench.say(("own", READ))
    assert isinstance(own, Stored), "one's own always have room"


async def test_what_was_said_and_is_gone_is_stored_again(bench: Bench) -> None:
    """E4: the memory of ids outlives the log; a device that comes later must still be told."""
    await bench.publish("news", topic=ALL)
    assert offsets(await bench.say(("news", READ), topic=ALL, said_in=TOPIC)) == [1]
    await purge(bench.engine, TOPIC)
    assert await bench.receipts() == []
    (again,) = await bench.say(("news", READ), topic=ALL, said_in=TOPIC)
    assert isinstance(again, Noted)
    assert (again.offset, again.duplicate, again.first) == (2, False, True)
    assert [receipt.event_id for receipt in await bench.receipts()] == ["news"]
    (known,) = await bench.say(("news", READ), topic=ALL, said_in=TOPIC)
    assert isinstance(known, Noted)
    assert (known.offset, known.duplicate) == (2, True)


async def test_what_is_said_again_twice_in_one_call_is_stored_once(bench: Bench) -> None:
    await bench.publish("news", topic=ALL)
    await bench.say(("news", READ), topic=ALL, said_in=TOPIC)
    await purge(bench.engine, TOPIC)
    results = await bench.say(("news", READ), ("news", READ), topic=ALL, said_in=TOPIC)
    assert offsets(results) == [2, 2]
    assert len(await bench.receipts()) == 1
