"""The end of a meeting as a notice in its owner's inbox: there until the owner has seen it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from shipspeak.realtime.v1 import notification_pb2 as pb
from shipspeak_demo.facts import Completed, Failed

if TYPE_CHECKING:
    from shipspeak_demo.store import Meeting

_LONGEST_TITLE = 160


def notice_of(fact: Completed | Failed, meeting: Meeting) -> pb.Notification:
    """Say how a meeting ended, with a link to it."""
    title = meeting.title[:_LONGEST_TITLE]
    done = isinstance(fact, Completed)
    return pb.Notification(
        severity=pb.SEVERITY_SUCCESS if done else pb.SEVERITY_WARNING,
        title=f"{title} is ready" if done else f"{title} could not be analysed",
        body=fact.summary if isinstance(fact, Completed) else fact.message,
        actions=[
            pb.NotificationAction(
                action_id="open",
                label="See the result" if done else "See the ways out",
                url=meeting_link(meeting.id),
            )
        ],
    )


def meeting_link(meeting_id: str) -> str:
    """Where the page shows a meeting."""
    return f"/#/meetings/{meeting_id}"
