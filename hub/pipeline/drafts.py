"""What a draft must be, for its namespace and by itself."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hub.errors import InvalidArgument, PermissionDenied, unsafe_text_error
from hub.model.text import unsafe_field
from shipspeak.realtime.v1 import error_reason_pb2 as reasons

if TYPE_CHECKING:
    from hub.topics.namespaces import Namespace
    from shipspeak.realtime.v1 import event_pb2

_HUB_PAYLOADS = frozenset({"receipt"})


def check_draft(draft: event_pb2.Draft, namespace: Namespace, max_event_bytes: int) -> None:
    """Judge a draft that obeys the contract's own rules.

    Raises:
        PermissionDenied: only the hub publishes there.
        InvalidArgument: its payload, its text, its size or its conditions are not for this topic.
    """
    if namespace.hub_only:
        raise PermissionDenied(
            reasons.ERROR_REASON_RIGHT_MISSING,
            f"only the hub publishes to {namespace.name} topics",
            topic=draft.topic,
            right="publish",
        )
    payload = draft.content.WhichOneof("payload") or ""
    if payload in _HUB_PAYLOADS:
        raise InvalidArgument(
            reasons.ERROR_REASON_PAYLOAD_RESERVED,
            f"only the hub publishes {payload}; acknowledge with READ or DISMISS",
            topic=draft.topic,
            payload=payload,
        )
    if payload not in namespace.payloads:
        raise InvalidArgument(
            reasons.ERROR_REASON_PAYLOAD_NOT_ALLOWED,
            f"{namespace.name} topics carry {', '.join(sorted(namespace.payloads))}, not {payload}",
            topic=draft.topic,
            payload=payload,
        )
    if field := unsafe_field(draft.content):
        raise unsafe_text_error(f"content.{field}", draft.topic)
    if draft.content.until_acknowledged and not namespace.personal:
        raise InvalidArgument(
            reasons.ERROR_REASON_FIELD_INVALID,
            "only in a user's own topic can the first acknowledgement withdraw an event",
            topic=draft.topic,
            field="content.until_acknowledged",
        )
    size = draft.content.ByteSize()
    if size > max_event_bytes:
        raise InvalidArgument(
            reasons.ERROR_REASON_EVENT_TOO_LARGE,
            f"the event has {size} bytes; send a link in place of large content",
            topic=draft.topic,
            max_bytes=max_event_bytes,
        )
    if not namespace.topic_class.durable and draft.HasField("expected_offset"):
        raise InvalidArgument(
            reasons.ERROR_REASON_FIELD_INVALID,
            "volatile topics have no offsets to expect",
            topic=draft.topic,
            field="expected_offset",
        )
