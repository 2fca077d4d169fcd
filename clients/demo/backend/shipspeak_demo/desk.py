"""Announcements to everybody, and reminders that people set for themselves."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Literal, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Callable

    from shipspeak_realtime import RealtimeClient, Receipt

Kind: TypeAlias = Literal["maintenance", "feature", "education"]
KINDS: tuple[Kind, ...] = ("maintenance", "feature", "education")


@dataclass(frozen=True, slots=True, kw_only=True)
class Announcement:
    """What is announced.

    Attributes:
        kind: maintenance, feature or education.
        in_s: seconds until it is told; maintenance is told at once and begins then.
        lasts_s: seconds that it is worth reading from then on; maintenance lasts so long.
    """

    kind: Kind
    title: str
    body: str
    in_s: float
    lasts_s: float


class Desk:
    """Publishes to ``system/all``.

    Args:
        now: Unix seconds.
    """

    def __init__(self, hub: RealtimeClient, now: Callable[[], float]) -> None:
        self._hub = hub
        self._now = now

    async def announce(self, news: Announcement) -> Receipt:
        """Tell everybody, now or later; raises RealtimeError where the hub does not take it."""
        at = self.moment(news.in_s)
        lasts = timedelta(seconds=news.lasts_s)
        publisher = self._hub.notifications
        if news.kind == "maintenance":
            return await publisher.maintenance(
                news.title, news.body, starts_at=at, ends_at=at + lasts
            )
        later = at if news.in_s else None
        if news.kind == "feature":
            return await publisher.feature(news.title, news.body, at=later, worth=lasts)
        return await publisher.education(news.title, news.body, at=later, worth=lasts)

    def moment(self, in_s: float) -> datetime:
        """So many seconds from now."""
        return datetime.fromtimestamp(self._now() + in_s, UTC)
