"""Notifications of the five kinds, to one user or to all, now or later, with an end."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final

from shipspeak.realtime.v1 import event_pb2, notification_pb2
from shipspeak_realtime.meeting import stable_ids

if TYPE_CHECKING:
    from collections.abc import Iterable

    from shipspeak_realtime.client import RealtimeClient
    from shipspeak_realtime.clock import Clock
    from shipspeak_realtime.receipts import Receipt

#: The topic that everybody reads.
EVERYBODY: Final = "system/all"
#: How long each kind is worth reading, unless its call says otherwise.
FEATURE_WORTH: Final = timedelta(days=30)
REMINDER_WORTH: Final = timedelta(days=1)
EDUCATION_WORTH: Final = timedelta(days=14)
# What nobody has withdrawn is worth reading for a moment at least: a ttl must be above 0.
_LEAST_SECONDS = 1.0


class NotificationPublisher:
    """Publishes notifications; `RealtimeClient.notifications`.

    `to` is a user's id, whose inbox `user/<id>` keeps it for all devices; None is everybody, who
    reads `system/all`. The receipt of each call can be given to `withdraw`; what waits for its time
    is taken back by `cancel`.
    """

    def __init__(self, client: RealtimeClient, clock: Clock) -> None:
        self._client, self._clock = client, clock
        self._ids = stable_ids("news")

    async def maintenance(
        self,
        title: str,
        body: str = "",
        *,
        starts_at: datetime,
        ends_at: datetime,
        announce_at: datetime | None = None,
        to: str | None = None,
        critical: bool = False,
        actions: Iterable[notification_pb2.NotificationAction] = (),
        id: str | None = None,  # noqa: A002 - the contract's own word
    ) -> Receipt:
        """Announce work on the product; nobody is told of it any more when it is over.

        Args:
            title: one line of plain text.
            body: plain text; may be empty.
            starts_at: when it begins, with a time zone.
            ends_at: when it ends.
            announce_at: not before this time; None = now.
            to: a user; None = everybody.
            critical: it cannot wait to be seen.
            actions: at most 3, best first.
            id: idempotency key; None = a new one.

        Raises:
            ValueError: it ends before it is announced.
        """
        severity = notification_pb2.SEVERITY_CRITICAL if critical else _WARNING
        kind = notification_pb2.NOTIFICATION_KIND_MAINTENANCE
        news = _news(kind, severity, title, body, actions)
        news.starts_at.FromDatetime(_utc(starts_at))
        news.ends_at.FromDatetime(_utc(ends_at))
        return await self._publish(to, news, announce_at, self._until(ends_at, announce_at), id)

    async def feature(
        self,
        title: str,
        body: str = "",
        *,
        at: datetime | None = None,
        worth: timedelta = FEATURE_WORTH,
        to: str | None = None,
        actions: Iterable[notification_pb2.NotificationAction] = (),
        id: str | None = None,  # noqa: A002 - the contract's own word
    ) -> Receipt:
        """Tell of something new in the product.

        Args:
            title: one line of plain text.
            body: plain text; may be empty.
            at: not before this time; None = now.
            worth: how long it is worth reading, from then on.
            to: a user; None = everybody.
            actions: at most 3, best first.
            id: idempotency key; None = a new one.
        """
        kind = notification_pb2.NOTIFICATION_KIND_FEATURE
        return await self._publish(to, _news(kind, _INFO, title, body, actions), at, worth, id)

    async def reminder(
        self,
        to: str,
        title: str,
        body: str = "",
        *,
        at: datetime,
        worth: timedelta = REMINDER_WORTH,
        actions: Iterable[notification_pb2.NotificationAction] = (),
        id: str | None = None,  # noqa: A002 - the contract's own word
    ) -> Receipt:
        """Remind a user at a time; seen on one device, it is gone from all.

        Args:
            to: the user.
            title: one line of plain text.
            body: plain text; may be empty.
            at: when; until then it can be taken back by `cancel`.
            worth: how long it is worth reading, from then on.
            actions: at most 3, best first.
            id: idempotency key; None = a new one.
        """
        news = _news(notification_pb2.NOTIFICATION_KIND_REMINDER, _INFO, title, body, actions)
        news.starts_at.FromDatetime(_utc(at))
        return await self._publish(to, news, at, worth, id, until_acknowledged=True)

    async def achievement(
        self,
        to: str,
        key: str,
        title: str,
        body: str = "",
        *,
        actions: Iterable[notification_pb2.NotificationAction] = (),
    ) -> Receipt:
        """Tell a user of an achievement, once: the same one again is stored no second time.

        That holds for as long as the hub remembers ids (`RTHUB_DEDUP_LIFETIME`).

        Args:
            to: the user.
            key: names the achievement, such as "ten-meetings"; its id follows from it and the user.
            title: one line of plain text.
            body: plain text; may be empty.
            actions: at most 3, best first.
        """
        kind = notification_pb2.NOTIFICATION_KIND_ACHIEVEMENT
        news = _news(kind, notification_pb2.SEVERITY_SUCCESS, title, body, actions)
        draft_id = self._ids(f"achievement:{to}:{key}")
        return await self._publish(to, news, None, None, draft_id)

    async def education(
        self,
        title: str,
        body: str = "",
        *,
        at: datetime | None = None,
        worth: timedelta = EDUCATION_WORTH,
        to: str | None = None,
        actions: Iterable[notification_pb2.NotificationAction] = (),
        id: str | None = None,  # noqa: A002 - the contract's own word
    ) -> Receipt:
        """Offer something to learn; arguments as in `feature`."""
        kind = notification_pb2.NOTIFICATION_KIND_EDUCATION
        return await self._publish(to, _news(kind, _INFO, title, body, actions), at, worth, id)

    async def cancel(self, receipt: Receipt) -> bool:
        """Take back one that waits for its time; False = it has been published, or never was."""
        return await self._client.cancel_scheduled(receipt.topic, receipt.id)

    async def withdraw(self, *receipts: Receipt) -> None:
        """Take back published ones: from all devices, and from the inbox of who comes later."""
        await self._client.withdraw(*receipts)

    def _until(self, ends_at: datetime, announce_at: datetime | None) -> timedelta:
        now = datetime.fromtimestamp(self._clock.now(), UTC)
        # A ttl counts from the announcement, where that is later than now.
        told_at = now if announce_at is None else max(now, _utc(announce_at))
        worth = _utc(ends_at) - told_at
        if worth.total_seconds() < _LEAST_SECONDS:
            message = f"it ends at {ends_at}, before it is announced"
            raise ValueError(message)
        return worth

    async def _publish(
        self,
        to: str | None,
        news: notification_pb2.Notification,
        at: datetime | None,
        worth: timedelta | None,
        draft_id: str | None,
        *,
        until_acknowledged: bool = False,
    ) -> Receipt:
        urgent = news.severity == notification_pb2.SEVERITY_CRITICAL
        return await self._client.publish(
            EVERYBODY if to is None else f"user/{to}",
            news,
            priority=event_pb2.PRIORITY_CRITICAL if urgent else event_pb2.PRIORITY_NORMAL,
            ttl=worth,
            deliver_at=at,
            id=draft_id,
            until_acknowledged=until_acknowledged,
        )


_INFO = notification_pb2.SEVERITY_INFO
_WARNING = notification_pb2.SEVERITY_WARNING


def _news(
    kind: notification_pb2.NotificationKind.ValueType,
    severity: notification_pb2.Severity.ValueType,
    title: str,
    body: str,
    actions: Iterable[notification_pb2.NotificationAction],
) -> notification_pb2.Notification:
    return notification_pb2.Notification(
        kind=kind, severity=severity, title=title, body=body, actions=actions
    )


def _utc(at: datetime) -> datetime:
    """Raises TypeError for a time without a zone."""
    if at.tzinfo is None:
        message = "a time needs a time zone"
        raise TypeError(message)
    return at.astimezone(UTC)
