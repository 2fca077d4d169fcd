"""The connection manager with sessions on FakeSinks, by a clock that the test moves."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hub.session.manager import Sessions
from hub.session.sink import Caller
from hub.session.states import Input
from hub.session.window import ByteWindow
from tests.support.fake_sink import FakeSink
from tests.support.manual_clock import ManualClock

if TYPE_CHECKING:
    from hub.session.session import Session

BEAT = 20.0


class _Complete:
    def complete_as_of_ms(self) -> int:
        return 123_456


class SessionsBench:
    """Sessions with FakeSinks."""

    def __init__(self, max_sessions: int = 10) -> None:
        self.clock = ManualClock()
        self.released: list[Session] = []
        self.sessions = Sessions(
            self.clock,
            _Complete(),
            heartbeat_interval=BEAT,
            max_sessions=max_sessions,
            on_closed=self.released.append,
        )

    def open(self, *, window: int = 1000) -> tuple[Session, FakeSink]:
        """An open session and its sink."""
        sink = FakeSink()
        session = self.sessions.create(Caller(), sink)
        session.apply(Input.HELLO)
        session.apply(Input.WELCOMED)
        session.window = ByteWindow(window)
        self.sessions.opened(session)
        return session, sink
