"""Facts as the contract's MeetingUpdate. Pure."""

from __future__ import annotations

from shipspeak.realtime.v1 import meeting_pb2 as pb
from shipspeak_demo.facts import (
    STAGE_NAMES,
    Completed,
    Fact,
    Failed,
    StageBegan,
    StageProgressed,
    UploadProgressed,
)

_LONGEST_MESSAGE = 2000
_KINDS = {
    "retry_stage": pb.RECOVERY_KIND_RETRY_STAGE,
    "upload_again": pb.RECOVERY_KIND_UPLOAD_AGAIN,
}


def conflation_key(fact: Fact) -> str:
    """The key under which newer progress supersedes older; empty for all that must be seen."""
    match fact:
        case UploadProgressed():
            return "upload-progress"
        case StageProgressed():
            return "stage-progress"
        case _:
            return ""


def to_update(fact: Fact) -> pb.MeetingUpdate:
    """Turn a fact into the message that watchers get."""
    update = pb.MeetingUpdate(attempt=fact.attempt)
    match fact:
        case UploadProgressed():
            update.upload.CopyFrom(_upload(fact))
        case StageBegan():
            began = pb.StageChanged(stage=fact.stage, previous=fact.previous, stages=STAGE_NAMES)
            update.stage_changed.CopyFrom(began)
        case StageProgressed():
            update.stage_progress.CopyFrom(_progress(fact))
        case Completed():
            update.completed.CopyFrom(_completed(fact))
        case Failed():
            update.failed.CopyFrom(_failed(fact))
        case _:
            problem = f"{type(fact).__name__} is no fact that watchers are told"
            raise TypeError(problem)
    return update


def _upload(fact: UploadProgressed) -> pb.UploadProgress:
    return pb.UploadProgress(
        sent_bytes=fact.sent,
        total_bytes=fact.total,
        bytes_per_second=fact.bytes_per_second,
        file_name=fact.filename,
    )


def _progress(fact: StageProgressed) -> pb.StageProgress:
    progress = pb.StageProgress(
        stage=fact.stage,
        fraction=fact.done / fact.total,
        detail=f"cue {fact.done} of {fact.total}",
    )
    if fact.eta_s is not None:
        progress.eta.FromMilliseconds(round(fact.eta_s * 1000))
    return progress


def _completed(fact: Completed) -> pb.MeetingCompleted:
    figures = [
        pb.Figure(name=one.name, value=one.value, unit=one.unit, subject=one.subject)
        for one in fact.figures
    ]
    return pb.MeetingCompleted(result_url=fact.result_url, summary=fact.summary, figures=figures)


def _failed(fact: Failed) -> pb.MeetingFailed:
    url = f"/api/meetings/{fact.meeting_id}/retry"
    options = [
        pb.RecoveryOption(
            kind=_KINDS[option.option],
            label=option.label,
            url=url if option.option == "retry_stage" else "",
        )
        for option in fact.options
    ]
    return pb.MeetingFailed(
        code=fact.code,
        message=f"{fact.message} {fact.what_to_do}"[:_LONGEST_MESSAGE],
        retryable=fact.retryable,
        stage=fact.stage,
        options=options,
    )
