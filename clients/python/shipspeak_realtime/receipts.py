"""What a publisher gets back."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from shipspeak.realtime.v1 import frame_pb2


class Outcome(Enum):
    """How far an accepted draft got."""

    STORED = frame_pb2.OUTCOME_STORED
    ACCEPTED = frame_pb2.OUTCOME_ACCEPTED
    SCHEDULED = frame_pb2.OUTCOME_SCHEDULED


@dataclass(frozen=True, slots=True)
class Receipt:
    """The hub's word for one draft.

    Attributes:
        topic: where it was published.
        id: its idempotency key; publishing the same id again gives the same offset.
        outcome: STORED durably in the log; ACCEPTED handed to those connected now (volatile
            topics); SCHEDULED durably waiting for its time.
        epoch: identity of the log; 0 = volatile or scheduled.
        offset: place in the log; 0 = volatile or scheduled.
        duplicate: the id was stored before, and the offset is that of the first time.
    """

    topic: str
    id: str
    outcome: Outcome
    epoch: int
    offset: int
    duplicate: bool
