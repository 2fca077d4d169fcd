"""The back end's rooms, put together."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from shipspeak_demo.announcer import Announcer
from shipspeak_demo.desk import Desk
from shipspeak_demo.practice import Aftermath, Rooms
from shipspeak_demo.profile import Profile
from shipspeak_demo.publishing import FactPublisher
from shipspeak_demo.standing import Standings
from shipspeak_demo.store import Meetings, Practices, Told, Uploads
from shipspeak_demo.web.services import Services

if TYPE_CHECKING:
    from collections.abc import Callable

    from shipspeak_demo.settings import Settings
    from shipspeak_demo.store import Database
    from shipspeak_realtime import RealtimeClient


def make_services(
    settings: Settings,
    database: Database,
    hub: RealtimeClient,
    *,
    clock: Callable[[], float] = time.monotonic,
    now: Callable[[], float] = time.time,
) -> Services:
    """Make everything that the routes share; the hub may be away."""
    meetings, practices = Meetings(database, now), Practices(database, now)
    told, standings = Told(database, now), Standings(practices, meetings, now)
    profile = Profile(hub, practices, standings, told, now)
    aftermath = Aftermath(hub, practices, profile)
    return Services(
        settings=settings,
        meetings=meetings,
        uploads=Uploads(database, now),
        announcer=Announcer(FactPublisher(hub, meetings, standings.of)),
        practices=practices,
        told=told,
        rooms=Rooms(hub, practices, aftermath, clock),
        aftermath=aftermath,
        profile=profile,
        desk=Desk(hub, now),
        clock=clock,
        now=now,
    )
