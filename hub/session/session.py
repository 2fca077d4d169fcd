"""One connected client: its rights, its subscriptions and its way out. No I/O, no own clock."""

from __future__ import annotations

import math
from collections import deque
from typing import TYPE_CHECKING

from hub.session import frames
from hub.session.states import TRANSITIONS, Effect, Input, State
from hub.session.turns import Turns
from hub.session.window import ByteWindow
from hub.session.work_side import WorkSide

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from hub.errors import HubError, ReasonValue
    from hub.session.position import FramesInFlight, Subscription
    from hub.session.sink import Caller, FrameSink
    from shipspeak.realtime.v1 import frame_pb2

# A peer that asks and never reads its answers is not read from any more beyond this.
MAX_CONTROL_FRAMES = 1_000


class Session:
    """A client's session.

    Args:
        session_id: names it in unary calls.
        caller: what the door knows of the call.
        sink: the way out; its ``on_writable`` is taken over.
        clock: seconds since the epoch.
        on_closed: called once when the session ends.
    """

    def __init__(
        self,
        session_id: str,
        caller: Caller,
        sink: FrameSink,
        clock: Callable[[], float],
        on_closed: Callable[[Session], None],
    ) -> None:
        self.session_id = session_id
        self.caller = caller
        self.sink = sink
        self.state = State.NEW
        self.rights_until = math.inf
        self.window = ByteWindow(0)
        self.subscriptions: dict[str, Subscription] = {}
        self.revision = 0
        self.opened_at = clock()
        self.last_heard = self.opened_at
        self.rights_since = self.opened_at
        self.next_heartbeat = math.inf
        self.expiry_told = False
        # Why its silence ends it even without a window: others rely on it.
        self.live_for: set[str] = set()
        # The client ended it of its own will.
        self.left = False
        # It broke off: nobody ended it.
        self.lost = False
        self.work = WorkSide(self)
        self._in_flight: FramesInFlight | None = None
        self._clock = clock
        self._on_closed = on_closed
        self._controls: deque[bytes] = deque()
        self._turns = Turns()
        self._closing: HubError | None = None
        self._ended = False
        sink.on_writable = self._on_writable

    def apply(self, what: Input) -> Effect:
        """Move through the table and give the effect that the caller must carry out."""
        self.state, effect = TRANSITIONS[self.state, what]
        return effect

    def heard(self) -> None:
        """The peer gave a sign of life."""
        self.last_heard = self._clock()

    # Out

    @property
    def must_live(self) -> bool:
        """Whether its silence ends it even without a window."""
        return bool(self.live_for)

    @property
    def closed(self) -> bool:
        """Whether nothing more is sent, beyond what is queued."""
        return self.state is State.CLOSED

    @property
    def control_backlog(self) -> int:
        """Control frames that the transport has not taken yet."""
        return len(self._controls)

    def send_control(self, frame: bytes) -> None:
        """Queue a control frame; control frames go before runs."""
        if self.state is State.CLOSED:
            return
        self._controls.append(frame)
        self.pump()

    def queue_control(self, frame: bytes) -> None:
        """Queue a control frame from inside a source's ``next_frame``: it goes before the run."""
        self._controls.append(frame)

    def page_read(self, subscription: Subscription) -> None:
        """The read of the log that a source began for this session is over."""
        self._turns.read(subscription)
        self.offer(subscription)

    def offer(self, subscription: Subscription, now: float | None = None) -> None:
        """Send what a topic has for this session, now or when sink and window allow.

        The straight way through is for the common case, a session that waits for nothing: a flush
        comes here once per reader.

        Args:
            subscription: the session's place in the topic.
            now: seconds since the epoch; None = ask the clock.
        """
        if subscription.ended:
            # A flush under way, or a read of the log, still held it.
            return
        others_wait = self._turns.busy or self._controls or self.work.waiting
        if others_wait or self.state is not State.OPEN:
            self._wait(subscription, now)
            self.pump()
            return
        sink, window = self.sink, self.window
        if not sink.writable or not window.open:
            self._wait(subscription, now)
            if sink.writable:
                self.pump()
            return
        now = self._clock() if now is None else now
        if now >= self.rights_until or now >= subscription.rights_until:
            return
        source = subscription.source
        frame = source.next_frame(subscription, int(now * 1000))
        if frame is None:
            if subscription.reading:
                self._turns.begun(subscription)
            elif self._controls:
                self._wait(subscription, now)
                self.pump()
            return
        window.sent += len(frame)
        sink.send(frame)
        if source.waiting_priority(subscription):
            self._wait(subscription, now)
            self.pump()

    def hasten(self, subscription: Subscription) -> None:
        """Something urgent has come: where runs wait, it takes its turn before the topic's flush.

        A flush is paced, and until it comes the topic would stand in the lane of what it had (G8).
        """
        if self._turns.busy:
            self.offer(subscription)

    def _wait(self, subscription: Subscription, now: float | None) -> None:
        self._turns.wait(subscription, self._clock() if now is None else now)

    def join_in_flight(self, frames_in_flight: FramesInFlight) -> bool:
        """Have a flush told when the frame in flight is taken by the transport.

        Returns:
            False when none is in flight, or another flush waits for it.
        """
        if self.sink.writable or self._in_flight is not None:
            return False
        self._in_flight = frames_in_flight
        return True

    def pump(self) -> None:
        """Send what may be sent: control frames first, the rest while the window is open."""
        sink = self.sink
        while sink.writable and not self._ended:
            if self._controls:
                self._send_control(sink)
                continue
            if self.state is State.CLOSED:
                self._ended = True
                sink.close(self._closing)
                return
            now = self._clock()
            may_deliver = now < self.rights_until and self.work.ready(now)
            if may_deliver and self.work.has_turn(
                runs=bool(self._turns), critical=self._turns.critical
            ):
                self._deliver(sink)
                continue
            frame = self._turns.next_frame(self.window, self.rights_until, now, self._controls)
            if frame is not None:
                self.work.passed()
                self.window.on_sent(len(frame))
                sink.send(frame)
            elif self._controls:
                continue
            elif may_deliver:
                self._deliver(sink)
            else:
                return

    def _deliver(self, sink: FrameSink) -> None:
        sink.send(self.work.take())
        self.work.tell_room()

    def _send_control(self, sink: FrameSink) -> None:
        sink.send(self._controls.popleft())
        self.work.tell_room()

    def _tell_in_flight(self) -> None:
        in_flight, self._in_flight = self._in_flight, None
        if in_flight is not None:
            in_flight.taken()

    def _on_writable(self) -> None:
        self._tell_in_flight()
        self.pump()

    # In

    def on_handled(self, total: int) -> None:
        """Take a window report: running total of handled bytes."""
        self.heard()
        self.window.on_handled(total)
        self.pump()
        self.work.tell_room()

    def add_subscription(self, subscription: Subscription) -> None:
        """Start sending a topic."""
        self.subscriptions[subscription.source.name] = subscription
        self.offer(subscription)

    def remove_subscription(self, topic: str) -> Subscription | None:
        """Stop sending a topic; its subscription, if there was one."""
        subscription = self.subscriptions.pop(topic, None)
        if subscription is not None:
            subscription.ended = True
            self._turns.forget(subscription)
        return subscription

    def renew(self, rights_until: float) -> None:
        """A new token: the rights go on, and so does what was held back when the old one ended.

        Args:
            rights_until: seconds since the epoch.
        """
        self.heard()
        if rights_until != self.rights_until:
            self.rights_until = rights_until
            self.rights_since = self.last_heard
            self.expiry_told = False
        for subscription in self.subscriptions.values():
            self.offer(subscription)
        self.pump()

    # Life

    @property
    def ended(self) -> bool:
        """Whether the sink has been told that nothing more comes."""
        return self._ended

    def lagging(self) -> bool:
        """Whether anything waits for this session (so that no complete_as_of may be claimed)."""
        return bool(self._controls) or any(
            subscription.source.waiting_priority(subscription)
            for subscription in self.subscriptions.values()
        )

    def go_away(
        self, reason: ReasonValue, action: frame_pb2.GoAwayAction.ValueType, within: float
    ) -> None:
        """Announce the end; ``within`` seconds to spread the return over."""
        effect = self.apply(Input.DRAIN)
        if effect is Effect.SEND_GO_AWAY:
            self._controls.append(frames.go_away_frame(reason, action, within))
            self.pump()
        elif effect is Effect.END_STREAM:
            self._end()

    def close(
        self, error: HubError | None, last_frames: Iterable[bytes] = (), *, lost: bool = False
    ) -> None:
        """End the stream with a status, after the control frames queued and ``last_frames``.

        Args:
            error: the status; None = the client ended it.
            last_frames: control frames.
            lost: the client has broken off without a word.
        """
        if self.state is State.CLOSED:
            return
        self._controls.extend(last_frames)
        self._closing = error
        self.left = error is None
        self.lost = lost
        if self.apply(Input.CLOSE) is Effect.END_STREAM:
            self._end()

    def abort(self, error: HubError | None) -> None:
        """End the stream without what is queued: the transport is stuck, or has failed.

        Args:
            error: its status, unless the session was closed with another one before.
        """
        if self._ended:
            return
        self._ended = True
        self._controls.clear()
        if self.state is not State.CLOSED:
            self.lost = True
            self._closing = error
            self.apply(Input.CLOSE)
            self._release()
        self.sink.close(self._closing)

    def detach(self) -> None:
        """The peer is gone."""
        already = self.state is State.CLOSED
        # While draining, going is what it was asked for.
        self.lost = self.lost or self.state is State.OPEN
        self.apply(Input.PEER_GONE)
        self._ended = True
        self._controls.clear()
        if not already:
            self._release()

    def _end(self) -> None:
        self._release()
        self.pump()

    def _release(self) -> None:
        self._tell_in_flight()
        self.work.clear()
        self._on_closed(self)
