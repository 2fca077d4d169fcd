"""A log read up to a horizon, beside a model that knows the law alone, over random histories.

The real SQL, in pages of any size, with time passing and events coming in between.
"""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import event, given, settings
from hypothesis import strategies as st

from hub.engine.sqlite.removal import Place, Withdraw
from hub.engine.sqlite.requests import Operate
from tests.support.conflation import Said, account, needed
from tests.unit.engine.sqlite.support import TOPIC, PlainShard, draft

if TYPE_CHECKING:
    from hub.engine.contract import LogPage

# Each example makes a file and syncs it for each event.
pytestmark = pytest.mark.timeout(300)
PASSED = st.sampled_from([0, 0, 5, 10])
EVENTS = st.tuples(st.sampled_from(["", "a", "b", "c"]), st.sampled_from([0, 0, 10, 20, 30]))
PLENTY = 1 << 20


class _Log:
    """A shard with one topic, and the same events as the model has them."""

    def __init__(self, folder: str) -> None:
        self.shard = PlainShard(Path(folder, "shard.db"))
        self.said: list[Said] = []

    def append(self, *events: tuple[str, int]) -> None:
        for key, ends in events:
            offset = len(self.said) + 1
            self.said.append(Said(offset, key, ends))
            one = draft(f"e{offset}", key=key, expires_ms=ends, body=b"x")
            self.shard.commit([one])

    def withdraw(self, index: int) -> None:
        if self.said:
            index %= len(self.said)
            self.said[index] = one = self.said[index].taken_out()
            operation = Withdraw([Place(TOPIC, one.offset, f"e{one.offset}")])
            self.shard.writer.commit([Operate(operation)])

    def check(self, page: LogPage, horizon: int, now_ms: int) -> None:
        """The page against the law; what has ended may count as conflated or as expired."""
        want = account(self.said, page.after, page.through, horizon, now_ms)
        there = [one for one in page.events if not one.withdrawn]
        fresh = [one for one in there if not one.expires_ms or one.expires_ms > now_ms]
        assert [one.offset for one in fresh] == want.delivered
        expired, withdrawn = len(there) - len(fresh), len(page.events) - len(there)
        assert withdrawn == want.withdrawn
        assert page.conflated + expired == want.conflated + want.expired
        assert expired <= want.expired
        event(f"conflated {bool(page.conflated)}, expired {bool(want.expired)}")

    def check_holds(self, page: LogPage, horizon: int, now_ms: int) -> None:
        """Until the first page says, time takes from what it brings, and gives nothing back."""
        if page.after:
            assert not page.holds_until_ms
            return
        span = page.after, page.through, horizon
        brought = set(account(self.said, *span, now_ms).delivered)
        for later_ms in range(now_ms + 1, page.holds_until_ms or 40):
            assert brought.issuperset(account(self.said, *span, later_ms).delivered)
        if page.holds_until_ms:
            ended = {one.key for one in self.said if one.expires_ms == page.holds_until_ms}
            assert page.holds_until_ms > now_ms
            assert ended & {one.key for one in self.said[page.after : page.through]}


@settings(max_examples=60, deadline=None)
@given(
    events=st.lists(EVENTS, min_size=4, max_size=14),
    withdrawals=st.lists(st.integers(0, 20), max_size=2),
    begin=st.sampled_from([0, 0, 1, 3]),
    share=st.sampled_from([0.2, 0.6, 0.8, 1.0]),
    now_ms=st.sampled_from([5, 10, 20]),
    sizes=st.lists(st.integers(1, 4), min_size=1, max_size=4),
    meanwhile=st.lists(st.tuples(PASSED, st.lists(EVENTS, max_size=3)), max_size=4),
)
def test_every_page_says_what_became_of_every_event(
    events: list[tuple[str, int]],
    withdrawals: list[int],
    begin: int,
    share: float,
    now_ms: int,
    sizes: list[int],
    meanwhile: list[tuple[int, list[tuple[str, int]]]],
) -> None:
    """E3, G4r, G6: counts are exact, pages join, the latest of each key comes, and all without one.

    The horizon is a share of the log as it is when the reading begins.
    """
    with tempfile.TemporaryDirectory() as folder:
        log = _Log(folder)
        try:
            log.append(*events)
            for index in withdrawals:
                log.withdraw(index)
            horizon = max(1, round(share * len(events)))
            began = at = begin % (len(events) + 1)
            got: list[int] = []
            more = at < len(log.said)
            while more:
                size = sizes[0]
                sizes.append(sizes.pop(0))
                page = log.shard.reader.read(TOPIC, at, size, PLENTY, horizon, now_ms)
                log.check(page, horizon, now_ms)
                log.check_holds(page, horizon, now_ms)
                assert page.after == at
                got += account(log.said, at, page.through, horizon, now_ms).delivered
                at, more = page.through, page.more
                if meanwhile:
                    passed, new = meanwhile.pop(0)
                    now_ms += passed
                    log.append(*new)
                    more = more or bool(new)
            assert at == len(log.said)
            assert got == sorted(set(got))
            assert needed(log.said, began, horizon) <= set(got)
        finally:
            log.shard.close()


@settings(max_examples=30, deadline=None)
@given(
    events=st.lists(EVENTS, min_size=1, max_size=14),
    share=st.sampled_from([0.2, 0.6, 0.8, 1.0]),
    size=st.integers(1, 4),
)
def test_backwards_too(events: list[tuple[str, int]], share: float, size: int) -> None:
    """E3, G6: history read from its end by the latest of each key."""
    with tempfile.TemporaryDirectory() as folder:
        log = _Log(folder)
        try:
            log.append(*events)
            horizon, before, got = max(1, round(share * len(events))), 0, list[int]()
            more = True
            while more:
                page = log.shard.reader.read_latest(TOPIC, before, size, PLENTY, horizon, 5)
                log.check(page, horizon, 5)
                got[:0] = [one.offset for one in page.events]
                before, more = page.after, page.more
            assert got == account(log.said, 0, len(events), horizon, 5).delivered
        finally:
            log.shard.close()
