"""Rights that another service decides: asked for what a token does not allow, kept for a while.

It fails closed: what was not answered, or answered badly, is not allowed. What a token allows needs
nobody, so that a hub whose authorizer is down serves on by tokens.
"""

from __future__ import annotations

import asyncio
import time
from collections import OrderedDict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import structlog

from hub.auth.circuit import Circuit
from hub.errors import PermissionDenied, Unavailable
from hub.topics.namespaces import is_control
from shipspeak.realtime.v1 import error_reason_pb2 as reasons

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable

    # Whether (subject, action, topic) is allowed; any exception = nobody knows.
    Ask = Callable[[str, str, str], Awaitable[bool]]
    Key = tuple[str, str, str]

log = structlog.get_logger(__name__)

MAX_KEPT: Final = 10_000
MAX_ASKED: Final = 32
_RETRY_SECONDS: Final = 2.0


@dataclass(frozen=True, slots=True)
class _Decision:
    allowed: bool
    until: float


class Authorizer:
    """Asks, and remembers what was answered.

    Args:
        ask: the service.
        clock: seconds since the epoch, by which decisions end.
        timeout: seconds that one question may take, waiting for its turn included.
        keep: seconds that an answer counts.
        count: told how each question ended: allowed, denied, failed, skipped.
        rising: seconds that only rise.

    Attributes:
        keep: as given.
    """

    def __init__(
        self,
        ask: Ask,
        clock: Callable[[], float],
        *,
        timeout: float,
        keep: float,
        count: Callable[[str], None],
        rising: Callable[[], float] = time.monotonic,
    ) -> None:
        self._ask = ask
        self._clock = clock
        self._timeout = timeout
        self.keep = keep
        self._count = count
        self._rising = rising
        self._kept: OrderedDict[Key, _Decision] = OrderedDict()
        self._asking: dict[Key, asyncio.Task[None]] = {}
        self._gate = asyncio.Semaphore(MAX_ASKED)
        self._circuit = Circuit()

    def __len__(self) -> int:
        return len(self._kept)

    async def prepare(
        self, subject: str, action: str, topics: Iterable[str], *, again: bool = False
    ) -> None:
        """Have answers ready for `require`; questions on their way are shared, none is repeated.

        Args:
            subject: who.
            action: "publish" or "subscribe".
            topics: where; the hub's own books are nobody's to allow.
            again: ask also where an answer still counts; until the new one comes, it does.
        """
        now = self._clock()
        keys = [(subject, action, topic) for topic in topics if not is_control(topic)]
        wanted = [key for key in keys if again or self._known(key, now) is None]
        if wanted:
            # Whoever goes away does not end a question that others wait for.
            await asyncio.wait([self._question(key) for key in wanted])

    def require(self, subject: str, action: str, topic: str) -> float:
        """Check what was answered.

        Returns:
            Until when it is allowed, in seconds since the epoch.

        Raises:
            PermissionDenied: RIGHT_MISSING: it is not allowed.
            Unavailable: AUTHORIZER_UNAVAILABLE: nobody knows.
        """
        decision = self._known((subject, action, topic), self._clock())
        if decision is None and not is_control(topic):
            raise Unavailable(
                reasons.ERROR_REASON_AUTHORIZER_UNAVAILABLE,
                "whoever decides this right does not answer; try again",
                topic=topic,
                retry_after=_RETRY_SECONDS,
            )
        if decision is None or not decision.allowed:
            raise PermissionDenied(
                reasons.ERROR_REASON_RIGHT_MISSING,
                f"{subject} has no {action} right on {topic}",
                topic=topic,
                right=action,
            )
        return decision.until

    async def stop(self) -> None:
        """Ask nothing any more."""
        for task in tuple(self._asking.values()):
            task.cancel()
        if self._asking:
            await asyncio.wait(tuple(self._asking.values()))

    def _known(self, key: Key, now: float) -> _Decision | None:
        decision = self._kept.get(key)
        return decision if decision is not None and now < decision.until else None

    def _question(self, key: Key) -> asyncio.Task[None]:
        task = self._asking.get(key)
        if task is None:
            task = self._asking[key] = asyncio.get_running_loop().create_task(self._put(key))
            task.add_done_callback(lambda _: self._asking.pop(key, None))
        return task

    async def _put(self, key: Key) -> None:
        """Ask one question; a failure leaves what was known."""
        if not self._circuit.allows(self._rising()):
            self._count("skipped")
            return
        asked = False
        try:
            async with asyncio.timeout(self._timeout), self._gate:
                asked = True
                allowed = await self._ask(*key)
        except Exception as error:  # noqa: BLE001 - whatever it is, nobody knows the answer
            if asked:
                self._failed(error)
            else:
                # Many wait for their turn: that is no fault of whom they would ask.
                self._count("skipped")
            return
        if self._circuit.open:
            log.info("authorizer_answers_again")
        self._circuit.succeeded()
        self._count("allowed" if allowed else "denied")
        self._kept.pop(key, None)
        self._kept[key] = _Decision(allowed, self._clock() + self.keep)
        if len(self._kept) > MAX_KEPT:
            self._kept.popitem(last=False)

    def _failed(self, error: Exception) -> None:
        was_open = self._circuit.open
        self._circuit.failed(self._rising())
        self._count("failed")
        if self._circuit.open and not was_open:
            log.warning(
                "authorizer_left_alone",
                error=f"{type(error).__name__}: {error}"[:200],
                effect="what tokens do not allow is refused until it answers",
            )
