"""Reading: pages by count and bytes, from both ends."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.contract.engine.harness import TOPIC, Store, offsets

if TYPE_CHECKING:
    from hub.engine.contract import Engine, LogPage

PLENTY = 1 << 20


def ids(page: LogPage) -> list[str]:
    return [event.event_id for event in page.events]


async def test_pages_join_without_gap_or_repeat(engine: Engine, store: Store) -> None:
    stored = offsets(await engine.publish(store.drafts(*"abcdefg")))
    first = await engine.read(TOPIC, 0, max_events=3, max_bytes=PLENTY)
    second = await engine.read(TOPIC, first.through, max_events=3, max_bytes=PLENTY)
    third = await engine.read(TOPIC, second.through, max_events=3, max_bytes=PLENTY)
    assert [ids(first), ids(second), ids(third)] == [list("abc"), list("def"), list("g")]
    assert [first.more, second.more, third.more] == [True, True, False]
    assert (first.after, second.after, third.through) == (0, first.through, stored[-1])
    assert third.state.head == stored[-1]


async def test_a_page_ends_with_its_bytes(engine: Engine, store: Store) -> None:
    await engine.publish([store.draft(f"{n}", body=bytes(100)) for n in range(5)])
    page = await engine.read(TOPIC, 0, max_events=100, max_bytes=250)
    assert (ids(page), page.more) == (["0", "1"], True)


async def test_a_page_holds_one_event_however_large(engine: Engine, store: Store) -> None:
    await engine.publish([store.draft(f"{n}", body=bytes(1000)) for n in range(2)])
    page = await engine.read(TOPIC, 0, max_events=100, max_bytes=1)
    assert (ids(page), page.more) == (["0"], True)
    page = await engine.read_latest(TOPIC, before=0, max_events=100, max_bytes=1)
    assert (ids(page), page.more) == (["1"], True)


async def test_behind_the_head_there_is_nothing(engine: Engine, store: Store) -> None:
    (head,) = offsets(await engine.publish(store.drafts("a")))
    page = await engine.read(TOPIC, head, max_events=10, max_bytes=PLENTY)
    assert (page.events, page.through, page.more) == ([], head, False)


async def test_an_unknown_topic_is_empty_and_keeps_the_epoch_it_got(engine: Engine) -> None:
    page = await engine.read(TOPIC, 0, max_events=10, max_bytes=PLENTY)
    assert (page.events, page.through, page.more, page.state.head) == ([], 0, False, 0)
    assert page.state.epoch != 0
    assert await engine.head(TOPIC) == page.state


async def test_the_latest_come_in_rising_order(engine: Engine, store: Store) -> None:
    stored = offsets(await engine.publish(store.drafts(*"abcde")))
    page = await engine.read_latest(TOPIC, before=0, max_events=2, max_bytes=PLENTY)
    assert (ids(page), page.through, page.more) == (["d", "e"], stored[-1], True)
    assert stored[2] <= page.after < stored[3]
    older = await engine.read_latest(TOPIC, before=page.after, max_events=10, max_bytes=PLENTY)
    assert (ids(older), older.more) == (["a", "b", "c"], False)


async def test_the_latest_of_an_empty_topic(engine: Engine) -> None:
    page = await engine.read_latest(TOPIC, before=0, max_events=2, max_bytes=PLENTY)
    assert (page.events, page.after, page.through, page.more) == ([], 0, 0, False)


async def test_the_head_is_proved_at_once_after_the_answer(engine: Engine, store: Store) -> None:
    for n in range(20):
        (offset,) = offsets(await engine.publish(store.drafts(f"{n}")))
        assert (await engine.head(TOPIC)).head == offset
