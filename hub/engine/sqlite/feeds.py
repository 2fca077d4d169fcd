"""Who listens to which topic, on the event loop."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import structlog

from hub.model.events import StoredEvent
from hub.model.wire import event_data

if TYPE_CHECKING:
    from collections.abc import Sequence

    from hub.engine.contract import TopicFeed
    from hub.engine.sqlite.requests import NewEvent
    from hub.engine.sqlite.topics import Trimmed

_logger: Final = structlog.get_logger(__name__)


class Feeds:
    """The feeds of one shard's topics."""

    def __init__(self) -> None:
        self._feeds: dict[str, list[TopicFeed]] = {}

    def attach(self, topic: str, feed: TopicFeed) -> None:
        """Call ``feed`` from now on."""
        self._feeds.setdefault(topic, []).append(feed)

    def detach(self, topic: str, feed: TopicFeed) -> None:
        """Call ``feed`` no more; nothing happens when it is not attached."""
        feeds = [other for other in self._feeds.get(topic, ()) if other is not feed]
        if feeds:
            self._feeds[topic] = feeds
        else:
            self._feeds.pop(topic, None)

    def wants(self, topic: str) -> bool:
        """Whether anybody listens."""
        return topic in self._feeds

    def deliver(self, topic: str, events: Sequence[NewEvent]) -> None:
        """Hand newly stored events of one topic to its feeds."""
        stored = [_stored(event) for event in events]
        for feed in self._feeds.get(topic, ()):
            try:
                feed.on_events(stored)
            except Exception:
                # The contract forbids it; the other feeds must not pay for it.
                _logger.exception("feed_failed", topic=topic, events=len(stored))

    def trimmed(self, one: Trimmed) -> None:
        """Tell a topic's feeds that its oldest events are gone."""
        for feed in self._feeds.get(one.topic, ()):
            try:
                feed.on_trimmed(
                    one.floor, purged=one.purged, more=one.more, oldest_ms=one.oldest_ms
                )
            except Exception:
                _logger.exception("feed_failed", topic=one.topic, floor=one.floor)

    def withdrawn(self, topic: str, offsets: Sequence[int]) -> None:
        """Tell a topic's feeds that these events were withdrawn."""
        for feed in self._feeds.get(topic, ()):
            try:
                feed.on_withdrawn(offsets)
            except Exception:
                _logger.exception("feed_failed", topic=topic, withdrawn=len(offsets))


def _stored(event: NewEvent) -> StoredEvent:
    append = event.append
    return StoredEvent(
        event.offset,
        event.prev,
        append.event_id,
        event_data(append.body, event.offset),
        append.priority,
        append.key,
        append.published_ms,
        append.expires_ms,
    )
