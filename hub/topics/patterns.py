"""Patterns over topics, as grants and work subscriptions use them.

``*`` stands for one segment, ``**`` at the end for one or more, ``{sub}`` for the principal's own
subject.
"""

from __future__ import annotations

from functools import lru_cache


@lru_cache(maxsize=65_536)
def matches(pattern: str, topic: str, subject: str = "") -> bool:
    """Whether ``topic`` falls under ``pattern`` for the principal ``subject``.

    A subject that would not be a single plain segment never matches ``{sub}``.
    """
    want = pattern.split("/")
    have = topic.split("/")
    for index, part in enumerate(want):
        if part == "**" and index == len(want) - 1:
            return len(have) > index
        if index >= len(have):
            return False
        if part == "{sub}":
            if not subject or have[index] != subject:
                return False
        elif part != "*" and part != have[index]:
            return False
    return len(want) == len(have)


def literal_prefix(pattern: str) -> str:
    """What every topic under ``pattern`` begins with: its segments before the first wildcard."""
    literal: list[str] = []
    for part in pattern.split("/"):
        if part in ("*", "**", "{sub}"):
            return "".join(f"{segment}/" for segment in literal)
        literal.append(part)
    return pattern
