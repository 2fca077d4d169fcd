"""Operations come over a link as they were, and nothing else does."""

from __future__ import annotations

import pytest

from hub.engine.contract import NotAttempted, Stored
from hub.engine.inbox import Noted
from hub.engine.schedule import Scheduled, ScheduledDraft
from hub.engine.sqlite.inbox import StoreReceipts
from hub.engine.sqlite.peers.codec import Unencodable, from_value, to_value
from hub.engine.sqlite.removal import NotePurge, Place, Purge, Purged, Withdraw
from hub.engine.sqlite.scheduled import AddScheduled, CancelScheduled, EraseScheduled, Release
from hub.engine.sqlite.spoken import Found, Spoken
from hub.engine.sqlite.work_place import Create, SeekOffset
from hub.engine.sqlite.work_settle import Settle
from hub.engine.sqlite.work_take import Take
from hub.engine.work import DeadLetter, OpenItem, Ruling, Settlement, Taken, WorkSpec
from hub.errors import HubError, Unavailable
from hub.model.certificate import Certificate
from hub.model.events import Append
from hub.model.receipts import READ, Mark
from shipspeak.realtime.internal.v1 import peer_service_pb2 as peer
from shipspeak.realtime.v1 import error_reason_pb2

APPEND = Append("a/b", "id", "me", b"\0body", 2, "key", 17, 18, 19, 20, 1)
FOUND = Found("id", 3, "me", "phone", until_acknowledged=True)
SPOKEN = Spoken(frozenset({"id"}), 9, (FOUND,), ())
MARK = Mark("a/b", "id", READ, "me", said_in="user/me")
ITEM = OpenItem(1, "a/b", 2, 3)


def clock() -> int:
    return 42


def there_and_back(thing: object) -> object:
    data = to_value(thing).SerializeToString()
    return from_value(peer.Value.FromString(data), clock)


@pytest.mark.parametrize(
    "thing",
    [
        *(
            None,
            True,
            False,
            0,
            -5,
            1 << 62,
            (1 << 64) - 1,
            0.25,
            "text",
            b"\0",
            [1, "a"],
            (1, (2,)),
        ),
        *({"a": (1, 2), ("b", 1): None}, frozenset({1, 2})),
        *(
            APPEND,
            Stored((1 << 64) - 2, 7, duplicate=True),
            NotAttempted(),
            Noted(1, 2, first=True),
        ),
        *(MARK, SPOKEN, StoreReceipts([MARK], {("a/b", "user/me"): SPOKEN}, clock)),
        *(
            Scheduled(),
            AddScheduled([ScheduledDraft(APPEND, 99)]),
            CancelScheduled("a/b", "me", "id"),
        ),
        *(Release([(1, "a/b")], clock), EraseScheduled("me", "user/me", 10)),
        *(Withdraw([Place("a/b", 1, "id")]), NotePurge("a/b", 1, 2), Purged(1, 2, done=True)),
        *(Create(WorkSpec("w", "a/*", ordered=True, created_ms=3)), SeekOffset("w", "a/b", 4)),
        *(Settle("w", (Settlement(1, Ruling.DEAD, 5),)), Take("w", (1,), None, True, 7)),
        Taken([(ITEM, b"event")], [ITEM], [4], more=True),
        DeadLetter(1, "w", "a/b", 2, 3, error_reason_pb2.ERROR_REASON_RETENTION, "id", b"data"),
        Certificate(("spiffe://a",), 1.0, 2.0),
    ],
    ids=lambda thing: type(thing).__name__,
)
def test_it_comes_as_it_went(thing: object):
    assert there_and_back(thing) == thing


def test_the_clock_is_the_owners():
    purge = there_and_back(Purge("a/b", lambda: 0, 7))
    assert isinstance(purge, Purge)
    assert (purge.topic, purge.upto, purge.clock()) == ("a/b", 7, 42)


def test_a_refusal_keeps_all_that_it_says():
    error = Unavailable(
        error_reason_pb2.ERROR_REASON_OUTCOME_UNKNOWN, "why", topic="a/b", retry_after=1.5, shard=3
    )
    back = there_and_back(error)
    assert isinstance(back, Unavailable)
    assert vars(back) == vars(error)


def test_every_class_of_refusal_is_known():
    for kind in HubError.__subclasses__():
        back = there_and_back(kind(error_reason_pb2.ERROR_REASON_INTERNAL, "why"))
        assert type(back) is kind


def test_what_is_not_in_the_table_does_not_go():
    with pytest.raises(Unencodable):
        to_value(object())


def test_what_is_not_in_the_table_does_not_come():
    with pytest.raises(Unencodable):
        from_value(peer.Value(record=peer.Record(name="Popen")), clock)
