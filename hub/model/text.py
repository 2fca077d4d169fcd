"""Text that people will read must not steer how it, or what stands beside it, is shown."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from google.protobuf.message import Message

# Control characters but tab and line ends; embeddings, overrides and isolates of the bidirectional
# algorithm (Unicode UAX #9 section 2), which can make text read as another. Marks (LRM, RLM, ALM)
# and joiners stay: scripts and emoji need them.
_UNSAFE: Final = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")


def is_unsafe(text: str) -> bool:
    """Whether a text holds a character that must not be shown."""
    return _UNSAFE.search(text) is not None


def unsafe_field(message: Message) -> str:
    """The path of the first text in a message that must not be shown; empty = all may.

    Looks into nested messages, lists and maps.
    """
    for field, value in message.ListFields():
        name = field.name
        if field.type == field.TYPE_STRING:
            if isinstance(value, str):
                if _UNSAFE.search(value):
                    return name
            else:
                for index, text in enumerate(value):
                    if _UNSAFE.search(text):
                        return f"{name}[{index}]"
        elif field.type == field.TYPE_MESSAGE and (inner := _inside(field, value)):
            return f"{name}{inner}"
    return ""


def _inside(field: Any, value: Any) -> str:
    """The rest of the path behind a field of messages; empty = all is well in there."""
    if field.message_type.GetOptions().map_entry:
        return next((f"[{key!r}]" for key, text in value.items() if _map_unsafe(key, text)), "")
    if hasattr(value, "ListFields"):
        inner = unsafe_field(value)
        return f".{inner}" if inner else ""
    for index, message in enumerate(value):
        if inner := unsafe_field(message):
            return f"[{index}].{inner}"
    return ""


def _map_unsafe(key: object, value: object) -> bool:
    return any(isinstance(part, str) and is_unsafe(part) for part in (key, value))
