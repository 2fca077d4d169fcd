"""G10 on every transport: whose grant, token or account ends gets nothing that comes after it.

Readers come by every way at once and come back by the same token, again and again, for as long as
the trial runs. The validator of G10 judges what they were given: an event by the time at which it
was published, which comes before any hand-over, so that a slow machine cannot be taken for a leak.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import jwt
import pytest

from hub.auth.tokens import mint
from shipspeak.realtime.v1 import admin_service_pb2, frame_pb2, realtime_service_pb2
from shipspeak.realtime.v1 import error_reason_pb2 as reasons
from tests.guarantees.history import History
from tests.guarantees.observed import Handed
from tests.guarantees.rights import Right
from tests.guarantees.validators.authorized import GRACE_MS, authorized
from tests.support.hub_process import HubProcess
from tests.support.raw_client import RawClient, draft
from tests.support.ways import STREAMS, WAYS

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.ways import Way

SECRET = "integration-secret-0123456789abcdef"
TOPIC = "meeting/1"
pytestmark = pytest.mark.timeout(240)
# Long enough for all readers to have read something before anything ends, on a busy machine too.
LIFETIME = 40.0
PACE_SECONDS = 0.2
PATIENCE = 60.0


def _token(subject: str, lifetime: float = 600, **more: Any) -> str:
    return mint(
        SECRET,
        subject=subject,
        issuer="shipspeak",
        audience="shipspeak-realtime",
        lifetime=lifetime,
        **more,
    )


def _grant(subject: str, lifetime: float) -> str:
    claims = {
        "sub": subject,
        "iss": "shipspeak",
        "aud": "shipspeak-realtime",
        "exp": int(time.time() + lifetime),
        "topic": TOPIC,
    }
    return jwt.encode(claims, SECRET, algorithm="HS256")


class Trial:
    """One hub, its readers, and what they were given."""

    def __init__(self, hub: HubProcess) -> None:
        self.history = History()
        self.last_words: dict[str, list[int]] = {}
        self._hub = hub
        self._first: dict[str, asyncio.Event] = {}
        self._readers: list[asyncio.Task[None]] = []
        self._sessions: dict[str, str] = {}

    def read(self, name: str, way: Way, token: str, grant: str = "", *, again: bool = True) -> None:
        """Begin to read; `again`: come back by the same token whatever the hub says."""
        self._first[name] = asyncio.Event()
        self.last_words[name] = []
        self._readers.append(asyncio.create_task(self._read(name, way, token, grant, again)))

    async def _read(self, name: str, way: Way, token: str, grant: str, again: bool) -> None:
        wish = frame_pb2.Subscribe(topic=TOPIC, at=frame_pb2.START_LATEST, grant=grant)
        while True:
            async with contextlib.aclosing(way(self._hub, token, wish)) as frames:
                async for told in frames:
                    self._take(name, told)
            if not again:
                return
            await asyncio.sleep(PACE_SECONDS)

    def _take(self, name: str, told: frame_pb2.ServerFrame) -> None:
        kind = told.WhichOneof("control")
        if kind == "welcome":
            self._sessions[name] = told.welcome.session_id
        elif kind == "go_away":
            self.last_words[name].append(told.go_away.reason)
        elif kind == "unsubscribed":
            self.last_words[name].append(told.unsubscribed.error.reason)
        elif kind == "session_expiring":
            self.last_words[name].append(0)
        for run in told.runs:
            for event in run.events:
                at_ms = event.published_at.ToMilliseconds()
                self.history.handed.append(Handed(name, TOPIC, event.id, at_ms, principal=name))
                self._first[name].set()

    def ends(self, name: str, at: float) -> None:
        """A reader's right ends, in seconds since the epoch."""
        right = Right(name, "subscribe", TOPIC, 0, int(at * 1000))
        self.history.rights.append(right)

    async def all_have_read(self) -> None:
        """Wait until every reader was given something."""
        await asyncio.gather(*(first.wait() for first in self._first.values()))

    async def renew(self, name: str, token: str) -> None:
        """Give a stream's session another token, as its own client would."""
        request = realtime_service_pb2.RefreshSessionRequest(
            session_id=self._sessions[name], token=token
        )
        async with RawClient(self._hub.grpc) as client:
            await client.call("RefreshSession", request)

    async def stop(self) -> None:
        for reader in self._readers:
            reader.cancel()
        await asyncio.gather(*self._readers, return_exceptions=True)

    def all_reached(self, until: float) -> bool:
        """Whether those who stay were given something from after a time."""
        last = {event.session: event.at_ms for event in self.history.handed}
        return all(last[f"stays/{way}"] > until * 1000 for way in WAYS)


@pytest.fixture
def hub(tmp_path: Path) -> Any:
    with HubProcess(tmp_path, env={"RTHUB_AUTH_HS256_SECRET": SECRET}, dev=False) as process:
        yield process


async def test_nothing_that_comes_after_the_end_of_a_right_is_given_on_any_transport(
    hub: HubProcess,
) -> None:
    """G10: ends of tokens, of grants, of accounts, and tokens that allow less."""
    trial = Trial(hub)
    publishing = asyncio.create_task(_publish(hub))
    end = float(int(time.time() + LIFETIME))
    try:
        for way, read in WAYS.items():
            # Who stays is judged as well: a hub that sends nothing keeps G10 too.
            trial.read(f"stays/{way}", read, _token("stays", subscribe=[TOPIC]))
            trial.read(f"token/{way}", read, _token("token", end - time.time(), subscribe=[TOPIC]))
            trial.read(f"grant/{way}", read, _token("grant"), _grant("grant", end - time.time()))
            trial.read(f"account/{way}", read, _token("account", subscribe=[TOPIC]))
            trial.ends(f"token/{way}", end)
            trial.ends(f"grant/{way}", end)
        for way, read in STREAMS.items():
            # It would come back by its first token, which is good: one session alone is judged.
            trial.read(f"less/{way}", read, _token("less", subscribe=[TOPIC]), again=False)
        # Whoever has read nothing by then is not let in any more.
        async with asyncio.timeout(end - time.time() + PATIENCE):
            await trial.all_have_read()
        for way in STREAMS:
            await trial.renew(f"less/{way}", _token("less"))
            trial.ends(f"less/{way}", time.time())
        async with RawClient(hub.grpc, _token("root", admin=True)) as root:
            await root.admin("Revoke", admin_service_pb2.RevokeRequest(user="account"))
        over = time.time()
        for way in WAYS:
            trial.ends(f"account/{way}", over)
            trial.ends(f"stays/{way}", over + 3600)
        until = max(end, over) + GRACE_MS / 1000 + 2
        async with asyncio.timeout(until - time.time() + PATIENCE):
            while not trial.all_reached(until):  # noqa: ASYNC110 - the clock has no event
                await asyncio.sleep(PACE_SECONDS)
    finally:
        publishing.cancel()
        await trial.stop()
        await asyncio.gather(publishing, return_exceptions=True)
    assert authorized(trial.history) == []
    _are_told(trial)
    _a_doctored_history_fails(trial.history)


def _are_told(trial: Trial) -> None:
    for way in STREAMS:
        # 0 stands for session_expiring, which comes ahead of the end.
        assert trial.last_words[f"token/{way}"][:2] == [0, reasons.ERROR_REASON_SESSION_EXPIRED]
        assert trial.last_words[f"grant/{way}"][0] == reasons.ERROR_REASON_TOKEN_EXPIRED
        assert trial.last_words[f"account/{way}"] == [reasons.ERROR_REASON_TOKEN_REVOKED]
        assert trial.last_words[f"less/{way}"][0] == reasons.ERROR_REASON_RIGHT_MISSING
        assert trial.last_words[f"stays/{way}"] == []


def _a_doctored_history_fails(history: History) -> None:
    """Each reader but those who stay, with one event too many."""
    for right in history.rights:
        name = right.principal
        if name.startswith("stays/"):
            continue
        last = next(event for event in reversed(history.handed) if event.session == name)
        late = replace(last, at_ms=right.until_ms + GRACE_MS + 1)
        doctored = replace(history, handed=[*history.handed, late])
        assert [violation.who for violation in authorized(doctored)] == [name]


async def _publish(hub: HubProcess) -> None:
    async with RawClient(hub.grpc, _token("writer", publish=[TOPIC])) as writer:
        number = 0
        while True:
            number += 1
            await writer.publish(draft(TOPIC, number))
            await asyncio.sleep(PACE_SECONDS)
