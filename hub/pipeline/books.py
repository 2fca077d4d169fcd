"""The hub's own books: topics of the namespace ``control``, which the hub alone writes."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING, Final

from hub.engine.contract import Stored
from hub.errors import HubError
from hub.model.events import CRITICAL, Append
from hub.session.frames import timestamp_ms
from shipspeak.realtime.v1 import event_pb2

if TYPE_CHECKING:
    from google.protobuf.message import Message

    from hub.engine.contract import Engine

# No token has this name, so that no erasing of a user reaches what the hub itself has written.
_HUB: Final = ""


async def enter(engine: Engine, topic: str, entry: Message, now_ms: int) -> None:
    """Store an entry; when this returns it survives a crash.

    Raises:
        HubError: it could not be stored.
    """
    content = event_pb2.Content(priority=CRITICAL)
    content.other.Pack(entry)
    event = event_pb2.Event(
        id=uuid.uuid4().hex, content=content, published_at=timestamp_ms(now_ms), publisher=_HUB
    )
    append = Append(
        topic=topic,
        event_id=event.id,
        publisher=_HUB,
        body=event.SerializeToString(),
        priority=CRITICAL,
        key="",
        published_ms=now_ms,
    )
    (result,) = await engine.publish([append])
    if not isinstance(result, Stored):
        raise result if isinstance(result, HubError) else RuntimeError(f"{result} of one draft")
