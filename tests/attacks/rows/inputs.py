"""Drafts and frames that break a rule of the contract, at every door that takes them."""

from __future__ import annotations

import json
import math
from typing import TYPE_CHECKING, Any

from google.protobuf.timestamp_pb2 import Timestamp

from shipspeak.realtime.v1 import event_pb2, frame_pb2, notification_pb2
from tests.attacks.attack import PUBLISHING, READING, Act, Attack, Door
from tests.attacks.doors import said_by
from tests.attacks.rows.shared import BOB, STREAMS, on_stream

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.attacks.scene import Scene

INVALID = "INVALID_ARGUMENT"
FIELD_INVALID = f"{INVALID} FIELD_INVALID"
TOPIC_INVALID = f"{INVALID} TOPIC_INVALID"
UNSAFE = f"{INVALID} TEXT_UNSAFE"
MALFORMED = f"{INVALID} FRAME_MALFORMED"
INBOX = "user/bob"


def _publish(make: Callable[[Scene], event_pb2.Draft]) -> Act:
    """With every right there is: it is the draft that is refused."""

    async def act(scene: Scene, door: Door) -> str:
        return await scene.doors.publish(door, scene.keys.token("bob", **BOB), make(scene))

    return act


def _noted(**changes: Any) -> Callable[[Scene], event_pb2.Draft]:
    """A notification with something in it."""

    def make(scene: Scene) -> event_pb2.Draft:
        draft = event_pb2.Draft(id="n1", topic=INBOX)
        note = notification_pb2.Notification(**{"title": "t", **changes})
        draft.content.notification.CopyFrom(note)
        return draft

    return make


def _linked(url: str) -> Callable[[Scene], event_pb2.Draft]:
    action = notification_pb2.NotificationAction(action_id="a", label="l", url=url)
    return _noted(actions=[action])


def _draft(**changes: Any) -> Callable[[Scene], event_pb2.Draft]:
    return lambda scene: scene.draft(changes.get("topic") or scene.topic(), **_but(changes))


def _but(changes: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in changes.items() if name != "topic"}


def _receipt(scene: Scene) -> event_pb2.Draft:
    draft = event_pb2.Draft(id="r1", topic=INBOX)
    draft.content.receipt.event_id = "x"
    return draft


def _bulk(scene: Scene) -> event_pb2.Draft:
    draft = event_pb2.Draft(id="big", topic=scene.topic())
    # What JSON can carry, too.
    draft.content.metrics.metrics.add(name="n", unit="u")
    for number in range(33):
        draft.content.attributes[f"a{number}"] = "x"
    return draft


def _progress(scene: Scene) -> event_pb2.Draft:
    draft = event_pb2.Draft(id="p1", topic=scene.topic())
    draft.content.meeting.stage_progress.fraction = math.nan
    return draft


def _read(topic: str) -> Act:
    async def act(scene: Scene, door: Door) -> str:
        wish = frame_pb2.Subscribe(topic=topic, at=frame_pb2.START_LATEST)
        return await scene.doors.read(door, scene.keys.token("bob", **BOB), wish)

    return act


def _send(data: bytes) -> Act:
    """Raw bytes in place of a frame, on a session."""

    async def act(scene: Scene, door: Door) -> str:
        async def talk(stream: Any) -> str:
            await stream.send_bytes(data)
            said = said_by(await stream.control("error"))
            # The session lives on.
            await stream.send(ping=frame_pb2.Ping(nonce=7))
            assert (await stream.control("pong")).nonce == 7
            return said

        return await on_stream(scene, door, talk)

    return act


def _body(data: bytes) -> Act:
    """Raw bytes in place of a JSON body."""

    async def act(scene: Scene, _door: Door) -> str:
        return await scene.doors.publish_json(data, scene.keys.token())

    return act


def _call(data: bytes) -> Act:
    async def act(scene: Scene, door: Door) -> str:
        answer = await scene.doors.call(door, "Publish", data, scene.keys.token())
        return answer if isinstance(answer, str) else "OK"

    return act


# A group in a group, 10,000 deep: fields that nobody knows are parsed all the same.
_NESTED = b"\xa3\x06" * 10_000 + b"\xa4\x06" * 10_000
_GOOD = frame_pb2.ClientFrame(
    publish=frame_pb2.PublishRequest(drafts=[event_pb2.Draft(id="x", topic="meeting/1")])
).SerializeToString()
_NOT_UTF8 = b"\x1a\x06\x0a\x04\xff\xfe/1"
_ANY = json.dumps(
    {"drafts": [{"id": "a", "topic": "meeting/1", "content": {"other": {"@type": "x/no.Such"}}}]}
).encode()
_TWICE = b'{"drafts": [{"id": "a", "id": "b", "topic": "meeting/1"}]}'


def _row(name: str, sent: str, make: Callable[[Scene], event_pb2.Draft], expected: str) -> Attack:
    return Attack(name, PUBLISHING, sent, _publish(make), expected)


ROWS = (
    _row("a payload that is the hub's", "a receipt", _receipt, f"{INVALID} PAYLOAD_RESERVED"),
    _row("control characters", "ESC in a title", _noted(title="\x1b[2Jx"), UNSAFE),
    _row("bidi override", "U+202E in a body", _noted(body="a\u202eb"), UNSAFE),
    _row("bidi isolate in a label", "U+2066", _noted(title="x\u2066y"), UNSAFE),
    _row(
        "javascript link", "javascript: in an action", _linked("javascript:alert(1)"), FIELD_INVALID
    ),
    _row("data link", "data: in an action", _linked("data:text/html,x"), FIELD_INVALID),
    _row("link without a scheme", "//evil.example", _linked("//evil.example"), FIELD_INVALID),
    _row("link with a backslash", "/\\evil.example", _linked("/\\evil.example"), FIELD_INVALID),
    _row(
        "link with a line end",
        "http, line end, javascript",
        _linked("javascript:x\nhttp://a"),
        FIELD_INVALID,
    ),
    _row("too many attributes", "33 of them", _bulk, FIELD_INVALID),
    _row("an id like a path", "id ../../x", _draft(id="../../x"), FIELD_INVALID),
    _row("an id of the hub's own", "an id with a #", _draft(id="a#b"), FIELD_INVALID),
    _row(
        "a time beyond the calendar",
        "deliver_at in the year 9999",
        _draft(deliver_at=Timestamp(seconds=253_402_300_799)),
        FIELD_INVALID,
    ),
    _row("progress that is no number", "NaN percent", _progress, FIELD_INVALID),
    _row("publish to a wildcard", "topic user/*", _draft(topic="user/*"), TOPIC_INVALID),
    _row(
        "publish to ..", "meeting/../user/bob", _draft(topic="meeting/../user/bob"), TOPIC_INVALID
    ),
    _row(
        "publish to an escaped slash",
        "meeting/..%2fuser",
        _draft(topic="meeting/..%2fuser"),
        TOPIC_INVALID,
    ),
    _row(
        "publish to a line end",
        "meeting/1 and a line end",
        _draft(topic="meeting/1\n"),
        TOPIC_INVALID,
    ),
    _row(
        "publish to another script",
        "a fullwidth solidus",
        _draft(topic="user\uff0fbob/1"),
        TOPIC_INVALID,
    ),
    Attack("read a wildcard", READING, "topic user/*", _read("user/*"), TOPIC_INVALID),
    Attack("read all", READING, "topic user/**", _read("user/**"), TOPIC_INVALID),
    Attack("read ..", READING, "meeting/../user/bob", _read("meeting/../user/bob"), TOPIC_INVALID),
    Attack("read a null byte", READING, "user/bob, NUL", _read("user/bob\x00"), TOPIC_INVALID),
    Attack("garbage frame", STREAMS, "bytes that are no frame", _send(b"\xff" * 100), MALFORMED),
    Attack("truncated frame", STREAMS, "half a frame", _send(_GOOD[: len(_GOOD) // 2]), MALFORMED),
    Attack("deeply nested frame", STREAMS, "10,000 groups", _send(_NESTED), MALFORMED),
    Attack("text that is no UTF-8", STREAMS, "a topic of \\xff", _send(_NOT_UTF8), MALFORMED),
    Attack(
        "deeply nested request",
        (Door.GRPC, Door.GRPC_WEB),
        "10,000 groups",
        _call(_NESTED),
        MALFORMED,
    ),
    Attack(
        "deeply nested JSON", (Door.JSON,), "100,000 brackets", _body(b"[" * 100_000), MALFORMED
    ),
    Attack(
        "JSON nested in drafts",
        (Door.JSON,),
        "20,000 objects",
        _body(b'{"drafts":' * 20_000),
        MALFORMED,
    ),
    Attack(
        "JSON of an unknown type", (Door.JSON,), "an Any that nobody knows", _body(_ANY), MALFORMED
    ),
    Attack("JSON with a key twice", (Door.JSON,), "two ids", _body(_TWICE), MALFORMED),
    Attack(
        "JSON with half a surrogate",
        (Door.JSON,),
        "\\ud800",
        _body(b'{"drafts":[{"id":"\\ud800"}]}'),
        MALFORMED,
    ),
    Attack("JSON that is no UTF-8", (Door.JSON,), "\\xff", _body(b'{"\xff":1}'), MALFORMED),
    Attack(
        "JSON with a huge number",
        (Door.JSON,),
        "1e999999",
        _body(b'{"drafts":[{"expectedOffset":1e999999}]}'),
        MALFORMED,
    ),
)
