"""What a text holds: words, fillers, hedges and sentences, counted. Pure."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass, field

from shipspeak_demo.analysis.wordlists import FILLERS, HEDGES, find_terms
from shipspeak_demo.transcript.words import count_words, words_of

_SENTENCE_END = re.compile(r"[.!?\u2026]+[\"'\u2019\u201d)\]]*(?:\s+|$)")
RECENT_WORDS = 40
"""Hints look at this many of the latest words."""


@dataclass(frozen=True, slots=True)
class Speech:
    """One reading of a text.

    Attributes:
        words: how many.
        fillers, hedges: terms with their counts.
        recent_fillers, recent_hedges: the same among the latest words.
        sentences: finished ones.
        sentence_words: words in those.
        open_words: words behind the last full stop.
        clean_words: words at the end without a filler or a hedge among them.
    """

    words: int = 0
    fillers: Counter[str] = field(default_factory=Counter)
    hedges: Counter[str] = field(default_factory=Counter)
    recent_fillers: Counter[str] = field(default_factory=Counter)
    recent_hedges: Counter[str] = field(default_factory=Counter)
    sentences: int = 0
    sentence_words: int = 0
    open_words: int = 0
    clean_words: int = 0

    @classmethod
    def read(cls, text: str) -> Speech:
        """Count what a text holds."""
        words = words_of(text)
        recent = " ".join(words[-RECENT_WORDS:])
        parts = _SENTENCE_END.split(text)
        finished = [count for part in parts[:-1] if (count := count_words(part))]
        return cls(
            words=len(words),
            fillers=Counter(find_terms(text, FILLERS)),
            hedges=Counter(find_terms(text, HEDGES)),
            recent_fillers=Counter(find_terms(recent, FILLERS)),
            recent_hedges=Counter(find_terms(recent, HEDGES)),
            sentences=len(finished),
            sentence_words=sum(finished),
            open_words=count_words(parts[-1]),
            clean_words=_clean_words([word.lower() for word in words]),
        )


_TERMS = frozenset(tuple(term.split()) for term in (*FILLERS, *HEDGES))
_LONGEST = max(len(term) for term in _TERMS)


def _clean_words(words: list[str]) -> int:
    """Words behind the last filler or hedge."""
    for end in range(len(words), 0, -1):
        for length in range(1, min(_LONGEST, end) + 1):
            if tuple(words[end - length : end]) in _TERMS:
                return len(words) - end
    return len(words)
