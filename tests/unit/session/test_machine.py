"""A session under every input in every state, in any order: it never breaks a rule of its sink."""

from __future__ import annotations

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
)

from hub.errors import Unavailable
from hub.session.session import Session
from hub.session.sink import Caller
from hub.session.states import Input, State
from hub.session.window import ByteWindow
from shipspeak.realtime.v1 import error_reason_pb2 as reasons
from shipspeak.realtime.v1 import frame_pb2
from tests.support.fake_sink import FakeSink
from tests.support.manual_clock import ManualClock
from tests.support.sessions import ScriptedSource

_ORDER = [State.NEW, State.OPEN, State.DRAINING, State.CLOSED]
WINDOW = 100
FRAME_BYTES = 60
# An open session is not ended before so many steps, or most of them would see no traffic.
LEAST_LIFE = 25
CONTROL = frame_pb2.ServerFrame(pong=frame_pb2.Pong(nonce=1)).SerializeToString()


class SessionMachine(RuleBasedStateMachine):
    """All that doors, topics, clients and the manager can do to one session."""

    def __init__(self) -> None:
        super().__init__()
        self.clock, self.sink = ManualClock(), FakeSink()
        self.closed = 0
        self.session = Session("s1", Caller(), self.sink, self.clock, self._on_closed)
        self.session.window = ByteWindow(WINDOW)
        self.sources = [ScriptedSource(f"meeting/{n}", []) for n in range(3)]
        self.state = State.NEW
        self.ended_with = self.steps = 0

    def _on_closed(self, _session: Session) -> None:
        self.closed += 1

    # Inputs of the table

    @rule(what=st.sampled_from([Input.HELLO, Input.COMMAND, Input.WELCOMED]))
    def apply(self, what: Input) -> None:
        self.session.apply(what)

    @initialize(opened=st.booleans())
    def begin(self, opened: bool) -> None:
        """Half of the sessions begin open and read everything: most of their life is traffic."""
        if opened:
            self.session.apply(Input.HELLO)
            self.session.apply(Input.WELCOMED)
            for source in self.sources:
                source.subscribe(self.session)

    @precondition(lambda self: self.steps > LEAST_LIFE or self.session.state is not State.OPEN)
    @rule(how=st.sampled_from(["go away", "close", "refuse", "abort", "detach"]))
    def end(self, how: str) -> None:
        session, reason = self.session, reasons.ERROR_REASON_DRAINING
        match how:
            case "go away":
                session.go_away(reason, frame_pb2.GO_AWAY_ACTION_RESUME, within=1.0)
            case "close":
                session.close(None, [CONTROL])
            case "refuse":
                session.close(Unavailable(reason, "it goes"), [CONTROL])
            case "abort":
                session.abort(None)
            case _:
                session.detach()

    # Traffic

    @rule()
    def control(self) -> None:
        self.session.send_control(CONTROL)

    @rule(index=st.integers(0, 2), priority=st.integers(1, 4))
    def event(self, index: int, priority: int) -> None:
        source = self.sources[index]
        source.waiting.append((priority, bytes(FRAME_BYTES)))
        subscription = self.session.subscriptions.get(source.name)
        if subscription is not None:
            self.session.offer(subscription)

    @rule(index=st.integers(0, 2))
    def subscribe(self, index: int) -> None:
        source = self.sources[index]
        if self.session.state is not State.CLOSED and source.name not in self.session.subscriptions:
            source.subscribe(self.session)

    @rule(index=st.integers(0, 2))
    def unsubscribe(self, index: int) -> None:
        self.session.remove_subscription(self.sources[index].name)

    @rule(frames=st.integers(0, 40))
    def handled(self, frames: int) -> None:
        """Whole frames, as clients count; the total may go back or beyond what was sent."""
        self.session.on_handled(frames * FRAME_BYTES)

    @rule()
    def transport_takes(self) -> None:
        if not self.sink.writable and not self.sink.closed:
            self.sink.take()

    @rule(seconds=st.floats(0, 20))
    def time_passes(self, seconds: float) -> None:
        self.clock.advance(seconds)

    @rule(seconds=st.floats(0, 60))
    def token(self, seconds: float) -> None:
        self.session.renew(self.clock() + seconds)

    # Laws

    @invariant()
    def life_goes_one_way(self) -> None:
        self.steps += 1
        assert _ORDER.index(self.session.state) >= _ORDER.index(self.state)
        self.state = self.session.state

    @invariant()
    def it_ends_once(self) -> None:
        assert self.closed == (self.session.state is State.CLOSED)
        assert len(self.sink.closed) <= 1

    @invariant()
    def nothing_follows_the_end(self) -> None:
        if self.sink.closed or self.session.ended:
            self.ended_with = self.ended_with or len(self.sink.frames) + 1
            assert len(self.sink.frames) + 1 == self.ended_with

    @invariant()
    def the_window_holds(self) -> None:
        # The last frame may pass the limit by its own size, and one CRITICAL frame may follow it.
        assert 0 <= self.session.window.in_flight < WINDOW + 2 * FRAME_BYTES

    @invariant()
    def nothing_is_sent_without_a_right(self) -> None:
        runs = [frame for frame in self.sink.frames if len(frame) == FRAME_BYTES]
        if self.clock() >= self.session.rights_until:
            self.sent_without = getattr(self, "sent_without", len(runs))
            assert len(runs) == self.sent_without
        else:
            self.sent_without = len(runs)


TestSession = SessionMachine.TestCase
TestSession.settings = settings(max_examples=150, stateful_step_count=60, deadline=None)
