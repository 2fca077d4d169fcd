"""What a validator finds."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Violation:
    """One broken promise, in plain words.

    Attributes:
        guarantee: its name, such as "G1 durable".
        topic: where.
        who: the client or subscriber that it happened to; empty = the log itself.
        words: what happened.
    """

    guarantee: str
    topic: str
    who: str
    words: str

    def __str__(self) -> str:
        return f"{self.guarantee}: {self.topic}{f' ({self.who})' if self.who else ''}: {self.words}"
