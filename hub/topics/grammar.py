"""The grammar of topic names: ``kind/id[/more]``.

A kind is a lower-case word; every further segment begins with a letter or digit, so ``..`` and
empty segments cannot be written and no name needs escaping in a path, a log line or a subject of
another system.
"""

from __future__ import annotations

import re
from functools import lru_cache

from hub.errors import InvalidArgument
from shipspeak.realtime.v1 import error_reason_pb2

MAX_TOPIC_CHARACTERS = 200
_SEGMENT = r"[A-Za-z0-9][A-Za-z0-9._~@:=+|-]{0,127}"
_TOPIC = re.compile(rf"([a-z][a-z0-9_-]{{0,31}})(?:/{_SEGMENT}){{1,4}}")
_PLAIN = re.compile(_SEGMENT)


def is_topic(name: str) -> bool:
    """Whether a name follows the grammar."""
    return len(name) <= MAX_TOPIC_CHARACTERS and _TOPIC.fullmatch(name) is not None


def is_segment(text: str) -> bool:
    """Whether a text can stand behind a kind, between two slashes."""
    return _PLAIN.fullmatch(text) is not None


@lru_cache(maxsize=65_536)
def namespace_of(topic: str) -> str:
    """The kind of a well-formed topic.

    Raises:
        InvalidArgument: TOPIC_INVALID when the name breaks the grammar.
    """
    match = _TOPIC.fullmatch(topic) if len(topic) <= MAX_TOPIC_CHARACTERS else None
    if match is None:
        raise InvalidArgument(
            error_reason_pb2.ERROR_REASON_TOPIC_INVALID,
            f"{topic[:80]!r} is no topic: write kind/id[/more], such as meeting/42 "
            f"(at most {MAX_TOPIC_CHARACTERS} characters; "
            "segments of A-Z a-z 0-9 . _ ~ @ : = + | - that begin with a letter or digit)",
            topic=topic[:MAX_TOPIC_CHARACTERS],
        )
    return match.group(1)
