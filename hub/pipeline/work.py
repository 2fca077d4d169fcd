"""Work subscriptions: rights, topics and sizes first, then to the coordinator."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hub.errors import HubError, InvalidArgument
from hub.limits.shedding import Work
from hub.session.frames import error_message
from hub.session.states import State
from hub.topics.namespaces import CONTROL, DEAD
from hub.topics.patterns import check_pattern
from hub.work.acks import Ack
from hub.work.frames import work_closed_frame, work_opened_frame
from shipspeak.realtime.v1 import error_reason_pb2 as reasons
from shipspeak.realtime.v1 import frame_pb2

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from hub.auth.grants import Principal
    from hub.limits.rates import Rates
    from hub.session.session import Session
    from hub.topics.namespaces import Namespaces
    from hub.work.coordinator import WorkCoordinator

DEFAULT_OUTSTANDING = 16
DEFAULT_LEASE_SECONDS = 30.0


class WorkDesk:
    """Opens and closes memberships, and takes acknowledgements of deliveries.

    Args:
        coordinator: of all work subscriptions; None where other instances may lead them.
        namespaces: policies.
        rates: refuse for load; None = nothing is.
    """

    def __init__(
        self,
        coordinator: WorkCoordinator | None,
        namespaces: Namespaces,
        rates: Rates | None = None,
    ) -> None:
        self._rates = rates
        self._led = coordinator
        self._namespaces = namespaces

    @property
    def _coordinator(self) -> WorkCoordinator:
        if self._led is None:
            raise RuntimeError("another instance may lead")
        return self._led

    async def open(
        self,
        session: Session,
        principal: Callable[[], Principal],
        request: frame_pb2.OpenWork,
        request_id: int,
    ) -> None:
        """Let a session take part; the answer is WorkOpened, deliveries follow.

        Args:
            session: gets the events.
            principal: gives the session's principal now; asked again once the subscription is
                there, since a refresh may have come meanwhile.
            request: validated.
            request_id: of the frame, for the answer.

        Raises:
            HubError: TOPIC_INVALID, NAMESPACE_UNKNOWN, RIGHT_MISSING, FIELD_INVALID (another
                pattern or order than the first member's, or a volatile namespace), WORK_LIMIT,
                OVERLOADED.
        """
        self._admit(principal(), request)
        await self._coordinator.ensure(request.name, request.pattern, ordered=request.ordered)
        if session.state is State.CLOSED:
            return
        require(principal(), request.pattern)
        lease = request.ack_deadline.ToMilliseconds() / 1000 or DEFAULT_LEASE_SECONDS
        outstanding = request.max_outstanding or DEFAULT_OUTSTANDING
        members = self._coordinator.join(
            request.name,
            session,
            principal().subject,
            max_outstanding=outstanding,
            lease_seconds=lease,
        )
        session.send_control(work_opened_frame(request.name, members, request_id))

    def _admit(self, principal: Principal, request: frame_pb2.OpenWork) -> None:
        if self._rates is not None:
            self._rates.admit(Work.SUBSCRIPTION)
        self._check_topics(request.pattern)
        require(principal, request.pattern)

    def close(self, session: Session, name: str, request_id: int) -> None:
        """End a membership; the answer is WorkClosed.

        Raises:
            NotFound: WORK_UNKNOWN.
        """
        self._coordinator.leave(name, session.session_id)
        session.send_control(work_closed_frame(name, request_id=request_id))

    def renew(self, session: Session, principal: Principal) -> None:
        """A newer token: memberships that it has no right to any more end."""
        self._coordinator.review(session.session_id, lambda pattern: require(principal, pattern))

    async def acknowledge(
        self, acks: Sequence[frame_pb2.Acknowledgement], principal: Principal
    ) -> list[frame_pb2.AcknowledgeResult]:
        """Carry out validated acknowledgements of deliveries; one result each, after commit."""
        answers = await self._coordinator.acknowledge(acks_of(acks), principal.subject)
        return [result_of(answer) for answer in answers]

    def _check_topics(self, pattern: str) -> None:
        kind = check_pattern(pattern)
        namespace = self._namespaces.named(kind, pattern)
        if not namespace.topic_class.durable:
            raise _refused(f"{kind} topics keep no events, so that none can be handed out again")
        if kind in (DEAD, CONTROL):
            raise _refused("dead letters are read and replayed, not worked on")


def require(principal: Principal, pattern: str) -> None:
    """Check the rights to take part in a work subscription.

    Raises:
        PermissionDenied: RIGHT_MISSING.
    """
    principal.require_pattern("work", pattern)
    principal.require_pattern("subscribe", pattern)


def acks_of(acks: Sequence[frame_pb2.Acknowledgement]) -> list[Ack]:
    """Validated acknowledgements, as the coordinator takes them."""
    return [Ack(ack.delivery_id, ack.verb, ack.delay.ToMilliseconds() / 1000) for ack in acks]


def result_of(error: HubError | None) -> frame_pb2.AcknowledgeResult:
    """The answer to one; None = committed."""
    result = frame_pb2.AcknowledgeResult()
    if error is not None:
        result.error.CopyFrom(error_message(error))
    return result


def _refused(why: str) -> InvalidArgument:
    return InvalidArgument(reasons.ERROR_REASON_FIELD_INVALID, why, field="open_work.pattern")
