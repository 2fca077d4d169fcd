"""Revocations: an event of one durable topic each, so that they hold after any restart (G10)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import structlog
from google.protobuf.message import DecodeError

from hub.errors import FailedPrecondition, InvalidArgument
from hub.pipeline.books import enter
from shipspeak.realtime.v1 import admin_service_pb2, event_pb2
from shipspeak.realtime.v1 import error_reason_pb2 as reasons

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from google.protobuf.timestamp_pb2 import Timestamp

    from hub.auth.revocations import Revocations
    from hub.engine.contract import Engine
    from hub.model.events import StoredEvent

log = structlog.get_logger(__name__)

TOPIC: Final = "control/revocations"
# Tokens and users that may be revoked by name: each is in every instance's memory for good.
MAX_NAMED: Final = 100_000
_PAGE_EVENTS: Final = 1_000
_PAGE_BYTES: Final = 1024 * 1024


class RevocationLog:
    """Stores revocations and takes those that are stored, as a feed of their topic.

    Args:
        engine: keeps the topic.
        revocations: what is filled.
        on_revoked: called after each change, to end what goes on by a revoked token.
        clock: seconds since the epoch.
        max_named: tokens and users that may be revoked by name.
    """

    def __init__(
        self,
        engine: Engine,
        revocations: Revocations,
        on_revoked: Callable[[], None],
        clock: Callable[[], float],
        max_named: int = MAX_NAMED,
    ) -> None:
        self._max_named = max_named
        self._engine = engine
        self._revocations = revocations
        self._on_revoked = on_revoked
        self._clock = clock

    async def start(self) -> None:
        """Take everything that is stored, then follow; before the doors open.

        Raises:
            HubError: the topic cannot be read: nobody would know who may not come in.
        """
        head = (await self._engine.open(TOPIC, self)).head
        after = 0
        while after < head:
            page = await self._engine.read(
                TOPIC, after, max_events=_PAGE_EVENTS, max_bytes=_PAGE_BYTES
            )
            for stored in page.events:
                self._take(stored)
            after = page.through

    async def revoke(self, request: admin_service_pb2.RevokeRequest) -> None:
        """Store a validated revocation; when this returns it is in force and survives a crash.

        Raises:
            InvalidArgument: FIELD_INVALID: a time that is none, or lies ahead: it would take back
                tokens that are not issued yet, the administrator's as well, for good.
            FailedPrecondition: REVOCATION_LIMIT. None is ever forgotten to make room.
            HubError: it could not be stored; ask again.
        """
        now_ms = int(self._clock() * 1000)
        if request.HasField("issued_before"):
            _check_time(request.issued_before, now_ms)
        elif self._revocations.named >= self._max_named and not self._is_named(request):
            raise FailedPrecondition(
                reasons.ERROR_REASON_REVOCATION_LIMIT,
                f"{self._max_named} tokens and users are revoked by name; revoke all tokens that "
                "were issued before a time: those that were revoked by name a day before it, or "
                "earlier, then count no more",
                max=self._max_named,
            )
        await enter(self._engine, TOPIC, request, now_ms)
        # The feed may come later; the caller's answer says that it is in force.
        self._apply(request, now_ms)
        self._on_revoked()

    def _is_named(self, request: admin_service_pb2.RevokeRequest) -> bool:
        """Whether it takes no more room: newer tokens of a user are revoked by the same entry."""
        return self._revocations.names(token_id=request.token_id, user=request.user)

    def on_events(self, events: Sequence[StoredEvent]) -> None:
        """Take what was just stored, here or by another instance."""
        for stored in events:
            self._take(stored)
        self._on_revoked()

    def on_trimmed(
        self, floor: int, *, purged: bool = False, more: bool = False, oldest_ms: int = 0
    ) -> None:
        """What was taken stays in force."""

    def on_withdrawn(self, offsets: Sequence[int]) -> None:
        """What was taken stays in force."""

    def _take(self, stored: StoredEvent) -> None:
        request = admin_service_pb2.RevokeRequest()
        try:
            if event_pb2.Event.FromString(stored.data).content.other.Unpack(request):
                self._apply(request, stored.published_ms)
                return
        except (DecodeError, ValueError):
            log.exception("revocation_unreadable", offset=stored.offset)
            return
        # One that cannot be read must not keep the hub from serving by the others.
        log.error("revocation_unreadable", offset=stored.offset)

    def _apply(self, request: admin_service_pb2.RevokeRequest, at_ms: int) -> None:
        kind = request.WhichOneof("target")
        if kind == "token_id":
            self._revocations.add_token(request.token_id, at_ms / 1000)
        elif kind == "user":
            self._revocations.add_user(request.user, at_ms / 1000)
        elif kind == "issued_before":
            self._revocations.add_issued_before(request.issued_before.ToMilliseconds() / 1000)


def _check_time(before: Timestamp, now_ms: int) -> None:
    try:
        good = before.ToMilliseconds() <= now_ms
    except ValueError:
        good = False
    if not good:
        raise InvalidArgument(
            reasons.ERROR_REASON_FIELD_INVALID,
            "issued_before must be a time up to now",
            field="issued_before",
        )
