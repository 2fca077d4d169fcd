"""What counts as a word: the one rule that every figure shares."""

from __future__ import annotations

import re

_WORD = re.compile(r"[^\W_]+(?:['\u2019-][^\W_]+)*")


def words_of(text: str) -> list[str]:
    """Split text into words: letters and digits, joined by apostrophes or hyphens.

    "Well, that's a twenty-minute job." has five words. A curly apostrophe comes out straight.
    """
    return [word.replace("\u2019", "'") for word in _WORD.findall(text)]


def count_words(text: str) -> int:
    """Count the words of a text."""
    return len(_WORD.findall(text))
