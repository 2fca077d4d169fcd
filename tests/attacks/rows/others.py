"""What is another user's: inboxes, cursors, sessions, drafts, deliveries; and the hub's own."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from google.protobuf.duration_pb2 import Duration
from google.protobuf.timestamp_pb2 import Timestamp

from shipspeak.realtime.v1 import (
    event_pb2,
    frame_pb2,
    realtime_service_pb2,
)
from tests.attacks.attack import PUBLISHING, READING, Attack, Door
from tests.attacks.doors import said_by
from tests.attacks.identities import HOUR
from tests.attacks.rows.shared import BOB, CALLS, DENIED, told
from tests.support.raw_client import RawClient
from tests.support.work_member import Member, acks

if TYPE_CHECKING:
    from tests.attacks.scene import Scene


NO_SESSION = "NOT_FOUND SESSION_UNKNOWN"
LATEST = frame_pb2.START_LATEST


async def _publish_to_inbox(scene: Scene, door: Door) -> str:
    draft = scene.draft("user/bob")
    return await scene.doors.publish(door, scene.keys.token(), draft)


async def _read_inbox(scene: Scene, door: Door) -> str:
    wish = frame_pb2.Subscribe(topic="user/bob", at=frame_pb2.START_EARLIEST)
    return await scene.doors.read(door, scene.keys.token(), wish)


async def _inbox_history(scene: Scene, door: Door) -> str:
    request = realtime_service_pb2.ReadHistoryRequest(topic="user/bob")
    return told(await scene.doors.call(door, "ReadHistory", request, scene.keys.token()))


async def _inbox_below(scene: Scene, door: Door) -> str:
    wish = frame_pb2.Subscribe(topic="user/bob/progress", last=1)
    return await scene.doors.read(door, scene.keys.token(), wish)


def _named_like(subject: str) -> Any:
    async def act(scene: Scene, door: Door) -> str:
        """The user's name is a pattern, or a path."""
        wish = frame_pb2.Subscribe(topic="user/bob", at=LATEST)
        return await scene.doors.read(door, scene.keys.token(subject), wish)

    return act


async def _read_receipt(scene: Scene, door: Door) -> str:
    """Marks a message of another user's inbox as read."""
    request = frame_pb2.AcknowledgeRequest()
    target = frame_pb2.TopicEventId(topic="user/bob", event_id="x", offset=1)
    request.acks.add(event=target, verb=frame_pb2.VERB_READ)
    answer = await scene.doors.call(door, "Acknowledge", request, scene.keys.token())
    return answer if isinstance(answer, str) else said_by(answer.results[0].error)


async def _withdraw(scene: Scene, door: Door) -> str:
    """Takes back what another has published."""
    topic = scene.topic()
    draft = scene.draft(topic)
    stored = await scene.doors.publish(Door.GRPC, scene.keys.token("bob", **BOB), draft)
    assert stored == "STORED", stored
    request = frame_pb2.AcknowledgeRequest()
    target = frame_pb2.TopicEventId(topic=topic, event_id=draft.id, offset=1, publisher="bob")
    request.acks.add(event=target, verb=frame_pb2.VERB_WITHDRAW)
    answer = await scene.doors.call(door, "Acknowledge", request, scene.keys.token())
    return answer if isinstance(answer, str) else said_by(answer.results[0].error)


async def _cancel(scene: Scene, door: Door) -> str:
    """Cancels another's scheduled draft."""
    draft = scene.draft(scene.topic(), deliver_at=Timestamp(seconds=int(time.time() + HOUR)))
    stored = await scene.doors.publish(Door.GRPC, scene.keys.token("bob", **BOB), draft)
    assert stored == "SCHEDULED", stored
    request = realtime_service_pb2.CancelScheduledRequest(topic=draft.topic, id=draft.id)
    return told(await scene.doors.call(door, "CancelScheduled", request, scene.keys.token()))


async def _cursor_of_inbox(scene: Scene, door: Door) -> str:
    """A cursor is no right: the one of another's inbox opens nothing."""
    cursor = await _cursor(scene, "user/bob")
    wish = frame_pb2.Subscribe(topic="user/bob", position=event_pb2.Position(cursor=cursor))
    return await scene.doors.read(door, scene.keys.token(), wish)


async def _cursor_elsewhere(scene: Scene, door: Door) -> str:
    """The cursor of another's inbox, shown for the own one."""
    cursor = await _cursor(scene, "user/bob")
    wish = frame_pb2.Subscribe(topic="user/mallory", position=event_pb2.Position(cursor=cursor))
    return await scene.doors.read(door, scene.keys.token(), wish)


async def _cursor(scene: Scene, topic: str) -> bytes:
    async with RawClient(scene.hub.grpc, scene.keys.token("bob", **BOB)) as bob:
        stream, _ = await bob.session()
        return (await stream.subscribe(topic, at=LATEST)).position.cursor


def _session_call(make: Any) -> Any:
    """A call on the session of another user."""

    async def act(scene: Scene, door: Door) -> str:
        async with RawClient(scene.hub.grpc, scene.keys.token("bob", **BOB)) as bob:
            listening = bob.listen(frame_pb2.Subscribe(topic="meeting/b", at=LATEST))
            session_id = (await listening.read()).welcome.session_id
            name, request = make(scene, session_id)
            return told(await scene.doors.call(door, name, request, scene.keys.token()))

    return act


def _touch(_scene: Scene, session_id: str) -> tuple[str, Any]:
    return "Touch", realtime_service_pb2.TouchRequest(session_id=session_id)


def _present_for(_scene: Scene, session_id: str) -> tuple[str, Any]:
    presence = frame_pb2.SetPresence(topic="meeting/b", state=frame_pb2.PRESENCE_STATE_ACTIVE)
    return "Touch", realtime_service_pb2.TouchRequest(session_id=session_id, presence=presence)


def _update(_scene: Scene, session_id: str) -> tuple[str, Any]:
    request = realtime_service_pb2.UpdateSubscriptionsRequest(session_id=session_id, revision=9)
    return "UpdateSubscriptions", request


def _refresh(scene: Scene, session_id: str) -> tuple[str, Any]:
    token = scene.keys.token()
    return "RefreshSession", realtime_service_pb2.RefreshSessionRequest(
        session_id=session_id, token=token
    )


async def _delivery(scene: Scene, door: Door) -> str:
    """Acknowledges what another member has in hand."""
    topic = scene.topic()
    async with RawClient(scene.hub.grpc, scene.keys.token("bob", **BOB)) as bob:
        member = await Member.join(
            bob, topic.replace("/", "-"), topic, ack_deadline=Duration(seconds=600)
        )
        await bob.publish(scene.draft(topic))
        (delivery,) = await member.deliveries(1)
        request = acks(frame_pb2.VERB_ACK, delivery)
        answer = await scene.doors.call(door, "Acknowledge", request, scene.keys.token())
        said = answer if isinstance(answer, str) else said_by(answer.results[0].error)
        await member.ack(delivery)
        return said


ROWS = (
    Attack(
        "another's inbox, written", PUBLISHING, "a draft to user/bob", _publish_to_inbox, DENIED
    ),
    Attack("another's inbox, read", READING, "a subscription to user/bob", _read_inbox, DENIED),
    Attack("below another's inbox", READING, "user/bob/progress", _inbox_below, DENIED),
    Attack("another's history", CALLS, "ReadHistory of user/bob", _inbox_history, DENIED),
    Attack(
        "a user named *", READING, "sub *, whose {sub} would match all", _named_like("*"), DENIED
    ),
    Attack("a user named like a path", READING, "sub bob/..", _named_like("bob/.."), DENIED),
    Attack("a user named **", READING, "sub **", _named_like("**"), DENIED),
    Attack("another's receipt", CALLS, "READ of an event in user/bob", _read_receipt, DENIED),
    Attack(
        "another's event withdrawn",
        CALLS,
        "WITHDRAW of an event of bob's",
        _withdraw,
        "NOT_FOUND EVENT_UNKNOWN",
    ),
    Attack(
        "another's scheduled draft",
        CALLS,
        "CancelScheduled of bob's id",
        _cancel,
        "NOT_FOUND SCHEDULE_UNKNOWN",
    ),
    Attack("another's cursor", READING, "user/bob from bob's own cursor", _cursor_of_inbox, DENIED),
    Attack(
        "a cursor of another topic",
        READING,
        "the own inbox from bob's cursor",
        _cursor_elsewhere,
        "INVALID_ARGUMENT CURSOR_INVALID",
    ),
    Attack("another's session touched", CALLS, "Touch", _session_call(_touch), NO_SESSION),
    Attack(
        "presence for another's session",
        CALLS,
        "Touch with presence",
        _session_call(_present_for),
        NO_SESSION,
    ),
    Attack(
        "another's subscriptions",
        CALLS,
        "UpdateSubscriptions with an empty set",
        _session_call(_update),
        NO_SESSION,
    ),
    Attack(
        "another's session refreshed",
        CALLS,
        "RefreshSession with the own token",
        _session_call(_refresh),
        NO_SESSION,
    ),
    Attack(
        "another's delivery",
        CALLS,
        "ACK of a delivery id in bob's hands",
        _delivery,
        "NOT_FOUND DELIVERY_UNKNOWN",
    ),
)
