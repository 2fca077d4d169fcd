"""The part of a client that publishes through a durable outbox."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from shipspeak.realtime.v1 import event_pb2
from shipspeak_realtime.contents import duration, make_content, make_draft, seconds
from shipspeak_realtime.durable.rows import NewRow
from shipspeak_realtime.errors import DeadlineError, InvalidRequestError, OutboxError
from shipspeak_realtime.parts import HasParts

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import datetime, timedelta

    from google.protobuf.message import Message

    from shipspeak_realtime.clock import Clock
    from shipspeak_realtime.durable import SqliteOutbox

_LOOK_SECONDS = 0.05
# One call holds it, with room for what is around it (the transports' bound is 4 MiB).
MAX_DRAFT_BYTES = 4 * 1024 * 1024 - 64 * 1024


class DurableFace(HasParts):
    """Publish by way of the disk."""

    _new_id: Callable[[], str]
    _clock: Clock

    @property
    def has_outbox(self) -> bool:
        """Whether there is a `publish_soon`."""
        return self._open_parts().durable is not None

    async def publish_soon(
        self,
        topic: str,
        payload: Message,
        *,
        key: str = "",
        priority: event_pb2.Priority.ValueType = event_pb2.PRIORITY_UNSPECIFIED,
        ttl: timedelta | float | None = None,
        id: str | None = None,  # noqa: A002 - the contract's own word
        attributes: Mapping[str, str] | None = None,
        deliver_at: datetime | None = None,
        traceparent: str = "",
        until_acknowledged: bool = False,
    ) -> str:
        """Write an event to the outbox and return: it is published from there, now or later.

        It waits for the disk (fsync), never for the hub. Events of one topic are stored at the hub
        in the order of these calls, each once, over restarts of this program and of the hub.
        `publish` goes its own way: it does not wait for what stands in the outbox.

        Args:
            topic: kind/id[/more].
            payload: as in `publish`.
            key: events of one key may supersede each other for a receiver that lags.
            priority: lane of delivery.
            ttl: how long it is worth delivering from now on, the wait in the outbox included.
            id: idempotency key; None = a UUIDv7. An id that waits already is kept once.
            attributes: free attributes, at most 32.
            deliver_at: not before this time.
            traceparent: W3C trace context.
            until_acknowledged: as in `publish`.

        Returns:
            Its id.

        Raises:
            InvalidRequestError: EVENT_TOO_LARGE: no call holds it.
            OutboxFullError: a bound of the outbox is reached; nothing was kept.
            OutboxError: the client has no outbox, or its file cannot be written.
        """
        outbox = self._durable()
        content = make_content(
            payload,
            key=key,
            priority=priority,
            attributes=attributes,
            traceparent=traceparent,
            until_acknowledged=until_acknowledged,
        )
        draft = make_draft(topic, content, draft_id=id or self._new_id(), deliver_at=deliver_at)
        if draft.ByteSize() > MAX_DRAFT_BYTES:
            message = f"a draft of {draft.ByteSize()} bytes; {MAX_DRAFT_BYTES} can be sent"
            raise InvalidRequestError(message, reason="EVENT_TOO_LARGE", topic=topic)
        now = self._clock.now()
        expires = None if ttl is None else now + seconds(duration(ttl))
        await outbox.add(NewRow(draft.id, topic, draft.SerializeToString(), now, expires))
        return draft.id

    async def flush_outbox(self, timeout: float | None = None) -> None:  # noqa: ASYNC109 - the error must say how much is left
        """Wait until everything in the outbox is stored at the hub, or was refused.

        Raises:
            DeadlineError: not by then; what is left stays in the outbox.
        """
        outbox = self._durable()
        try:
            async with asyncio.timeout(timeout):
                while (await outbox.state()).waiting:
                    await self._clock.sleep(_LOOK_SECONDS)
        except TimeoutError as error:
            waiting = (await outbox.state()).waiting
            message = f"{waiting} drafts are left in the outbox {outbox.path}"
            raise DeadlineError(message, reason="OUTBOX_NOT_EMPTY") from error

    def _durable(self) -> SqliteOutbox:
        """The outbox.

        Raises:
            OutboxError: there is none.
        """
        durable = self._open_parts().durable
        if durable is None:
            message = "this client has no outbox: give it one, outbox=SqliteOutbox(path)"
            raise OutboxError(message, reason="OUTBOX_MISSING")
        return durable.outbox
