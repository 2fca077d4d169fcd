"""Kills a publishing process again and again, and judges what is in its files."""

from __future__ import annotations

import json
import os
import random
import signal
import sqlite3
import subprocess
import sys
from collections import defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from tests.unit.engine.sqlite import crash_child

if TYPE_CHECKING:
    from pathlib import Path


@dataclass
class Acknowledged:
    """Every answer that publishers ever got, over all rounds."""

    offset_of: dict[tuple[str, str], int] = field(default_factory=dict)
    last: dict[str, int] = field(default_factory=dict)
    answers: int = 0

    def take(self, line: str) -> None:
        topic, offset, event_id = line.split()
        first = self.offset_of.setdefault((topic, event_id), int(offset))
        assert first == int(offset), f"{event_id} was answered {first}, then {offset}"
        publisher, number = event_id.split("-")
        assert int(number) in (self.last.get(publisher, -1), self.last.get(publisher, -1) + 1)
        self.last[publisher] = int(number)
        self.answers += 1


def kill_rounds(data_dir: Path, rounds: int, seed: int) -> Acknowledged:
    """Per round: publish 64-way, kill -9 after a random number of answers, judge the files."""
    chance = random.Random(seed)  # noqa: S311 - which moment, not a secret
    acknowledged = Acknowledged()
    epochs: dict[str, int] = {}
    for _ in range(rounds):
        _publish_and_kill(data_dir, acknowledged, chance.randint(200, 2000))
        judge(data_dir, acknowledged, epochs)
    return acknowledged


def _publish_and_kill(data_dir: Path, acknowledged: Acknowledged, answers: int) -> None:
    arguments = [sys.executable, crash_child.__file__, str(data_dir)]
    child = subprocess.Popen(
        [*arguments, json.dumps(acknowledged.last)],
        stdout=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
    )
    assert child.stdout is not None
    with child.stdout as lines:
        for _ in range(answers):
            acknowledged.take(lines.readline().decode())
        child.send_signal(signal.SIGKILL)
        # What was answered before the kill is still in the pipe; a line cut short was never
        # reported.
        for line in lines.read().decode().splitlines(keepends=True):
            if line.endswith("\n"):
                acknowledged.take(line)
    assert child.wait() == -signal.SIGKILL


def judge(data_dir: Path, acknowledged: Acknowledged, epochs: dict[str, int]) -> None:
    """Every acknowledged event is there, once, at its offset, in its publisher's order."""
    stored: dict[tuple[str, str], int] = {}
    for path in sorted(data_dir.glob("*.db")):
        connection = sqlite3.connect(path)
        assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        for name, epoch, head, floor in connection.execute(
            "SELECT name, epoch, head, floor FROM topic"
        ).fetchall():
            rows = connection.execute(
                "SELECT offset, event_id FROM event JOIN topic ON topic.id = topic_id "
                "WHERE name = ? ORDER BY offset",
                (name,),
            ).fetchall()
            assert [offset for offset, _ in rows] == list(range(floor + 1, head + 1))
            assert epochs.setdefault(name, epoch) == epoch
            _judge_order(rows)
            for offset, event_id in rows:
                assert stored.setdefault((name, event_id), offset) == offset, f"{event_id} twice"
        connection.close()
    lost = {key: at for key, at in acknowledged.offset_of.items() if stored.get(key) != at}
    assert not lost, f"{len(lost)} acknowledged events are not where they were acknowledged"


def _judge_order(rows: list[tuple[int, str]]) -> None:
    numbers: dict[str, list[int]] = defaultdict(list)
    for _, event_id in rows:
        publisher, number = event_id.split("-")
        numbers[publisher].append(int(number))
    for publisher, seen in numbers.items():
        assert seen == list(range(len(seen))), f"publisher {publisher} is out of order"
