"""A session together with who is behind it, and the work that it has under way."""

from __future__ import annotations

import asyncio
import contextlib
from typing import TYPE_CHECKING

from hub.auth.grants import NOBODY, Principal
from hub.auth.tokens import revoked_error
from hub.errors import NotFound
from hub.limits.seats import Seats
from hub.rpc.status import hub_error_of
from hub.session.frames import error_frame, go_away_frame
from shipspeak.realtime.v1 import error_reason_pb2 as reasons
from shipspeak.realtime.v1.frame_pb2 import GO_AWAY_ACTION_REAUTHENTICATE

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterator

    from hub.auth.revocations import Revocations
    from hub.errors import HubError
    from hub.session.session import Session
    from hub.telemetry.metrics import Metrics

MAX_COMMANDS_IN_FLIGHT = 128


class Connection:
    """One admitted client.

    Commands run side by side, so that a publisher's commits overlap; those of one topic's
    subscription run one after the other. Publishing keeps its order, since a batch reaches the
    engine's queue before its first await and tasks start in the order in which they were made.

    Args:
        session: of the client.
        metrics: refusals are counted by reason.

    Attributes:
        principal: who the client is now; only Admission sets it.
        device, client_id, sdk: as in its Hello.
        updating: held by an UpdateSubscriptions.
    """

    def __init__(self, session: Session, metrics: Metrics) -> None:
        self.session = session
        self.principal: Principal = NOBODY
        self.device = ""
        self.client_id = ""
        self.sdk = ""
        self.updating = asyncio.Lock()
        self._metrics = metrics
        self._gate = asyncio.Semaphore(MAX_COMMANDS_IN_FLIGHT)
        self._tasks: set[asyncio.Task[None]] = set()
        self._last: dict[str, asyncio.Task[None]] = {}

    async def run(
        self,
        command: Callable[[], Awaitable[None]],
        *,
        request_id: int,
        topic: str = "",
        work: str = "",
    ) -> None:
        """Start a command; its refusal becomes an Error frame.

        Waits only while too many are under way.

        Args:
            command: what to do.
            request_id: of the frame, for the answer.
            topic: commands with the same non-empty topic run in order; a refusal names it.
            work: commands on the same work subscription run in order.
        """
        await self._gate.acquire()
        # No topic has a colon in its kind, so that the two cannot be taken for each other.
        key = f"work:{work}" if work else topic
        before = self._last.get(key) if key else None
        task = asyncio.get_running_loop().create_task(self._run(command, request_id, topic, before))
        self._tasks.add(task)
        if key:
            self._last[key] = task
        task.add_done_callback(lambda done: self._done(done, key))

    async def _run(
        self,
        command: Callable[[], Awaitable[None]],
        request_id: int,
        topic: str,
        before: asyncio.Task[None] | None,
    ) -> None:
        if before is not None:
            await asyncio.wait([before])
        try:
            await command()
        except Exception as failure:  # noqa: BLE001 - unknown ones are logged and become INTERNAL
            error = hub_error_of(failure, f"command of session {self.session.session_id}")
            self.refuse(error, request_id=request_id, topic=topic)

    def refuse(self, error: HubError, *, request_id: int = 0, topic: str = "") -> None:
        """Answer with an Error frame; the session goes on."""
        self._metrics.refused.labels(error.reason_name).inc()
        self.session.send_control(error_frame(error, request_id=request_id, topic=topic))

    def _done(self, task: asyncio.Task[None], key: str) -> None:
        self._tasks.discard(task)
        self._gate.release()
        if key and self._last.get(key) is task:
            del self._last[key]

    async def settle(self) -> None:
        """Wait for the commands under way."""
        while self._tasks:
            await asyncio.wait(tuple(self._tasks))

    def cancel(self) -> None:
        """Give up the commands under way; what the engine has accepted is stored all the same."""
        for task in tuple(self._tasks):
            task.cancel()


class Connections:
    """Connections by session id.

    Args:
        max_per_user: sessions of one user, polls under way included; 0 = any number.
    """

    def __init__(self, max_per_user: int = 0) -> None:
        self._by_session: dict[str, Connection] = {}
        self._seats = Seats(max_per_user)

    def add(self, connection: Connection) -> None:
        """Keep a connection, whose principal is known, until its session ends.

        Raises:
            ResourceExhausted: CONNECTION_LIMIT.
        """
        self._seats.take(connection.principal.subject)
        self._by_session[connection.session.session_id] = connection

    @contextlib.contextmanager
    def poll(self, user: str) -> Iterator[None]:
        """Count a poll as a session of a user for as long as it is under way.

        Raises:
            ResourceExhausted: CONNECTION_LIMIT.
        """
        self._seats.take(user)
        try:
            yield
        finally:
            self._seats.leave(user)

    def __iter__(self) -> Iterator[Connection]:
        return iter(tuple(self._by_session.values()))

    def owned_by(self, session_id: str, subject: str) -> Connection:
        """The connection of a unary call, which must come from the session's own principal.

        Raises:
            NotFound: SESSION_UNKNOWN, also for another principal's session, so that ids cannot be
                probed.
        """
        connection = self._by_session.get(session_id)
        if connection is None or connection.principal.subject != subject:
            raise NotFound(
                reasons.ERROR_REASON_SESSION_UNKNOWN,
                "there is no such session of yours here; open a new one",
            )
        return connection

    def end_revoked(self, revocations: Revocations) -> None:
        """Close every session whose token is revoked; its client must come with another one."""
        for connection in self:
            if revocations.covers(connection.principal):
                error = revoked_error()
                farewell = go_away_frame(error.reason, GO_AWAY_ACTION_REAUTHENTICATE, 0)
                connection.session.close(error, [farewell])

    def release(self, session: Session) -> None:
        """The session has ended."""
        connection = self._by_session.pop(session.session_id, None)
        if connection is not None:
            self._seats.leave(connection.principal.subject)
