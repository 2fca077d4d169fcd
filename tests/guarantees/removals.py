"""What was taken out of logs on purpose, by whomever, once the hub had said that it is done."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Removal:
    """One event that was deleted, withdrawn, or erased with its publisher.

    Attributes:
        topic: where it lies.
        id: of the event.
        done_ms: when the hub's answer had come, by the hub's clock, milliseconds since the epoch.
    """

    topic: str
    id: str
    done_ms: int


@dataclass(frozen=True, slots=True)
class Purge:
    """A topic that was emptied.

    Attributes:
        topic: which.
        epoch: of its log then.
        through: an offset that was acknowledged before the purge was asked for.
    """

    topic: str
    epoch: int
    through: int
