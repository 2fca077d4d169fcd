"""Practice rooms on a real database: what is taken, and how often an end is told."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING

import pytest
from shipspeak_demo.practice import Aftermath, Ended, Rooms
from shipspeak_demo.store import Database, Practices

from shipspeak_realtime import RealtimeClient

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from shipspeak_demo.practice.feedback import Feedback
    from shipspeak_demo.store import Practice

TEXT = "We ship on Monday and tell everybody what has changed since."


class Ends(Aftermath):
    """Notes each end instead of telling it: the hub would store it once, however often told."""

    def __init__(self) -> None:
        self.begun: list[Practice] = []

    def begin(self, practice: Practice, feedback: Feedback) -> None:
        self.begun.append(practice)


@pytest.fixture
def practices(tmp_path) -> Practices:
    return Practices(Database(tmp_path / "demo.db"), time.time)


@pytest.fixture
async def hub() -> AsyncIterator[RealtimeClient]:
    """A hub that is away: a room goes on without one."""
    async with RealtimeClient("127.0.0.1:1") as client:
        yield client


def rooms(hub: RealtimeClient, practices: Practices, ends: Ends) -> Rooms:
    return Rooms(hub, practices, ends, time.monotonic)


async def test_the_end_is_told_once_however_many_ask_for_it(hub, practices):
    ends = Ends()
    here = rooms(hub, practices, ends)
    practice = await here.open("ada")
    ended = await asyncio.gather(*(here.finish("ada", practice.id) for _ in range(8)))
    assert [one.id for one in ends.begun] == [practice.id]
    assert ended == ends.begun * 8
    with pytest.raises(Ended):
        await here.hear("ada", practice.id, TEXT, 1, 0)


async def test_the_end_is_told_once_by_a_process_that_is_younger_than_the_session(hub, practices):
    practice = await rooms(hub, practices, Ends()).open("ada")
    ends = Ends()
    here = rooms(hub, practices, ends)
    await asyncio.gather(*(here.finish("ada", practice.id) for _ in range(8)))
    assert [one.id for one in ends.begun] == [practice.id]


async def test_a_revision_that_is_not_newer_is_not_taken_and_says_which_one_was(hub, practices):
    here = rooms(hub, practices, Ends())
    practice = await here.open("ada")
    heard = await here.hear("ada", practice.id, TEXT, 7, 0)
    assert (heard.is_taken, heard.revision) == (True, 7)
    for revision in (6, 7):
        heard = await here.hear("ada", practice.id, "Older words.", revision, 0)
        assert (heard.is_taken, heard.revision) == (False, 7)
    assert practices.get(practice.id, "ada").text == TEXT
    heard = await here.hear("ada", practice.id, "Newer words.", 8, 0)
    assert heard.is_taken
    assert practices.get(practice.id, "ada").text == "Newer words."
