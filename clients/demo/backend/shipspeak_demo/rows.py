"""The list of meetings as keyed state: one event for each meeting that has moved, its key the id.

A page that comes late reads a snapshot, the latest event of each key. What the list shows in words
is in the attributes; what it shows as a bar is a figure.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from shipspeak.realtime.v1 import metrics_pb2
from shipspeak_demo.facts import (
    STAGE_NAMES,
    Completed,
    Fact,
    Failed,
    StageBegan,
    StageProgressed,
    UploadProgressed,
)

if TYPE_CHECKING:
    from shipspeak_demo.store import Meeting

LIST_TOPIC = "meeting/list"
"""No meeting has this id: ids are twelve hexadecimal digits."""
_STEP_PERCENT = 4.0
_LONGEST_TEXT = 240


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the list: the meeting's status, and 0 to 100 percent of all stages."""

    status: str
    stage: str
    percent: float
    text: str = ""

    def message(self, attempt: int) -> metrics_pb2.MetricsUpdate:
        """The figures of the row."""
        return metrics_pb2.MetricsUpdate(
            metrics=[
                metrics_pb2.Metric(name="percent", value=round(self.percent, 1), unit="%"),
                metrics_pb2.Metric(name="attempt", value=attempt),
            ]
        )

    def attributes(self, meeting: Meeting) -> dict[str, str]:
        """The words of the row."""
        return {
            "title": meeting.title,
            "owner": meeting.owner,
            "status": self.status,
            "stage": self.stage,
            "text": self.text[:_LONGEST_TEXT],
            "created_at": f"{meeting.created_at:.3f}",
        }


def row_of(fact: Fact) -> Row:
    """What the list says after a fact."""
    match fact:
        case UploadProgressed(sent=sent, total=total):
            return Row("uploading", "upload", _percent("upload", sent / total))
        case StageBegan(stage=stage):
            status = "uploading" if stage == "upload" else "processing"
            return Row(status, stage, _percent(stage, 0.0))
        case StageProgressed(stage=stage, done=done, total=total):
            return Row("processing", stage, _percent(stage, done / total))
        case Completed(summary=summary):
            return Row("completed", "", 100.0, summary)
        case Failed(stage=stage, message=message):
            return Row("failed", stage, _percent(stage, 0.0), message)
        case _:
            problem = f"{type(fact).__name__} is no fact of a list"
            raise TypeError(problem)


def _percent(stage: str, fraction: float) -> float:
    index = STAGE_NAMES.index(stage) if stage in STAGE_NAMES else 0
    return 100 * (index + fraction) / len(STAGE_NAMES)


class RowPacer:
    """Chooses the rows that are worth an event: each stage and end, and steps of 4 percent."""

    def __init__(self) -> None:
        self._told: dict[str, float] = {}

    def take(self, fact: Fact) -> Row | None:
        """The row to publish; None = it would look the same."""
        row = row_of(fact)
        key = f"{fact.meeting_id}/{fact.attempt}"
        if isinstance(fact, Completed | Failed):
            self._told.pop(key, None)
            return row
        last = self._told.get(key)
        moved = last is None or row.percent - last >= _STEP_PERCENT
        if not moved and not isinstance(fact, StageBegan):
            return None
        self._told[key] = row.percent
        return row
