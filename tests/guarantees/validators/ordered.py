"""G3: offsets only rise at a subscriber; a client's events of a topic are stored as published."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

from tests.guarantees.validators.violation import Violation

if TYPE_CHECKING:
    from tests.guarantees.history import Delivery, History, Publish, Subscriber

NAME = "G3 ordered"


def ordered(history: History) -> list[Violation]:
    """Judge G3 at the subscribers, in the logs, and between each client and the logs."""
    found = [violation for subscriber in history.subscribers for violation in _received(subscriber)]
    for log in history.logs.values():
        found.extend(
            Violation(NAME, log.topic, "", f"{later.offset} stands after {earlier.offset}")
            for earlier, later in pairwise(log.events)
            if later.offset <= earlier.offset
        )
    return found + _sent(history)


def _received(subscriber: Subscriber) -> list[Violation]:
    found = []
    last: dict[tuple[str, int], Delivery] = {}
    for event in subscriber.deliveries:
        before = last.get((event.topic, event.epoch))
        if before is not None and event.offset <= before.offset:
            words = f"{event.id} at {event.offset} came after {before.id} at {before.offset}"
            found.append(Violation(NAME, event.topic, subscriber.name, words))
        last[event.topic, event.epoch] = event
    return found


def _sent(history: History) -> list[Violation]:
    """By the log, not by receipts: an event without a receipt has its place in the order too."""
    offsets = {
        (log.topic, event.id): event.offset for log in history.logs.values() for event in log.events
    }
    lost = {topic: log.lost for topic, log in history.logs.items()}
    lanes: dict[tuple[str, str], dict[str, Publish]] = {}
    for publish in sorted(history.publishes, key=lambda publish: publish.sequence):
        known = (publish.topic, publish.id) in offsets
        if publish.deliver_ms:
            continue  # it has its place when it is due
        if known and publish.epoch not in lost[publish.topic]:
            # Only the first call with an id has a place; a repeat gives the place of the first.
            lanes.setdefault((publish.client, publish.topic), {}).setdefault(publish.id, publish)
    found = []
    for (client, topic), lane in lanes.items():
        for earlier, later in pairwise(lane):
            if offsets[topic, later] <= offsets[topic, earlier]:
                words = (
                    f"{earlier} was published before {later}, and they are stored "
                    f"at {offsets[topic, earlier]} and {offsets[topic, later]}"
                )
                found.append(Violation(NAME, topic, client, words))
    return found
