"""Speakers' names at the head of spoken text: ``Dana Ortiz: let us begin``."""

from __future__ import annotations

import re

_NAMED = re.compile(r"(?P<name>[^\W\d_][\w.'\u2019() -]{0,59}?)\s*:\s+(?P<words>\S.*)", re.DOTALL)
_MAX_NAME_WORDS = 4


def split_name(text: str) -> tuple[str | None, str]:
    """Take a leading ``Name:`` off a text.

    A name begins with a capital (or a letter of a script without case), has at most four words,
    and is followed by a colon, a space and words.

    Returns:
        The name, or None where the text begins with no name, and the words that remain.
    """
    match = _NAMED.fullmatch(text)
    if match is None:
        return None, text
    name = " ".join(match["name"].split())
    if name[0].islower() or len(name.split()) > _MAX_NAME_WORDS:
        return None, text
    return name, match["words"]
