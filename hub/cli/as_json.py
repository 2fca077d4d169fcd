"""Events as protobuf JSON, also where a packed message is of a type that is not known here."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING, Any

from google.protobuf import (
    duration_pb2,
    struct_pb2,
    timestamp_pb2,
    wrappers_pb2,
)
from google.protobuf.any_pb2 import Any as AnyMessage
from google.protobuf.json_format import MessageToDict

from shipspeak.realtime.v1 import event_pb2

if TYPE_CHECKING:
    from shipspeak_realtime import Event

# Named so that they are loaded: only then can they be unpacked.
WELL_KNOWN = (duration_pb2, struct_pb2, timestamp_pb2, wrappers_pb2)


def payload_json(event: Event) -> dict[str, Any]:
    """The payload as protobuf JSON; empty for a kind that this version does not know.

    A packed message has its type's address as `@type`. Of a type that is not known here, and where
    it cannot be read as what it says, `value` is its bytes in base64.
    """
    payload = event.payload
    if payload is None:
        return {}
    return _packed(payload) if isinstance(payload, AnyMessage) else MessageToDict(payload)


def event_json(event: Event) -> dict[str, Any]:
    """The whole event with its topic; its payload as `payload_json` has it."""
    rest = event.message
    if event.kind == "other":
        rest = event_pb2.Event()
        rest.CopyFrom(event.message)
        rest.content.ClearField("other")
    fields: dict[str, Any] = {"topic": event.topic, **MessageToDict(rest)}
    if event.kind == "other":
        fields.setdefault("content", {})["other"] = payload_json(event)
    return fields


def type_of(event: Event) -> str:
    """Full name of the payload's type, of a packed one its own; empty for an unknown kind."""
    payload = event.payload
    if payload is None:
        return ""
    return payload.TypeName() if isinstance(payload, AnyMessage) else payload.DESCRIPTOR.full_name


def _packed(payload: AnyMessage) -> dict[str, Any]:
    try:
        return MessageToDict(payload)
    except TypeError:
        return {"@type": payload.type_url, "value": base64.b64encode(payload.value).decode()}
