"""Which rates there are, and what is said to whoever exceeds one."""

from __future__ import annotations

import ipaddress
import time
from typing import TYPE_CHECKING, Final
from urllib.parse import unquote

from hub.errors import InvalidArgument, ResourceExhausted
from hub.limits.bucket import Bucket, Rate
from hub.limits.buckets import Buckets
from hub.limits.shedding import Work
from hub.model.events import NORMAL
from shipspeak.realtime.v1 import error_reason_pb2 as reasons

if TYPE_CHECKING:
    from collections.abc import Callable

    from hub.limits.shedding import Shedding
    from hub.settings import Settings


# A client that comes back says at once all that it has said before, in a hundred topics at most.
PRESENCE_BURST = 100
_PREFIX_BITS: Final = 64


class Rates:
    """All rates of one instance; a burst is two seconds' worth.

    Args:
        settings: ``rate_*``.
        clock: seconds that only rise.
        shedding: refuses for load; None = nothing is.
    """

    def __init__(
        self,
        settings: Settings,
        clock: Callable[[], float] = time.monotonic,
        shedding: Shedding | None = None,
    ) -> None:
        self._clock = clock
        self._shedding = shedding
        self._frames = _rate(settings.rate_frames_per_connection)
        self._users = Buckets(_rate(settings.rate_drafts_per_user), clock)
        self._topics = Buckets(_rate(settings.rate_drafts_per_topic), clock)
        presence = settings.rate_presence_per_session
        self._presence = Buckets(Rate(presence, PRESENCE_BURST + 2 * presence), clock)
        self._handshake_rate = settings.rate_handshakes
        self._opening = Buckets(_rate(settings.rate_connects_per_address), clock)
        self._handshakes = Bucket(_rate(settings.rate_handshakes), clock())
        self._calls = Buckets(_rate(settings.rate_calls_per_address), clock)

    def check_together(self, topic: str, count: int) -> None:
        """So many drafts are to be taken for a topic together, or none of them.

        Raises:
            InvalidArgument: BATCH_TOO_LARGE: no wait lets them through.
        """
        for buckets, setting in (
            (self._users, "RTHUB_RATE_DRAFTS_PER_USER"),
            (self._topics, "RTHUB_RATE_DRAFTS_PER_TOPIC"),
        ):
            if count > buckets.most:
                most = int(buckets.most)
                raise InvalidArgument(
                    reasons.ERROR_REASON_BATCH_TOO_LARGE,
                    f"{count} drafts all or nothing are more than the rate ever lets through "
                    f"together; send at most {most}, or have {setting} raised",
                    topic=topic,
                    max_events=most,
                )

    def draft(
        self,
        user: str,
        topic: str,
        *,
        priority: int = NORMAL,
        durable: bool = True,
        count: int = 1,
    ) -> None:
        """One draft of a user is about to be taken for a topic.

        Args:
            user: who publishes.
            topic: where to.
            priority: of the draft.
            durable: whether it is to be stored.
            count: drafts to count now: those of a batch that is taken whole or not at all count
                with its first one, and 0 with the others.

        Raises:
            ResourceExhausted: RATE_LIMITED, with the time after which it may be sent again.
            Unavailable: OVERLOADED, likewise.
        """
        if self._shedding is not None:
            self._shedding.admit_draft(topic, priority, durable=durable)
        if not count:
            return
        if wait := self._users.take(user, count):
            raise _limited(f"{user or 'anonymous'} publishes faster than allowed", wait, topic)
        if wait := self._topics.take(topic, count):
            self._users.give_back(user, count)
            raise _limited(f"{topic} gets events faster than allowed", wait, topic)

    def give_back(self, user: str, topic: str, count: int) -> None:
        """Nothing came of drafts that were counted."""
        self._users.give_back(user, count)
        self._topics.give_back(topic, count)

    def presence(self, session_id: str, topic: str) -> None:
        """A session is about to change what others see of it in a topic.

        Raises:
            ResourceExhausted: RATE_LIMITED.
        """
        if wait := self._presence.take(session_id):
            raise _limited("a session changes its presence faster than allowed", wait, topic)

    def session_ended(self, session_id: str) -> None:
        """Nothing more comes from a session."""
        self._presence.forget(session_id)

    def opening(self, peer: str) -> None:
        """A session is about to be opened from an address.

        Raises:
            ResourceExhausted: RATE_LIMITED.
            Unavailable: OVERLOADED.
        """
        self.admit(Work.SESSION)
        if wait := self._opening.take(address_of(peer)):
            raise _limited("too many sessions are opened from this address", wait)
        if self._handshake_rate and (wait := self._handshakes.take(self._clock())):
            raise _limited("this instance opens too many sessions", wait)

    def admit(self, work: Work, topic: str = "") -> None:
        """Something new is about to begin. Raises: Unavailable: OVERLOADED."""
        if self._shedding is not None:
            self._shedding.admit(work, topic)

    def call(self, peer: str, rpc: str) -> None:
        """A unary call came from an address.

        Raises:
            ResourceExhausted: RATE_LIMITED.
            Unavailable: OVERLOADED.
        """
        if self._shedding is not None:
            self._shedding.admit_call(rpc)
        if wait := self._calls.take(address_of(peer)):
            raise _limited("too many calls come from this address", wait)

    def frames(self) -> Bucket | None:
        """The bucket of one connection's frames; None = no limit."""
        return Bucket(self._frames, self._clock()) if self._frames.per_second else None

    def frame(self, bucket: Bucket) -> float:
        """Seconds to wait before the next frame of a connection is taken; its peer feels it."""
        return bucket.owe(self._clock())


def address_of(peer: str) -> str:
    """A peer without its port: all connections of one machine, or of those behind one proxy.

    Of an IPv6 address its /64: that is what a network gives to one customer, who may use all of it.
    """
    if not peer.startswith(("ipv4:", "ipv6:", "http:")):
        return peer
    address = peer.rpartition(":")[0]
    kind, _, host = address.partition(":")
    try:
        # A zone (fe80::1%eth0) is this machine's affair.
        parsed = ipaddress.IPv6Address(unquote(host).strip("[]").partition("%")[0])
    except ValueError:
        return address
    if parsed.ipv4_mapped is not None:
        return f"ipv4:{parsed.ipv4_mapped}"
    return f"{kind}:{ipaddress.IPv6Network((parsed, _PREFIX_BITS), strict=False)}"


def _rate(per_second: float) -> Rate:
    return Rate(per_second, max(1.0, 2 * per_second))


def _limited(problem: str, wait: float, topic: str = "") -> ResourceExhausted:
    return ResourceExhausted(
        reasons.ERROR_REASON_RATE_LIMITED,
        f"{problem}; send it again after the time told",
        topic=topic,
        retry_after=wait,
    )
