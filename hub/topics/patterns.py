"""Patterns over topics, as grants and work subscriptions use them.

``*`` stands for one segment, ``**`` at the end for one or more, ``{sub}`` for the principal's own
subject. A subject that is no plain segment (``spiffe://org/billing``, ``*``) is a good name for a
caller, but ``{sub}`` stands for nothing then: it is never read as a pattern nor split.
"""

from __future__ import annotations

import re
from functools import lru_cache

from hub.errors import InvalidArgument
from hub.topics.grammar import MAX_TOPIC_CHARACTERS, is_segment, is_topic
from shipspeak.realtime.v1 import error_reason_pb2

# As a topic, with wildcards in place of segments and ``**`` at the end only.
_PATTERN = re.compile(
    r"([a-z][a-z0-9_-]{0,31})(?:/(?:[A-Za-z0-9][A-Za-z0-9._~@:=+|-]{0,127}|\*)){0,4}(/\*\*)?"
)


def check_pattern(pattern: str) -> str:
    """The kind of a pattern that a work subscription may have; it names one.

    Raises:
        InvalidArgument: TOPIC_INVALID.
    """
    match = _PATTERN.fullmatch(pattern) if len(pattern) <= MAX_TOPIC_CHARACTERS else None
    if match is None or "/" not in pattern:
        raise InvalidArgument(
            error_reason_pb2.ERROR_REASON_TOPIC_INVALID,
            f"{pattern[:80]!r} is no pattern: write kind/id, with * for a segment behind the kind "
            "or /** at the end, such as meeting/*",
            topic=pattern[:MAX_TOPIC_CHARACTERS],
        )
    return match.group(1)


def covers(wide: str, narrow: str, subject: str = "") -> bool:
    """Whether every topic that falls under ``narrow`` falls under ``wide`` for the subject."""
    want, have = wide.split("/"), narrow.split("/")
    for index, part in enumerate(want):
        if part == "**" and index == len(want) - 1:
            return len(have) > index
        if index >= len(have) or have[index] == "**":
            return False
        if part == "{sub}":
            if have[index] != subject or not is_segment(subject):
                return False
        elif part not in ("*", have[index]):
            return False
    return len(want) == len(have)


@lru_cache(maxsize=65_536)
def matches(pattern: str, topic: str, subject: str = "") -> bool:
    """Whether ``topic`` falls under ``pattern`` for the principal ``subject``."""
    want = pattern.split("/")
    have = topic.split("/")
    for index, part in enumerate(want):
        if part == "**" and index == len(want) - 1:
            return len(have) > index
        if index >= len(have):
            return False
        if part == "{sub}":
            if have[index] != subject or not is_segment(subject):
                return False
        elif part != "*" and part != have[index]:
            return False
    return len(want) == len(have)


def pattern_problem(pattern: str, subject: str) -> str:
    """Why no topic can ever fall under a ``pattern`` of ``subject``, and what to write instead.

    Empty = one can.
    """
    parts = pattern.split("/")
    if "{sub}" in parts and not is_segment(subject):
        return f"stands for nothing: {subject!r} is no segment of a topic; write without {{sub}}"
    if "**" in parts[:-1]:
        return "has ** before its end, where it stands for nothing; use * for one segment"
    # A topic under it: `**` is one segment or more, and one is enough behind a kind.
    segments = ["a" if part in ("*", "{sub}") else part for part in parts]
    if segments[-1] == "**":
        segments[-1:] = ["a", "a"] if len(segments) == 1 else ["a"]
    if is_topic("/".join(segments)):
        return ""
    return (
        "matches no topic: write kind/id[/more], with * for any one segment, ** at the end for one "
        "or more, {sub} for the token's own subject"
    )


def literal_prefix(pattern: str) -> str:
    """What every topic under ``pattern`` begins with: its segments before the first wildcard."""
    literal: list[str] = []
    for part in pattern.split("/"):
        if part in ("*", "**", "{sub}"):
            return "".join(f"{segment}/" for segment in literal)
        literal.append(part)
    return pattern
