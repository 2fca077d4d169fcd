"""How a job ended, as facts, as the stored result and as text for the job table."""

from __future__ import annotations

import dataclasses
import json
from typing import TYPE_CHECKING, Any

from shipspeak_demo.facts import Completed, Failed, Figure, Recovery

if TYPE_CHECKING:
    from shipspeak_demo.store import Lease
    from shipspeak_demo.transcript import BrokenTranscript, Transcript

_UPLOAD_AGAIN = Recovery(option="upload_again", label="Upload a corrected file")
_RETRY_STAGE = Recovery(option="retry_stage", label="Retry this stage")


def completed(
    lease: Lease, transcript: Transcript, figures: dict[str, Any], public_url: str
) -> tuple[Completed, dict[str, Any]]:
    """Make the completed fact and the result document."""
    result: dict[str, Any] = {
        "meeting_id": lease.meeting_id,
        "attempt": lease.attempt,
        "format": transcript.format,
        "timing": transcript.timing,
        **figures,
    }
    fact = Completed(
        meeting_id=lease.meeting_id,
        attempt=lease.attempt,
        result_url=f"{public_url}/api/meetings/{lease.meeting_id}/result",
        summary=figures["summary"]["headline"],
        figures=_shown(figures),
    )
    return fact, result


def _shown(figures: dict[str, Any]) -> tuple[Figure, ...]:
    """The few figures that go into the event itself; all others are in the result."""
    pace = figures["pace"]["words_per_minute"]
    shown = [
        Figure(name="words", value=figures["summary"]["words"]),
        Figure(name="questions", value=figures["questions"]["count"]),
        Figure(name="fillers", value=figures["language"]["fillers"]),
        Figure(name="hedges", value=figures["language"]["hedges"]),
    ]
    if pace is not None:
        shown.append(Figure(name="words_per_minute", value=pace, unit="wpm"))
    shown += [
        Figure(name="talk_share", value=round(one["share"] * 100, 2), unit="%", subject=speaker)
        for one in figures["speakers"]["by_speaker"][:16]
        if len(speaker := one["speaker"]) <= _LONGEST_SUBJECT
    ]
    return tuple(shown)


_LONGEST_SUBJECT = 120


def broken(lease: Lease, error: BrokenTranscript) -> Failed:
    """The transcript cannot be read: trying again will not mend the file."""
    return Failed(
        meeting_id=lease.meeting_id,
        attempt=lease.attempt,
        code="BROKEN_TRANSCRIPT",
        stage="parse",
        message=str(error),
        what_to_do=error.what_to_do,
        retryable=False,
        options=(_UPLOAD_AGAIN,),
    )


def broke_down(lease: Lease, stage: str, code: str, message: str) -> Failed:
    """The worker broke down: the file may be fine, so the same stage may be tried again."""
    return Failed(
        meeting_id=lease.meeting_id,
        attempt=lease.attempt,
        code=code,
        stage=stage,
        message=message,
        what_to_do="Retry the stage; if it fails again, upload the file again.",
        retryable=True,
        options=(_RETRY_STAGE, _UPLOAD_AGAIN),
    )


def failure_document(fact: Failed) -> dict[str, Any]:
    """What the back end tells of a failure."""
    document = dataclasses.asdict(fact)
    return {name: document[name] for name in document if name not in {"meeting_id", "attempt"}}


def to_text(fact: Completed | Failed) -> str:
    """Write an outcome for the job table."""
    kind = "completed" if isinstance(fact, Completed) else "failed"
    return json.dumps({kind: dataclasses.asdict(fact)}, ensure_ascii=False)


def from_text(text: str) -> Completed | Failed:
    """Read what ``to_text`` wrote."""
    document = json.loads(text)
    if "completed" in document:
        fields = document["completed"]
        fields["figures"] = tuple(Figure(**figure) for figure in fields["figures"])
        return Completed(**fields)
    fields = document["failed"]
    fields["options"] = tuple(Recovery(**option) for option in fields["options"])
    return Failed(**fields)
