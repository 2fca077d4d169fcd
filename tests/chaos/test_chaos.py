"""A short trial keeps every promise, and would catch a hub that cheats or a doctored record.

The long form, 20 kills, is `make chaos`.
"""

from __future__ import annotations

import copy
import sqlite3
from dataclasses import replace
from itertools import combinations
from typing import TYPE_CHECKING

import pytest

from tests.chaos.mishaps import FULL, HALF_OPEN, PAUSE
from tests.chaos.summary import verdict
from tests.chaos.trial import Plan, Trial, run
from tests.chaos.writers import WRITERS
from tests.guarantees.history import Delivery, History, Omitted, Word
from tests.guarantees.validators import durable, judge

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from tests.guarantees.history import Publish

KILLS = 3
MISHAPS = (FULL, PAUSE, HALF_OPEN)
# A busy machine's: the long form's is short.
PROMPT = 10.0
FORGOTTEN = 4


def guarantees(history: History) -> set[str]:
    return {violation.guarantee[:2] for violation in judge(history)}


def place(history: History) -> tuple[int, int]:
    """Two deliveries that follow each other, of a whole log, in no run that left something out."""
    reader = history.subscribers[0]
    left_out = [word for word in reader.words if isinstance(word, Omitted)]

    def is_plain(word: Word) -> bool:
        log = history.logs[word.topic]
        return (
            isinstance(word, Delivery)
            and word.epoch == log.epoch
            and not log.floor
            and not any(
                run.topic == word.topic and run.after < word.offset <= run.through
                for run in left_out
            )
        )

    plain = [index for index, word in enumerate(reader.words) if is_plain(word)]
    return next(
        (first, second)
        for first, second in combinations(plain, 2)
        if reader.words[first].topic == reader.words[second].topic
    )


def lose_an_acknowledged_event(history: History) -> None:
    log = next(log for log in history.logs.values() if not log.floor)
    kept = [each for each in history.acknowledged if each.epoch == log.epoch]
    publish = kept[len(kept) // 2]
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


UNJUDGED: dict[str, Callable[[History], None]] = {
    "nobody was handed any work": lambda history: history.works.handouts.clear(),
    "nobody was owed any work": lambda history: history.works.owed.clear(),
    "nobody was present": lambda history: history.presence.lives.clear(),
    "nobody was shown to the watcher": lambda history: history.presence.viewers.clear(),
    "there are no readers": lambda history: history.subscribers.clear(),
    "connect got nothing": lambda history: history.subscribers[0].words.clear(),
    "nothing was acknowledged": lambda history: history.publishes.clear(),
}


@pytest.mark.timeout(300)
async def test_kills_and_other_mishaps_cost_nothing_and_the_record_would_show_it(tmp_path: Path):
    """G1 to G6, G9, G12 and E1."""
    lines: list[str] = []
    plan = Plan(KILLS, seed=1, patience=40, prompt=PROMPT, mishaps=MISHAPS, lose_file=True)
    trial = await run(plan, tmp_path, lines.append)
    kept, report = verdict(trial)
    assert kept, report
    assert len(lines) == KILLS + 1
    assert trial.trimmed > 0
    assert trial.gap_told
    presence = trial.history.presence
    assert len({life.member for life in presence.lives}) == 4
    assert len(presence.viewers) > 1, "the watcher had more than one connection"
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
    for fault in ({"behind": ["listen"]}, {"trimmed": 0}, {"gap_told": False}):
        assert not verdict(replace(trial, **fault))[0]
    assert trial.history.works.owed, "the log that work was handed out from is still there"
    for words, forget in UNJUDGED.items():
        history = copy.deepcopy(trial.history)
        forget(history)
        kept, report = verdict(replace(trial, history=history))
        assert not kept
        assert f"STRANGE {words}" in report


def forget_the_newest(data_dir: Path, acknowledged: Sequence[Publish]) -> None:
    """A hub that acknowledged what it did not keep."""
    # An inbox is trimmed: what is not there may have gone by retention.
    ids = dict.fromkeys(one.id for one in acknowledged if one.topic.startswith("meeting/"))
    newest = list(ids)[-FORGOTTEN:]
    taken = 0
    for path in data_dir.glob("shard-*.db"):
        connection = sqlite3.connect(path)
        with connection:
            for event_id in newest:
                forget = "DELETE FROM event WHERE event_id = ?"
                taken += connection.execute(forget, (event_id,)).rowcount
        connection.close()
    assert taken == len(newest) == FORGOTTEN


@pytest.mark.timeout(300)
async def test_a_hub_that_forgets_is_caught(tmp_path: Path):
    plan = Plan(1, seed=2, patience=5, prompt=PROMPT, tamper=forget_the_newest)
    trial = await run(plan, tmp_path, lambda _line: None)
    assert durable(trial.history)
    kept, report = verdict(trial)
    assert not kept
    assert "BROKEN G1 durable" in report
