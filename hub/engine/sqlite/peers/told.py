"""What one link tells of the topics that are followed through it."""

from __future__ import annotations

import asyncio
from collections import deque
from typing import TYPE_CHECKING

from hub.engine.sqlite.peers.calls import LinkLost, NotOwner
from hub.engine.sqlite.peers.wire import event_of, head_of
from shipspeak.realtime.internal.v1 import peer_service_pb2 as peer

if TYPE_CHECKING:
    from hub.engine.contract import TopicHead
    from hub.engine.sqlite.peers.following import Following
    from hub.engine.sqlite.peers.link import Link


class Told:
    """The followings of one link, by topic.

    Args:
        link: tells.
    """

    def __init__(self, link: Link) -> None:
        self._link = link
        self._topics: dict[str, list[Following]] = {}
        self._asked: dict[str, deque[asyncio.Future[TopicHead]]] = {}

    def follow(self, following: Following) -> asyncio.Future[TopicHead]:
        """Ask for a topic, now; what is told from now on reaches the following.

        The answer may be NotOwner or LinkLost.
        """
        future: asyncio.Future[TopicHead] = asyncio.get_running_loop().create_future()
        if not self._link.up:
            future.set_exception(LinkLost())
            return future
        topic = following.topic
        self._topics.setdefault(topic, []).append(following)
        self._asked.setdefault(topic, deque()).append(future)
        self._link.tell(peer.Ask(follow=peer.Follow(topic=topic)))
        return future

    def leave(self, following: Following) -> None:
        """Tell a following no more."""
        topic = following.topic
        followings = self._topics.get(topic, [])
        if following not in followings:
            return
        followings.remove(following)
        if not followings:
            del self._topics[topic]
        self._link.tell(peer.Ask(leave=peer.Leave(topic=topic)))

    def lost(self) -> None:
        """The link has ended."""
        asked, self._asked = self._asked, {}
        self._topics.clear()
        for futures in asked.values():
            for future in futures:
                if not future.done():
                    future.set_exception(LinkLost())
                    future.exception()

    def on_word(self, word: peer.Word) -> None:
        """Lead a word to the followings of its topic."""
        kind = word.WhichOneof("word")
        if kind == "stored":
            events = [event_of(event) for event in word.stored.events]
            for following in self._of(word.stored.topic):
                following.on_events(events)
        elif kind == "followed":
            self._followed(word.followed)
        elif kind == "skipped":
            for following in self._of(word.skipped.topic):
                following.skipped(word.skipped.head)
        elif kind == "trimmed":
            told = word.trimmed
            for following in self._of(told.topic):
                following.on_trimmed(
                    told.floor, purged=told.purged, more=told.more, oldest_ms=told.oldest_ms
                )
        elif kind == "withdrawn":
            offsets = tuple(word.withdrawn.offsets)
            for following in self._of(word.withdrawn.topic):
                following.on_withdrawn(offsets)

    def _of(self, topic: str) -> tuple[Following, ...]:
        return tuple(self._topics.get(topic, ()))

    def _followed(self, followed: peer.Followed) -> None:
        asked = self._asked.get(followed.topic)
        if not asked:
            return
        # Answers come in the order of the asking.
        future = asked.popleft()
        if not asked:
            del self._asked[followed.topic]
        if future.done():
            return
        if followed.HasField("head"):
            future.set_result(head_of(followed.head))
        else:
            future.set_exception(NotOwner())
