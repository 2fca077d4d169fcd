"""The words counted as fillers and as hedges, and how they are found.

The lists hold what is nearly always one or the other in speech. Words that mostly carry meaning
("like", "so", "right", "just", "really", "could", "should") are left out: a count that a reader
would dispute is worth less than a lower one.
"""

from __future__ import annotations

from shipspeak_demo.transcript.words import words_of

FILLERS: tuple[str, ...] = (
    "um", "umm", "uh", "uhh", "uhm", "er", "erm", "hmm", "mm",
    "you know", "i mean", "basically", "actually", "literally",
)  # fmt: skip
"""Sounds and phrases that fill a pause and can go without loss of meaning."""

HEDGES: tuple[str, ...] = (
    "i think", "i guess", "i suppose", "i feel like", "sort of", "kind of", "maybe", "perhaps",
    "probably", "possibly", "might", "somewhat", "more or less", "a little bit", "hopefully",
)  # fmt: skip
"""Words and phrases that soften a statement."""


def find_terms(text: str, terms: tuple[str, ...]) -> list[str]:
    """Find the terms in a text, from left to right, the longest first, none overlapping.

    Case plays no part; a phrase counts only where its words follow each other in one cue.
    """
    words = [word.lower() for word in words_of(text)]
    by_length = sorted((tuple(term.split()) for term in terms), key=len, reverse=True)
    found: list[str] = []
    at = 0
    while at < len(words):
        hit = next((t for t in by_length if tuple(words[at : at + len(t)]) == t), None)
        if hit is not None:
            found.append(" ".join(hit))
        at += len(hit) if hit else 1
    return found
