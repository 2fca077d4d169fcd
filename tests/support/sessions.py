"""Sessions and topics of the core, without doors: what unit tests of the delivery path build on."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from hub.session.position import Subscription
from hub.session.session import Session
from hub.session.sink import Caller
from hub.session.states import Input
from hub.session.window import ByteWindow
from tests.support.fake_sink import FakeSink
from tests.support.manual_clock import ManualClock

if TYPE_CHECKING:
    from collections.abc import Sequence

    from hub.session.sink import FrameSink


def open_session(
    clock: ManualClock | None = None, sink: FrameSink | None = None, *, window: int = 0
) -> Session:
    """An open session; its sink is a FakeSink unless one is given."""
    session = Session(
        "s1", Caller(), sink or FakeSink(), clock or ManualClock(), lambda _session: None
    )
    session.window = ByteWindow(window)
    session.apply(Input.HELLO)
    session.apply(Input.WELCOMED)
    return session


class ScriptedSource:
    """A RunSource whose frames the test lists: (priority, frame) in order."""

    def __init__(self, name: str, waiting: Sequence[tuple[int, bytes]]) -> None:
        self.name = name
        self.waiting = list(waiting)

    def next_frame(self, _subscription: Subscription, _now_ms: int) -> bytes | None:
        """As in RunSource."""
        return self.waiting.pop(0)[1] if self.waiting else None

    def waiting_priority(self, _subscription: Subscription) -> int:
        """As in RunSource."""
        return min((priority for priority, _ in self.waiting), default=0)

    def needs_log(self, _subscription: Subscription) -> bool:
        """As in RunSource."""
        return False

    def subscribe(self, session: Session) -> Subscription:
        """Begin to deliver to a session."""
        subscription = Subscription(session, self, epoch=1, offset=0, slot=0, rights_until=math.inf)
        session.add_subscription(subscription)
        return subscription
