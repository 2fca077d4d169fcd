"""What an instance under strain refuses, so that the sessions it has go on."""

from __future__ import annotations

import random
from enum import Enum
from typing import TYPE_CHECKING, Final

from hub.errors import Unavailable
from hub.limits.overload import Level
from hub.model.events import CRITICAL, LOW
from shipspeak.realtime.v1 import error_reason_pb2 as reasons

if TYPE_CHECKING:
    from collections.abc import Callable

    from hub.limits.overload import Overload

# Those refused are told to come back after this, up to twice as much: not all at one time.
RETRY_SECONDS: Final = 2.0


class Work(Enum):
    """What may be refused, with its name in the metrics, and the level from which on it is."""

    SESSION = "session", Level.STRAINED
    SUBSCRIPTION = "subscription", Level.STRAINED
    LOOK = "look", Level.STRAINED
    LEAST_DRAFT = "least_draft", Level.STRAINED
    POLL = "poll", Level.OVERLOADED
    DRAFT = "draft", Level.OVERLOADED

    def __init__(self, label: str, refused_from: int) -> None:
        self.label = label
        self.refused_from = refused_from


# By the name of the RPC. All others end something, keep a session, or are an administrator's.
CALLS: Final = {
    "Poll": Work.POLL,
    "ReadHistory": Work.LOOK,
    "ReadPresence": Work.LOOK,
}


class Shedding:
    """Refuses work by the level.

    Args:
        overload: tells the level.
        on_shed: told of each refusal, with the work's name.
        chance: gives 0 up to 1, to spread those who come back.
    """

    def __init__(
        self,
        overload: Overload,
        on_shed: Callable[[str], None],
        chance: Callable[[], float] = random.random,
    ) -> None:
        self._overload = overload
        self._on_shed = on_shed
        self._chance = chance

    def admit(self, work: Work, topic: str = "") -> None:
        """Let work in, or refuse it.

        Raises:
            Unavailable: OVERLOADED, with the time after which to try again.
        """
        if self._overload.level >= work.refused_from:
            self._on_shed(work.label)
            raise Unavailable(
                reasons.ERROR_REASON_OVERLOADED,
                "this instance takes nothing new until it has caught up; "
                "send it again after the time told",
                topic=topic,
                retry_after=RETRY_SECONDS * (1.0 + self._chance()),
            )

    def admit_call(self, rpc: str) -> None:
        """Let a unary call in, or refuse it. Raises: Unavailable, as `admit`."""
        if (work := CALLS.get(rpc)) is not None:
            self.admit(work)

    def admit_draft(self, topic: str, priority: int, *, durable: bool) -> None:
        """Let a draft in by its priority and its class, or refuse it; a CRITICAL one always passes.

        Raises:
            Unavailable: as `admit`.
        """
        if priority == CRITICAL:
            return
        least = not durable or priority == LOW
        self.admit(Work.LEAST_DRAFT if least else Work.DRAFT, topic)
