"""What the routes share, made once by the composition root."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from starlette.requests import Request

    from shipspeak_demo.announcer import Announcer
    from shipspeak_demo.desk import Desk
    from shipspeak_demo.practice import Aftermath, Rooms
    from shipspeak_demo.profile import Profile
    from shipspeak_demo.settings import Settings
    from shipspeak_demo.store import Meetings, Practices, Told, Uploads

LARGEST_UPLOAD = 64 * 1024 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Services:
    """The rooms behind the routes.

    Attributes:
        clock: monotonic seconds, for rates and the spacing of progress.
        now: Unix seconds, for tokens.
        busy: uploads that a PATCH is writing to at this moment.
    """

    settings: Settings
    meetings: Meetings
    uploads: Uploads
    announcer: Announcer
    practices: Practices
    told: Told
    rooms: Rooms
    aftermath: Aftermath
    profile: Profile
    desk: Desk
    clock: Callable[[], float]
    now: Callable[[], float]
    busy: set[str] = field(default_factory=set)


def services_of(request: Request) -> Services:
    """Find the services of the app that answers a request."""
    services: Services = request.app.state.services
    return services
