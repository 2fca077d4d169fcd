"""A short trial keeps every promise, and would catch a hub that cheats or a doctored record.

The long form, 20 kills, is `make chaos`.
"""

from __future__ import annotations

import copy
import sqlite3
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from tests.chaos.summary import verdict
from tests.chaos.trial import Plan, Trial, run
from tests.chaos.writers import WRITERS
from tests.guarantees.history import Delivery, History
from tests.guarantees.validators import durable, judge

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

KILLS = 3


def guarantees(history: History) -> set[str]:
    return {violation.guarantee[:2] for violation in judge(history)}


def place(history: History) -> tuple[int, int]:
    """Two deliveries of one topic that follow each other at the first reader."""
    words = history.subscribers[0].words
    first = next(index for index, word in enumerate(words) if isinstance(word, Delivery))
    second = next(
        index
        for index, word in enumerate(words)
        if index > first and isinstance(word, Delivery) and word.topic == words[first].topic
    )
    return first, second


def lose_an_acknowledged_event(history: History) -> None:
    publish = history.acknowledged[len(history.acknowledged) // 2]
    log = history.logs[publish.topic]
    log.events = [event for event in log.events if event.id != publish.id]


def skip_a_delivery(history: History) -> None:
    del history.subscribers[0].words[place(history)[0]]


def double_a_delivery(history: History) -> None:
    words = history.subscribers[0].words
    words.append(words[place(history)[0]])


def swap_two_deliveries(history: History) -> None:
    words = history.subscribers[0].words
    first, second = place(history)
    words[first], words[second] = words[second], words[first]


@pytest.mark.timeout(150)
async def test_three_kills_cost_nothing_and_the_record_would_show_it(tmp_path: Path):
    lines: list[str] = []
    trial = await run(Plan(KILLS, seed=1, patience=40), tmp_path, lines.append)
    kept, report = verdict(trial)
    assert kept, report
    assert len(lines) == KILLS
    assert all(each.in_flight for each in trial.rounds if each.acknowledged)
    assert len(trial.history.acknowledged) > WRITERS
    transports = {event.transport for event in trial.history.subscribers[-1].deliveries}
    assert transports == {"connect", "listen", "poll"}, "the mover tried every transport"

    doctored: dict[Callable[[History], None], str] = {
        lose_an_acknowledged_event: "G1",
        skip_a_delivery: "G2",
        swap_two_deliveries: "G3",
        double_a_delivery: "G4",
    }
    for doctor, guarantee in doctored.items():
        history = copy.deepcopy(trial.history)
        doctor(history)
        assert guarantee in guarantees(history), doctor.__name__
        assert not verdict(Trial(history, trial.rounds, trial.behind))[0]
    late = replace(trial, behind=["listen"])
    assert not verdict(late)[0]


def forget_the_newest(data_dir: Path) -> None:
    """A hub that acknowledged what it did not keep: take the newest event out of every shard."""
    taken = 0
    for path in data_dir.glob("shard-*.db"):
        connection = sqlite3.connect(path)
        with connection:
            taken += connection.execute(
                "DELETE FROM event WHERE pos = (SELECT max(pos) FROM event)"
            ).rowcount
        connection.close()
    assert taken, "there was nothing to forget"


@pytest.mark.timeout(150)
async def test_a_hub_that_forgets_is_caught(tmp_path: Path):
    plan = Plan(1, seed=2, patience=5, tamper=forget_the_newest)
    trial = await run(plan, tmp_path, lambda _line: None)
    assert durable(trial.history)
    kept, report = verdict(trial)
    assert not kept
    assert "BROKEN G1 durable" in report
