"""Work subscriptions where several instances share them: any session takes part, one leads."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hub.pipeline.work import (
    DEFAULT_LEASE_SECONDS,
    DEFAULT_OUTSTANDING,
    WorkDesk,
    acks_of,
    require,
    result_of,
)
from hub.session.states import State
from hub.work.frames import work_closed_frame, work_opened_frame
from hub.work.near import Membership

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from hub.auth.grants import Principal
    from hub.limits.rates import Rates
    from hub.session.session import Session
    from hub.topics.namespaces import Namespaces
    from hub.work.shared import SharedWork
    from shipspeak.realtime.v1 import frame_pb2


class SharedWorkDesk(WorkDesk):
    """As WorkDesk, for the sessions of one of several instances.

    Args:
        shared: leads to whoever leads.
        namespaces: policies.
        rates: refuse for load.
    """

    def __init__(self, shared: SharedWork, namespaces: Namespaces, rates: Rates) -> None:
        super().__init__(None, namespaces, rates)
        self._shared = shared

    async def open(
        self,
        session: Session,
        principal: Callable[[], Principal],
        request: frame_pb2.OpenWork,
        request_id: int,
    ) -> None:
        """Let a session take part; the answer is WorkOpened, deliveries follow."""
        self._admit(principal(), request)
        wish = Membership(
            session,
            request.name,
            request.pattern,
            request.ordered,
            principal().subject,
            request.max_outstanding or DEFAULT_OUTSTANDING,
            request.ack_deadline.ToMilliseconds() / 1000 or DEFAULT_LEASE_SECONDS,
        )
        members = await self._shared.open(wish)
        if session.state is State.CLOSED:
            self._shared.release(session.session_id, lost=session.lost)
            return
        session.send_control(work_opened_frame(request.name, members, request_id))
        self.renew(session, principal())

    def close(self, session: Session, name: str, request_id: int) -> None:
        """End a membership; the answer is WorkClosed."""
        self._shared.leave(name, session.session_id)
        session.send_control(work_closed_frame(name, request_id=request_id))

    def renew(self, session: Session, principal: Principal) -> None:
        """A newer token: memberships that it has no right to any more end."""
        self._shared.review(session.session_id, lambda pattern: require(principal, pattern))

    async def acknowledge(
        self, acks: Sequence[frame_pb2.Acknowledgement], principal: Principal
    ) -> list[frame_pb2.AcknowledgeResult]:
        """Carry out validated acknowledgements of deliveries, where they are led."""
        answers = await self._shared.acknowledge(acks_of(acks), principal.subject)
        return [result_of(answer) for answer in answers]
