"""What waits for a slow instance is bounded; what is left out is told."""

from __future__ import annotations

from hub.engine.sqlite.peers.guest import WAITING_BYTES, Guest, Outlet
from hub.model.events import NORMAL, StoredEvent
from shipspeak.realtime.internal.v1 import peer_service_pb2 as peer

BODY = bytes(64 * 1024)


def event(offset: int) -> StoredEvent:
    return StoredEvent(offset, offset - 1, f"e{offset}", BODY, NORMAL, "", 1, 0)


async def drain(guest: Guest) -> list[peer.Word]:
    words: list[peer.Word] = []
    while guest.outbox.size:
        words += peer.LinkResponse.FromString(await guest.outbox.take()).words
    return words


async def test_the_bytes_that_wait_are_bounded_and_the_head_is_told():
    guest, outlet = Guest(), Outlet("meeting/1")
    outlet.guests[guest] = None
    for offset in range(1, 1_001):
        outlet.on_events([event(offset)])
    assert guest.outbox.size < WAITING_BYTES + 2 * len(BODY)
    words = await drain(guest)
    guest.catch_up()
    (skipped,) = await drain(guest)
    assert skipped.skipped.head == 1_000
    assert words[-1].stored.events[-1].offset < 1_000
    outlet.on_events([event(1_001)])
    (word,) = await drain(guest)
    assert word.stored.events[0].offset == 1_001


async def test_other_topics_are_told_in_their_order_meanwhile():
    guest, full, other = Guest(), Outlet("meeting/1"), Outlet("meeting/2")
    full.guests[guest] = other.guests[guest] = None
    while guest.outbox.size <= WAITING_BYTES:
        full.on_events([event(1)])
    other.on_events([event(1)])
    other.on_events([event(2)])
    guest.tell_skipped()
    words = [word for word in await drain(guest) if word.WhichOneof("word") == "skipped"]
    assert {word.skipped.topic: word.skipped.head for word in words} == {"meeting/2": 2}
