"""Resume: the verdict table."""

from __future__ import annotations

from dataclasses import replace

import pytest

from hub.engine.contract import Engine, Resume, Verdict
from hub.engine.sqlite import Retention
from hub.model.cursor import Cursor
from tests.contract.engine.harness import (
    TOPIC,
    RecordingFeed,
    Store,
    cursor_at,
    offsets,
    purge,
)

IDS = "abcdefghij"
KEPT = 4  # promised; one more is kept, so "f" is the oldest


@pytest.fixture
async def trimmed(store: Store) -> tuple[Engine, dict[str, int]]:
    """A log of which "a" to "e" are gone; the offset of each id."""
    store.retention[TOPIC] = Retention(max_events=KEPT)
    engine = await store.open()
    feed = RecordingFeed()
    await engine.open(TOPIC, feed)
    stored = offsets(await engine.publish(store.drafts(*IDS)))
    places = dict(zip(IDS, stored, strict=True))
    await feed.until(lambda seen: bool(seen.floors) and seen.floors[-1] == places["e"])
    return engine, places


@pytest.mark.parametrize(
    ("at", "claimed", "verdict"),
    [
        ("j", "j", Verdict.OK),  # at the head
        ("j", "", Verdict.OK),
        ("g", "g", Verdict.OK),
        ("g", "", Verdict.OK),
        ("f", "f", Verdict.OK),  # the oldest kept
        ("e", "e", Verdict.OK),  # the newest trimmed: nothing behind it is missing
        ("e", "", Verdict.OK),
        ("d", "d", Verdict.GAP),
        ("a", "a", Verdict.GAP),
        ("a", "", Verdict.GAP),
        ("j", "x", Verdict.RESET),  # another event stands there: another log
        ("g", "x", Verdict.RESET),
        ("e", "x", Verdict.RESET),
    ],
)
async def test_the_verdict_table(
    trimmed: tuple[Engine, dict[str, int]], at: str, claimed: str, verdict: Verdict
) -> None:
    engine, places = trimmed
    state = await engine.head(TOPIC)
    resumed = await engine.resume(TOPIC, Cursor(state.epoch, places[at], claimed))
    expected = {
        Verdict.OK: Resume(verdict, places[at], 0, state),
        Verdict.GAP: Resume(verdict, places["e"], places["e"] - places[at], state),
        Verdict.RESET: Resume(verdict, places["e"], None, state),
    }
    assert resumed == expected[verdict]


async def test_offset_zero_of_a_trimmed_log_is_a_gap(
    trimmed: tuple[Engine, dict[str, int]],
) -> None:
    engine, places = trimmed
    resumed = await engine.resume(TOPIC, await cursor_at(engine, 0))
    assert (resumed.verdict, resumed.position) == (Verdict.GAP, places["e"])
    assert resumed.lost == 5


async def test_offset_zero_of_a_whole_log_is_ok(engine: Engine, store: Store) -> None:
    empty = await engine.resume(TOPIC, await cursor_at(engine, 0))
    assert (empty.verdict, empty.position) == (Verdict.OK, 0)
    await engine.publish(store.drafts("a"))
    whole = await engine.resume(TOPIC, await cursor_at(engine, 0))
    assert (whole.verdict, whole.position) == (Verdict.OK, 0)


async def test_another_epoch_is_a_reset(engine: Engine, store: Store) -> None:
    (offset,) = offsets(await engine.publish(store.drafts("a")))
    state = await engine.head(TOPIC)
    resumed = await engine.resume(TOPIC, Cursor(state.epoch ^ 1, offset, "a"))
    assert resumed == Resume(Verdict.RESET, 0, None, state)


@pytest.mark.parametrize("beyond", [1, 1 << 40, (1 << 64) - 2])
async def test_an_offset_behind_the_head_is_a_reset(
    engine: Engine, store: Store, beyond: int
) -> None:
    (offset,) = offsets(await engine.publish(store.drafts("a")))
    resumed = await engine.resume(TOPIC, await cursor_at(engine, offset + beyond, "a"))
    assert resumed.verdict is Verdict.RESET


async def test_the_head_of_a_log_that_aged_away_is_ok(store: Store) -> None:
    store.retention[TOPIC] = Retention(max_age_s=60)
    engine = await store.open()
    feed = RecordingFeed()
    await engine.open(TOPIC, feed)
    _, last = offsets(await engine.publish(store.drafts("a", "b")))
    store.clock.advance(61)
    await feed.until(lambda seen: bool(seen.floors) and seen.floors[-1] == last)
    resumed = await engine.resume(TOPIC, await cursor_at(engine, last, "b"))
    assert (resumed.verdict, resumed.position) == (Verdict.OK, last)


async def test_a_topic_nobody_wrote_resets_a_strangers_cursor(engine: Engine) -> None:
    resumed = await engine.resume("meeting/new", Cursor(12345, 7, "a"))
    assert (resumed.verdict, resumed.position) == (Verdict.RESET, 0)


async def test_a_purge_is_told_to_a_reader_at_the_head_that_was_away(store: Store) -> None:
    """G6: also after a restart; who was told already resumes OK."""
    engine = await store.open()
    await engine.publish(store.drafts(*IDS))
    before = replace(await cursor_at(engine, 10, "j"), as_of_ms=store.clock())
    store.clock.advance(1)
    await purge(engine)
    store.clock.advance(1)
    after = replace(before, as_of_ms=store.clock())
    foreign = replace(before, event_id="other")
    for again in (False, True):
        if again:
            engine = await store.open()
            await engine.publish(store.drafts("k"))
        told = await engine.resume(TOPIC, before)
        assert (told.verdict, told.position, told.lost) == (Verdict.GAP, 10, 0)
        assert (await engine.resume(TOPIC, after)).verdict is Verdict.OK
        assert (await engine.resume(TOPIC, foreign)).verdict is Verdict.RESET
    there = replace(before, offset=11, event_id="k")
    assert (await engine.resume(TOPIC, there)).verdict is Verdict.OK, "it was not purged"
    store.clock.advance(1)
    await purge(engine)
    assert (await engine.resume(TOPIC, there)).verdict is Verdict.GAP, "now it was"
    store.clock.advance(1)
    now = replace(there, as_of_ms=store.clock())
    await purge(engine)
    assert (await engine.resume(TOPIC, now)).verdict is Verdict.GAP, "once more, of nothing"
