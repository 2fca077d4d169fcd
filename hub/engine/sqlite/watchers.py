"""Who waits for events of a pattern, on the event loop: told after each commit, never polled."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Final

import structlog

from hub.topics.patterns import matches

if TYPE_CHECKING:
    from collections.abc import Iterable

    from hub.engine.work import WorkWatcher

_logger: Final = structlog.get_logger(__name__)

# A watcher of rare topics is called after this many events of others, so that its place follows.
FOLLOW_EVENTS: Final = 5_000


class Watchers:
    """The watchers of all shards, by the name of their work subscription."""

    def __init__(self) -> None:
        self._watchers: dict[str, tuple[str, WorkWatcher]] = {}
        self._passed_over: Counter[tuple[str, int]] = Counter()

    def add(self, name: str, pattern: str, watcher: WorkWatcher) -> None:
        """Call ``watcher`` from now on."""
        self._watchers[name] = (pattern, watcher)

    def remove(self, name: str) -> None:
        """Call it no more."""
        self._watchers.pop(name, None)

    def stored(self, shard: int, topics: Iterable[str], events: int) -> None:
        """A shard has committed ``events`` events of these topics."""
        for name, (pattern, watcher) in tuple(self._watchers.items()):
            key = name, shard
            self._passed_over[key] += events
            wanted = any(matches(pattern, topic) for topic in topics)
            if wanted or self._passed_over[key] >= FOLLOW_EVENTS:
                del self._passed_over[key]
                try:
                    watcher.on_stored(shard)
                except Exception:
                    _logger.exception("watcher_failed", work=name, shard=shard)

    def trimmed(self, shard: int, topics: Iterable[str]) -> None:
        """Retention has trimmed topics of a shard."""
        for name, (pattern, watcher) in tuple(self._watchers.items()):
            if any(matches(pattern, topic) for topic in topics):
                try:
                    watcher.on_trimmed(shard)
                except Exception:
                    _logger.exception("watcher_failed", work=name, shard=shard)
