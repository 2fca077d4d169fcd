"""A new token, whichever way it comes: rights go on or end, and it is the same client's."""

from __future__ import annotations

import pytest
from pydantic import SecretStr

from hub.auth.tokens import mint
from hub.errors import NotFound, Unauthenticated
from hub.rpc.connection import Connection
from hub.session.sink import Caller
from hub.session.states import Input
from hub.settings import Settings
from shipspeak.realtime.v1 import frame_pb2, realtime_service_pb2
from tests.support.fake_sink import FakeSink
from tests.support.listening import UnaryBench

SECRET = "0123456789abcdef0123456789abcdef"
SETTINGS = Settings(auth_hs256_secret=SecretStr(SECRET))


class _Bench(UnaryBench):
    def __init__(self) -> None:
        super().__init__(SETTINGS)
        self.sink = FakeSink(automatic=True)

    def token(self, subject: str, *topics: str, lifetime: float = 60.0) -> str:
        return mint(
            SECRET,
            subject=subject,
            issuer=SETTINGS.auth_issuer,
            audience=SETTINGS.auth_audience,
            lifetime=lifetime,
            subscribe=topics,
            clock=self.clock,
        )

    async def connect(self, token: str) -> Connection:
        """A welcomed connection with subscriptions to meeting/1 and meeting/2."""
        session = self.sessions.create(Caller(), self.sink)
        connection = Connection(session, self.metrics)
        session.apply(Input.HELLO)
        hello = frame_pb2.Hello(protocol_version=1, token=token)
        self.admission.welcome(connection, hello, self.clock())
        topics = [frame_pb2.Subscribe(topic=f"meeting/{n}") for n in (1, 2)]
        await self.listen.subscribe_all(connection, topics)
        await connection.settle()
        return connection

    async def refresh(self, connection: Connection, token: str, *, by_call: bool) -> None:
        if not by_call:
            self.admission.refresh(connection, token)
            return
        session_id = connection.session.session_id
        request = realtime_service_pb2.RefreshSessionRequest(session_id=session_id, token=token)
        await self.unary.refresh_session(request.SerializeToString(), Caller())


@pytest.fixture
async def bench() -> _Bench:
    return _Bench()


@pytest.mark.parametrize("by_call", [False, True])
async def test_rights_go_on_and_those_that_the_new_token_lacks_end(
    bench: _Bench, by_call: bool
) -> None:
    connection = await bench.connect(bench.token("alice", "meeting/*"))
    assert set(connection.session.subscriptions) == {"meeting/1", "meeting/2"}
    bench.clock.advance(30)
    await bench.refresh(connection, bench.token("alice", "meeting/2"), by_call=by_call)
    assert set(connection.session.subscriptions) == {"meeting/2"}
    assert connection.session.rights_until == connection.principal.expires_at
    assert connection.principal.expires_at >= bench.clock.now + 59


@pytest.mark.parametrize(("by_call", "refusal"), [(False, Unauthenticated), (True, NotFound)])
async def test_another_principals_token_changes_nothing(
    bench: _Bench, by_call: bool, refusal: type[Exception]
) -> None:
    connection = await bench.connect(bench.token("alice", "meeting/*"))
    before = (connection.principal, connection.session.rights_until)
    with pytest.raises(refusal):
        await bench.refresh(connection, bench.token("bob", "meeting/*"), by_call=by_call)
    assert (connection.principal, connection.session.rights_until) == before


async def test_a_session_belongs_to_its_principal(bench: _Bench) -> None:
    connection = await bench.connect(bench.token("alice", "meeting/*"))
    session_id = connection.session.session_id
    assert bench.connections.owned_by(session_id, "alice") is connection
    for other_id, subject in ((session_id, "bob"), ("unknown", "alice")):
        with pytest.raises(NotFound) as caught:
            bench.connections.owned_by(other_id, subject)
        assert caught.value.reason_name == "SESSION_UNKNOWN"
    connection.session.close(None)
    with pytest.raises(NotFound):
        bench.connections.owned_by(session_id, "alice")


async def test_a_welcomed_session_keeps_no_token(bench: _Bench) -> None:
    header = {"authorization": f"Bearer {bench.token('alice')}"}
    session = bench.sessions.create(Caller(header, "ipv4:127.0.0.1:1"), bench.sink)
    session.apply(Input.HELLO)
    connection = Connection(session, bench.metrics)
    bench.admission.welcome(connection, frame_pb2.Hello(protocol_version=1), bench.clock())
    assert connection.principal.subject == "alice"
    assert (session.caller.metadata, session.caller.peer) == ({}, "ipv4:127.0.0.1:1")
