"""The part of a client that publishes events."""

from __future__ import annotations

from typing import TYPE_CHECKING

from shipspeak.realtime.v1 import event_pb2
from shipspeak_realtime.contents import make_content, make_draft
from shipspeak_realtime.many import publish_many
from shipspeak_realtime.parts import HasParts

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from datetime import datetime, timedelta

    from google.protobuf.message import Message

    from shipspeak_realtime.receipts import Receipt

PUBLISH_TIMEOUT_SECONDS = 30.0


class PublishFace(HasParts):
    """Publish one event, or many."""

    _new_id: Callable[[], str]

    async def publish(
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
        expected_offset: int | None = None,
        traceparent: str = "",
        until_acknowledged: bool = False,
        timeout: float | None = PUBLISH_TIMEOUT_SECONDS,  # noqa: ASYNC109 - see publish.py
    ) -> Receipt:
        """Publish one event and wait for the hub's word that it is stored.

        Events of this client on one topic are stored in the order of these calls. A hub that is
        away is waited for, with the same id, until `timeout`.

        Args:
            topic: kind/id[/more].
            payload: a typed update or one of its inner messages, an Any, or any other message (see
                `make_content`).
            key: events of one key may supersede each other for a receiver that lags.
            priority: lane of delivery.
            ttl: how long it is worth delivering, seconds or a timedelta; None = no end.
            id: idempotency key; None = a UUIDv7. The same id is stored once.
            attributes: free attributes, at most 32.
            deliver_at: not before this time, at most 365 days ahead; None = now. The receipt says
                SCHEDULED; `ttl` counts from that time.
            expected_offset: store only if this is the topic's head.
            traceparent: W3C trace context.
            until_acknowledged: in a user's own topic (`user/<id>`): the first of the user's devices
                that marks it read or dismisses it withdraws it from all of them.
            timeout: seconds; None = for ever.

        Raises:
            DeadlineError: no receipt in time: publish again with the same id (`error.request_id`).
            RealtimeError: the hub's refusal, typed.
        """
        content = make_content(
            payload,
            key=key,
            priority=priority,
            attributes=attributes,
            traceparent=traceparent,
            until_acknowledged=until_acknowledged,
        )
        draft = make_draft(
            topic,
            content,
            draft_id=id or self._new_id(),
            ttl=ttl,
            deliver_at=deliver_at,
            expected_offset=expected_offset,
        )
        return await self._open_parts().publisher.publish(draft, timeout)

    async def publish_many(
        self,
        drafts: Iterable[event_pb2.Draft],
        *,
        all_or_nothing: bool = False,
        timeout: float | None = PUBLISH_TIMEOUT_SECONDS,  # noqa: ASYNC109 - see publish.py
    ) -> Sequence[Receipt]:
        """Publish drafts (see `make_draft`), in order within each topic, and wait for all receipts.

        Any number: they are taken as the outbox has room. What is published meanwhile by other
        calls may land between them.

        Args:
            drafts: stay as they are; one without an id is sent with a UUIDv7.
            all_or_nothing: store all or none, as one batch; one topic, at most 500 drafts.
            timeout: seconds for all of them; None = for ever.

        Raises:
            RealtimeError: the first failure, in the order of the drafts, once all have ended.
        """
        publisher = self._open_parts().publisher
        own = (self._own(draft) for draft in drafts)
        return await publish_many(publisher, own, timeout, all_or_nothing=all_or_nothing)

    def _own(self, draft: event_pb2.Draft) -> event_pb2.Draft:
        """A copy with an id: the caller's draft stays as it was given."""
        own = event_pb2.Draft()
        own.CopyFrom(draft)
        own.id = own.id or self._new_id()
        return own
