"""Reads whole logs from the shard files, beside the hub: what has expired stands there too."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hub.engine.sqlite.reader import ShardReader
from tests.guarantees.history import Log
from tests.guarantees.recording import stored

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator
    from pathlib import Path

_EVERYTHING = 1 << 40


def read_logs(data_dir: Path, topics: Collection[str]) -> dict[str, Log]:
    """The logs of all topics that ever had an event."""
    return {log.topic: log for path in _files(data_dir) for log in _read(path, topics)}


def floor(data_dir: Path, topic: str) -> int:
    """Up to where retention has trimmed a topic; 0 = nowhere."""
    found = 0
    for path in _files(data_dir):
        reader = ShardReader(path)
        try:
            found = max(found, reader.head(topic).floor)
        finally:
            reader.close()
    return found


def epochs(path: Path, topics: Collection[str]) -> dict[str, int]:
    """The identities of the logs in one shard file."""
    return {log.topic: log.epoch for log in _read(path, topics)}


def _files(data_dir: Path) -> list[Path]:
    return sorted(data_dir.glob("shard-*.db"))


def _read(path: Path, topics: Collection[str]) -> Iterator[Log]:
    reader = ShardReader(path)
    try:
        for topic in topics:
            page = reader.read(topic, 0, _EVERYTHING, _EVERYTHING)
            if page.state.head:
                events = [stored(event) for event in page.events]
                yield Log(topic, page.state.epoch, page.state.floor, page.state.head, events)
    finally:
        reader.close()
