"""Reads that leave out what a later event of the same key has superseded, and count it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from hub.engine.sqlite.policy import Retention
from tests.contract.engine.harness import TOPIC, offsets

if TYPE_CHECKING:
    from hub.engine.contract import Engine, LogPage
    from tests.contract.engine.harness import Store

PLENTY = 1 << 20
KEYS = ("a", "", "b", "a", "", "a", "b", "c", "b")


async def _store(engine: Engine, store: Store) -> list[int]:
    return offsets(
        await engine.publish([store.draft(f"{n}", key=key) for n, key in enumerate(KEYS)])
    )


def _ids(page: LogPage) -> list[str]:
    return [event.event_id for event in page.events]


async def test_the_latest_of_each_key_and_all_without_one(engine: Engine, store: Store) -> None:
    """G4r: a snapshot is one page of a log, with a count of what it leaves out."""
    places = await _store(engine, store)
    page = await engine.read(TOPIC, 0, max_events=100, max_bytes=PLENTY, horizon=places[-1])
    assert _ids(page) == ["1", "4", "5", "7", "8"]
    assert (page.conflated, page.through, page.more) == (4, places[-1], False)


async def test_what_has_expired_supersedes_nothing(engine: Engine, store: Store) -> None:
    """G4r: the state of a key is its newest event that is still of use."""
    soon = store.clock() + 1_000
    drafts = [
        store.draft("a1", key="a"),
        store.draft("a2", key="a"),
        store.draft("a3", key="a", expires_ms=soon),
        store.draft("b1", key="b", expires_ms=soon),
    ]
    last = offsets(await engine.publish(drafts))[-1]
    want = {False: (["a3", "b1"], 2), True: (["a2", "a3", "b1"], 1)}
    for expired, (ids, conflated) in want.items():
        page = await engine.read(TOPIC, 0, max_events=9, max_bytes=PLENTY, horizon=last)
        newest = await engine.read_latest(
            TOPIC, before=0, max_events=9, max_bytes=PLENTY, horizon=last
        )
        assert (_ids(page), page.conflated) == (ids, conflated), expired
        assert _ids(newest) == ids, expired
        store.clock.advance(1)


async def test_a_page_says_until_when_it_holds(engine: Engine, store: Store) -> None:
    """G4r: what supersedes may lie behind the page, and its end gives the state back."""
    now = store.clock()
    drafts = [
        store.draft("a1", key="a"),
        store.draft("b1", key="b"),
        store.draft("n1"),
        store.draft("c1", key="c", expires_ms=now + 1_000),
        store.draft("a2", key="a", expires_ms=now + 3_000),
        store.draft("b2", key="b"),
        store.draft("a3", key="a", expires_ms=now + 2_000),
    ]
    last = offsets(await engine.publish(drafts))[-1]

    async def first(horizon: int) -> tuple[list[str], int, int]:
        page = await engine.read(TOPIC, 0, max_events=1, max_bytes=PLENTY, horizon=horizon)
        return _ids(page), page.conflated, page.holds_until_ms and page.holds_until_ms - now

    assert await first(0) == (["a1"], 0, 0)
    assert await first(2) == (["a1"], 0, 0), "what lies behind the horizon supersedes nothing"
    assert await first(last) == (["n1"], 2, 2_000), "b is superseded for good, c by nothing"
    store.clock.advance(2)
    assert await first(last) == (["n1"], 2, 3_000)
    store.clock.advance(1)
    assert await first(last) == (["a1"], 0, 0)


@pytest.mark.parametrize("size", [1, 2, 3])
async def test_pages_account_for_every_event(engine: Engine, store: Store, size: int) -> None:
    places = await _store(engine, store)
    got: list[str] = []
    after, accounted = 0, 0
    while True:
        page = await engine.read(
            TOPIC, after, max_events=size, max_bytes=PLENTY, horizon=places[-1]
        )
        inside = [place for place in places if after < place <= page.through]
        assert len(page.events) + page.conflated == len(inside)
        got += _ids(page)
        accounted += len(inside)
        after = page.through
        if not page.more:
            break
    assert got == ["1", "4", "5", "7", "8"]
    assert accounted == len(KEYS)


async def test_what_lies_behind_the_horizon_supersedes_nothing(
    engine: Engine, store: Store
) -> None:
    places = await _store(engine, store)
    page = await engine.read(TOPIC, 0, max_events=100, max_bytes=PLENTY, horizon=places[3])
    assert _ids(page) == ["1", "2", "3", "4", "5", "6", "7", "8"]
    assert page.conflated == 1


async def test_without_a_horizon_nothing_is_left_out(engine: Engine, store: Store) -> None:
    await _store(engine, store)
    page = await engine.read(TOPIC, 0, max_events=100, max_bytes=PLENTY)
    assert (len(page.events), page.conflated) == (len(KEYS), 0)


async def test_backwards_the_pages_come_to_an_end(engine: Engine, store: Store) -> None:
    places = await _store(engine, store)
    got: list[list[str]] = []
    before, accounted = 0, 0
    while True:
        page = await engine.read_latest(
            TOPIC, before=before, max_events=2, max_bytes=PLENTY, horizon=places[-1]
        )
        got.append(_ids(page))
        accounted += len(page.events) + page.conflated
        if not page.more:
            break
        before = page.after
    assert [one for page_ids in got for one in page_ids] == ["7", "8", "4", "5", "1"]
    assert accounted == len(KEYS)


async def test_the_place_before_the_latest(engine: Engine, store: Store) -> None:
    store.retention[TOPIC] = Retention(max_events=6)
    places = await _store(engine, store)
    for count in (1, 3):
        place = await engine.before_latest(TOPIC, count)
        assert (place.offset, place.event_id) == (places[-count - 1], f"{8 - count}")
        assert place.state.head == places[-1]
    everything = await engine.before_latest(TOPIC, 1000)
    assert everything.offset == everything.state.floor
    assert everything.event_id == everything.state.floor_id
    unknown = await engine.before_latest("meeting/unknown", 5)
    assert (unknown.offset, unknown.event_id, unknown.state.head) == (0, "", 0)
