"""The SDK's public names: adding one is a decision, and taking one away breaks someone."""

from __future__ import annotations

import shipspeak_realtime

PUBLIC = [
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


def test_the_public_names_are_these():
    assert sorted(shipspeak_realtime.__all__) == sorted(PUBLIC)


def test_each_public_name_exists_and_says_what_it_is():
    silent = [
        name
        for name in shipspeak_realtime.__all__
        if callable(getattr(shipspeak_realtime, name))
        and not getattr(shipspeak_realtime, name).__doc__
    ]
    assert silent == []
