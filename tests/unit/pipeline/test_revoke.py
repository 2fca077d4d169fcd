"""Revocations are never forgotten to make room for others."""

from __future__ import annotations

import math

import pytest

from hub.auth.grants import Grants, Principal
from hub.auth.revocations import Revocations
from hub.errors import FailedPrecondition
from hub.pipeline.revoke import MAX_NAMED, TOPIC, RevocationLog
from hub.topics.namespaces import Namespaces
from shipspeak.realtime.v1 import admin_service_pb2
from tests.support.manual_clock import ManualClock
from tests.support.memory_engine import MemoryEngine

DAY = 86_400


class Bench:
    """A log of three revocations by name."""

    def __init__(self) -> None:
        self.clock = ManualClock()
        self.engine = MemoryEngine(self.clock)
        self.revocations = Revocations()
        self.log = self.opened(self.revocations)

    def opened(self, revocations: Revocations) -> RevocationLog:
        return RevocationLog(self.engine, revocations, lambda: None, self.clock, max_named=3)

    async def token(self, token_id: str) -> None:
        await self.log.revoke(admin_service_pb2.RevokeRequest(token_id=token_id))

    async def issued_before(self, at: float) -> None:
        request = admin_service_pb2.RevokeRequest()
        request.issued_before.FromMilliseconds(int(at * 1000))
        await self.log.revoke(request)


def _principal(token_id: str, issued_at: float) -> Principal:
    return Principal("alice", Grants(), token_id=token_id, issued_at=issued_at)


async def test_beyond_the_limit_a_revocation_is_refused_and_told_what_to_do() -> None:
    """G10: the oldest was forgotten, and its token good again."""
    bench = Bench()
    issued = bench.clock.now
    for name in ("a", "b", "c"):
        await bench.token(name)
    with pytest.raises(FailedPrecondition, match="issued before a time") as refused:
        await bench.token("d")
    assert (refused.value.reason_name, refused.value.retry_after) == ("REVOCATION_LIMIT", None)
    assert all(bench.revocations.covers(_principal(name, issued)) for name in ("a", "b", "c"))
    bench.clock.now += 2 * DAY
    await bench.issued_before(bench.clock.now)
    assert bench.revocations.covers(_principal("a", issued))
    bench.clock.now += 1
    await bench.token("d")
    after = Revocations()
    await bench.opened(after).start()
    assert after.named == 1
    assert after.covers(_principal("a", issued))
    assert after.covers(_principal("d", bench.clock.now))
    assert not after.covers(_principal("e", bench.clock.now))


async def test_at_the_limit_a_user_who_is_named_is_revoked_again() -> None:
    """G10: by the same entry, so that newer tokens end too."""
    bench = Bench()
    issued = bench.clock.now
    for name in ("alice", "b", "c"):
        await bench.log.revoke(admin_service_pb2.RevokeRequest(user=name))
    bench.clock.now += 60
    newer = _principal("new", issued + 30)
    assert not bench.revocations.covers(newer)
    await bench.log.revoke(admin_service_pb2.RevokeRequest(user="alice"))
    assert bench.revocations.covers(newer)


def test_retention_takes_no_revocation_away() -> None:
    """No token is told how long it may live, so none is forgotten by age or by count."""
    kept = Namespaces().of(TOPIC).topic_class
    assert kept.max_events > 10 * MAX_NAMED
    assert kept.max_age >= 100 * 365 * DAY
    assert math.isfinite(kept.max_age)
