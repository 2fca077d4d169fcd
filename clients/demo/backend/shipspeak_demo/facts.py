"""What happens to a meeting, as plain data: the words between the product and its publishing.

Every fact has an id made from meeting, attempt, stage and step. What is published again after a
crash has the same id, so the hub knows it as a duplicate and nobody sees it twice.
"""

from __future__ import annotations

import uuid
from dataclasses import dataclass

STAGE_NAMES: tuple[str, ...] = (
    "upload", "parse", "speakers", "pace", "language", "questions", "summary",
)  # fmt: skip
"""Every stage in order, as watchers see them."""

_NAMESPACE = uuid.uuid5(uuid.NAMESPACE_DNS, "demo.shipspeak.example")


@dataclass(frozen=True, slots=True, kw_only=True)
class Fact:
    """Something that happened to a meeting in one attempt (from 1) at processing it."""

    meeting_id: str
    attempt: int

    @property
    def step(self) -> str:
        """What tells this fact from the others of its meeting and attempt."""
        raise NotImplementedError

    @property
    def event_id(self) -> str:
        """The event's id: the same for the same fact, in every process and after every crash."""
        return str(uuid.uuid5(_NAMESPACE, f"{self.meeting_id}/{self.attempt}/{self.step}"))


@dataclass(frozen=True, slots=True, kw_only=True)
class UploadProgressed(Fact):
    """Bytes received and kept; ``bytes_per_second`` 0 means not known."""

    sent: int
    total: int
    bytes_per_second: float
    filename: str

    @property
    def step(self) -> str:
        """One fact per number of bytes."""
        return f"upload/{self.sent}"


@dataclass(frozen=True, slots=True, kw_only=True)
class StageBegan(Fact):
    """A stage began; ``previous`` is empty for the first."""

    stage: str
    previous: str

    @property
    def step(self) -> str:
        """One fact per stage."""
        return f"{self.stage}/began"


@dataclass(frozen=True, slots=True, kw_only=True)
class StageProgressed(Fact):
    """A stage moved on: ``done`` of ``total`` cues; ``eta_s`` until all stages end, or None."""

    stage: str
    done: int
    total: int
    eta_s: float | None

    @property
    def step(self) -> str:
        """One fact per number of cues."""
        return f"{self.stage}/{self.done}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """One number for display; ``subject`` is the speaker, or empty for the whole."""

    name: str
    value: float
    unit: str = ""
    subject: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Completed(Fact):
    """The result is there to be fetched."""

    result_url: str
    summary: str
    figures: tuple[Figure, ...]

    @property
    def step(self) -> str:
        """One per attempt."""
        return "completed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Recovery:
    """A way out of a failure: ``option`` is ``retry_stage`` or ``upload_again``."""

    option: str
    label: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Failed(Fact):
    """Processing ended badly; ``message`` and ``what_to_do`` are for the person."""

    code: str
    stage: str
    message: str
    what_to_do: str
    retryable: bool
    options: tuple[Recovery, ...]

    @property
    def step(self) -> str:
        """One per attempt."""
        return "failed"
