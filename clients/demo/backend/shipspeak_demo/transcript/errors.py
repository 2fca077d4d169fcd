"""The one error of the transcript room: what is wrong, where, and what to do."""

from __future__ import annotations


class BrokenTranscript(ValueError):
    """A transcript that cannot be read.

    Attributes:
        line: line number in the file, from 1; 0 when the file as a whole is meant.
        problem: what is wrong, in plain words.
        what_to_do: the next step for the person who uploaded the file.
    """

    def __init__(self, line: int, problem: str, what_to_do: str) -> None:
        """Keep the parts; the text of the error joins them."""
        where = f"Line {line}: " if line else ""
        super().__init__(f"{where}{problem}")
        self.line = line
        self.problem = problem
        self.what_to_do = what_to_do
