"""The Python SDK of ShipSpeak Realtime: publish and consume typed events.

::

    from shipspeak_realtime import RealtimeClient

    async with RealtimeClient("127.0.0.1:50051") as hub:
        async for event in hub.subscribe("meeting/42", start="earliest"):
            print(event.offset, event.payload)

The typed messages are in `shipspeak.realtime.v1`.
"""

from __future__ import annotations

from shipspeak_realtime.admin import AdminClient
from shipspeak_realtime.analytics import AnalyticsStream, figures_of
from shipspeak_realtime.asgi import RealtimeMiddleware, RequestFailure, events_of
from shipspeak_realtime.changes import ConnectionChange
from shipspeak_realtime.client import RealtimeClient
from shipspeak_realtime.contents import make_content, make_draft
from shipspeak_realtime.cursor import Cursor
from shipspeak_realtime.delivery import Delivery, Reject
from shipspeak_realtime.describe import describe
from shipspeak_realtime.durable import OutboxState, RefusedDraft, SqliteOutbox
from shipspeak_realtime.errors import (
    AuthError,
    ClosedError,
    DeadlineError,
    InvalidRequestError,
    NetworkError,
    OutboxError,
    OutboxFullError,
    PermissionDeniedError,
    ProtocolError,
    RealtimeError,
    ServerBusyError,
    ServerError,
    UnsupportedError,
)
from shipspeak_realtime.events import Event
from shipspeak_realtime.health import Health, check_health
from shipspeak_realtime.ids import IdFactory
from shipspeak_realtime.meeting import MeetingPublisher, stable_ids
from shipspeak_realtime.notifications import NotificationPublisher
from shipspeak_realtime.pages import Page, PollAnswer
from shipspeak_realtime.practice import PracticePublisher
from shipspeak_realtime.presence import Member, Members, PresenceReader
from shipspeak_realtime.receipts import Outcome, Receipt
from shipspeak_realtime.stage import StagePublisher
from shipspeak_realtime.states import State
from shipspeak_realtime.stats import Stats
from shipspeak_realtime.subscription import Subscription
from shipspeak_realtime.tls import tls_credentials
from shipspeak_realtime.user_progress import UserProgress
from shipspeak_realtime.verdicts import LeftOut, Verdict, VerdictKind
from shipspeak_realtime.version import VERSION
from shipspeak_realtime.work import Work, retry_delay
from shipspeak_realtime.worker import RealtimeWorker

__all__ = [
    "VERSION",
    "AdminClient",
    "AnalyticsStream",
    "AuthError",
    "ClosedError",
    "ConnectionChange",
    "Cursor",
    "DeadlineError",
    "Delivery",
    "Event",
    "Health",
    "IdFactory",
    "InvalidRequestError",
    "LeftOut",
    "MeetingPublisher",
    "Member",
    "Members",
    "NetworkError",
    "NotificationPublisher",
    "OutboxError",
    "OutboxFullError",
    "OutboxState",
    "Outcome",
    "Page",
    "PermissionDeniedError",
    "PollAnswer",
    "PracticePublisher",
    "PresenceReader",
    "ProtocolError",
    "RealtimeClient",
    "RealtimeError",
    "RealtimeMiddleware",
    "RealtimeWorker",
    "Receipt",
    "RefusedDraft",
    "Reject",
    "RequestFailure",
    "ServerBusyError",
    "ServerError",
    "SqliteOutbox",
    "StagePublisher",
    "State",
    "Stats",
    "Subscription",
    "UnsupportedError",
    "UserProgress",
    "Verdict",
    "VerdictKind",
    "Work",
    "check_health",
    "describe",
    "events_of",
    "figures_of",
    "make_content",
    "make_draft",
    "retry_delay",
    "stable_ids",
    "tls_credentials",
]
