"""Practice sessions, notifications and progress, published to a real hub and read from it."""

from __future__ import annotations

import asyncio
import secrets
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from hub.auth.tokens import mint
from shipspeak.realtime.v1 import notification_pb2, practice_pb2
from shipspeak_realtime import Event, Outcome, RealtimeClient, UserProgress

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Sequence

    from tests.support.hub_process import HubProcess

SECONDS = 40
DAY = timedelta(days=1)
SECRET = "integration-secret-0123456789abcdef"
DISMISSED = notification_pb2.RECEIPT_STATE_DISMISSED
WITHDRAWN = notification_pb2.RECEIPT_STATE_WITHDRAWN


@pytest.fixture
async def hub(shared_hub: HubProcess) -> AsyncIterator[RealtimeClient]:
    async with RealtimeClient(shared_hub.grpc) as client:
        yield client


@pytest.fixture
def locked_hub(start_hub: Callable[..., HubProcess]) -> HubProcess:
    """A hub that knows who is who."""
    return start_hub(env={"RTHUB_AUTH_HS256_SECRET": SECRET}, dev=False)


def as_user(
    hub: HubProcess, subject: str, device: str = "", publish: Sequence[str] = ()
) -> RealtimeClient:
    token = mint(
        SECRET,
        subject=subject,
        issuer="shipspeak",
        audience="shipspeak-realtime",
        lifetime=300,
        publish=list(publish),
        subscribe=["user/{sub}", "system/all"],
        presence=[],
        work=[],
        admin=False,
    )
    return RealtimeClient(hub.grpc, token=token, device_id=device)


@pytest.fixture
def user() -> str:
    return f"u{secrets.token_hex(4)}"


async def kept(hub: RealtimeClient, topic: str) -> list[Event]:
    return list((await hub.read_history(topic, limit=100)).events)


async def test_a_practice_session_from_its_first_hint_to_its_summary(
    hub: RealtimeClient, user: str
) -> None:
    """B1, B2, B3, B4."""
    for _ in range(2):  # a worker that starts over tells no milestone and no summary twice
        async with hub.practice(user) as practice:
            assert await practice.hint("pace", "Slower.", within=30) is not None
            practice.score(70, {"clarity": 80})
            await practice.milestone("first-minute", "One minute")
            practice.analytics(30)
    events = await kept(hub, practice.topic)
    updates = [
        event.payload for event in events if isinstance(event.payload, practice_pb2.PracticeUpdate)
    ]
    assert len(updates) == len(events)
    kinds = [update.WhichOneof("update") for update in updates]
    assert (kinds.count("hint"), kinds.count("milestone")) == (2, 1)
    assert kinds.count("score") >= 1
    finals = [update for update in updates if update.analytics.final]
    assert len(finals) == 1
    (first,) = [event for event in await kept(hub, practice.topic) if event.offset == 1]
    assert first.expires_at is not None


async def test_a_hint_that_has_become_old_is_not_delivered(hub: RealtimeClient, user: str) -> None:
    """B1, G9."""
    async with hub.practice(user) as practice:
        while (receipt := await practice.hint("pace", "Slower.", within=2.0)) is None:
            pass  # on a busy machine the hub may not take it in time
        while await kept(hub, practice.topic):
            pass
        await practice.milestone("m", "The milestone after it")
        async with hub.subscribe(practice.topic, start="earliest") as reader:
            event = await anext(aiter(reader))
        assert event.offset == receipt.offset + 1


async def test_each_of_the_five_kinds_arrives_with_its_time(hub: RealtimeClient, user: str) -> None:
    """C1."""
    news, now = hub.notifications, datetime.now(UTC)
    # Everybody's topic is shared by all tests: what is for all is told to one here, but one.
    await news.maintenance("Down tonight", starts_at=now + DAY, ends_at=now + 2 * DAY, to=user)
    await news.feature("Themes", to=user, worth=3 * DAY)
    later = await news.reminder(user, "Practise", at=now + DAY)
    await news.reminder(user, "Practise now", at=now)
    await news.achievement(user, "ten-meetings", "Ten meetings")
    again = await news.achievement(user, "ten-meetings", "Ten meetings")
    await news.education("How to pause", to=user)
    assert later.outcome is Outcome.SCHEDULED
    assert again.duplicate
    events = await kept(hub, f"user/{user}")
    told = [
        event.payload
        for event in events
        if isinstance(event.payload, notification_pb2.Notification)
    ]
    names = notification_pb2.NotificationKind
    kinds = [names.Name(one.kind).removeprefix("NOTIFICATION_KIND_").lower() for one in told]
    assert kinds == ["maintenance", "feature", "reminder", "achievement", "education"]
    ends = dict(zip(kinds, [event.expires_at for event in events], strict=True))
    assert ends.pop("achievement") is None
    spans = {kind: round((at - now) / DAY, 1) for kind, at in ends.items() if at is not None}
    assert spans == {"maintenance": 2, "feature": 3, "reminder": 1, "education": 14}
    assert await news.cancel(later)
    assert not await news.cancel(later)


async def receipt_update(events: AsyncIterator[Event]) -> notification_pb2.ReceiptUpdate:
    """The next change of an event's state."""
    while True:
        event = await anext(events)
        if isinstance(event.payload, notification_pb2.ReceiptUpdate):
            return event.payload


async def test_what_one_device_puts_away_is_gone_from_the_users_others(
    locked_hub: HubProcess,
) -> None:
    """C1, E4: a reminder when it is seen; what everybody is told, for that user alone."""
    now = datetime.now(UTC)
    async with (
        as_user(locked_hub, "news", publish=["user/*", "system/*"]) as service,
        as_user(locked_hub, "ann", "phone") as phone,
        as_user(locked_hub, "ann", "laptop") as laptop,
        asyncio.timeout(SECONDS),
    ):
        news = service.notifications
        inbox = aiter(laptop.subscribe("user/ann", start="earliest"))
        reminder = await news.reminder("ann", "Practise", at=now)
        assert (await anext(inbox)).offset == reminder.offset
        (event,) = await kept(phone, "user/ann")
        await phone.mark_read(event)
        update = await receipt_update(inbox)
        assert (update.offset, update.state) == (reminder.offset, WITHDRAWN)
        announced = await news.maintenance(
            "Down now", starts_at=now, ends_at=now + DAY, critical=True
        )
        assert announced.topic == "system/all"
        (event,) = await kept(phone, "system/all")
        await phone.dismiss(event)
        update = await receipt_update(inbox)
        assert (update.topic, update.offset) == ("system/all", announced.offset)
        assert update.state == DISMISSED
        await news.withdraw(announced)
        texts = [one.payload for one in await kept(laptop, "system/all")]
        assert not any(isinstance(text, notification_pb2.Notification) for text in texts)


async def test_maintenance_that_is_over_before_it_is_told_is_refused(
    hub: RealtimeClient, user: str
) -> None:
    now = datetime.now(UTC)
    with pytest.raises(ValueError, match="before it is announced"):
        await hub.notifications.maintenance(
            "Late", starts_at=now - DAY, ends_at=now + DAY, announce_at=now + 2 * DAY, to=user
        )
    with pytest.raises(TypeError, match="time zone"):
        await hub.notifications.reminder(user, "When?", at=datetime(2030, 1, 1))  # noqa: DTZ001


async def test_who_comes_late_has_a_users_progress_at_once(hub: RealtimeClient, user: str) -> None:
    """A2 for a user: the newest state is the whole state."""
    for level in (1, 2, 3):
        state = UserProgress(level, 10.5 * level, streak_days=4, goals={"ten-meetings": 0.4})
        receipt = await hub.publish_user_progress(user, state)
    async with hub.subscribe(receipt.topic, last=1) as reader:
        events = aiter(reader)
        assert UserProgress.of(await anext(events)) == state
        await hub.publish_user_progress(user, UserProgress(level=4))
        assert UserProgress.of(await anext(events)) == UserProgress(level=4)
