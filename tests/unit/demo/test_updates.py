"""Facts become messages that the contract's own rules accept."""

from __future__ import annotations

import protovalidate
import pytest
from shipspeak_demo.analysis.pipeline import analyse
from shipspeak_demo.facts import Fact, StageBegan, StageProgressed, UploadProgressed
from shipspeak_demo.store import Lease
from shipspeak_demo.transcript import BrokenTranscript, read_transcript
from shipspeak_demo.updates import conflation_key, to_update
from shipspeak_demo.worker import outcome

from shipspeak.realtime.v1 import meeting_pb2 as pb

LEASE = Lease(
    meeting_id="5b0c6f1e2a9d", attempt=2, upload_id="u", filename="a.vtt", size=9, owner="w",
    stalls=0, checkpoint=None, outcome=None,
)  # fmt: skip
UPLOAD = UploadProgressed(
    sent=5, total=9, bytes_per_second=2.5, filename="a.vtt", meeting_id="m", attempt=2
)
BEGAN = StageBegan(stage="pace", previous="speakers", meeting_id="m", attempt=2)
PROGRESS = StageProgressed(stage="pace", done=8, total=32, eta_s=1.25, meeting_id="m", attempt=2)


def completed(data: bytes):
    read = read_transcript(data)
    return outcome.completed(LEASE, read, analyse(read), "")[0]


FACTS = [
    pytest.param(UPLOAD, "upload", "upload-progress", id="upload"),
    pytest.param(BEGAN, "stage_changed", "", id="began"),
    pytest.param(PROGRESS, "stage_progress", "stage-progress", id="progress"),
    pytest.param(completed(b"Dana: hi\n"), "completed", "", id="completed"),
    pytest.param(
        completed(b"".join(b"S%s: hi\n" % (b"x" * n) for n in range(1, 60))),
        "completed", "", id="completed, many speakers",
    ),
    pytest.param(
        outcome.broken(LEASE, BrokenTranscript(4, "Bad " + "x" * 3000, "Do that.")),
        "failed", "", id="broken",
    ),
    pytest.param(
        outcome.broke_down(LEASE, "pace", "WORKER_STALLED", "It broke off."),
        "failed", "", id="broke down",
    ),
]  # fmt: skip


@pytest.mark.parametrize(("fact", "kind", "key"), FACTS)
def test_every_fact_is_a_valid_update(fact: Fact, kind: str, key: str):
    update = to_update(fact)
    protovalidate.validate(update)
    assert (update.attempt, update.WhichOneof("update")) == (2, kind)
    assert conflation_key(fact) == key


def test_figures_of_progress():
    upload, progress = to_update(UPLOAD).upload, to_update(PROGRESS).stage_progress
    assert (upload.sent_bytes, upload.total_bytes, upload.bytes_per_second) == (5, 9, 2.5)
    assert (progress.fraction, progress.eta.ToMilliseconds()) == (0.25, 1250)
    assert progress.detail == "cue 8 of 32"
    unknown = StageProgressed(stage="pace", done=1, total=2, eta_s=None, meeting_id="m", attempt=1)
    assert not to_update(unknown).stage_progress.HasField("eta")


def test_a_failure_says_what_to_do_and_where():
    failed = to_update(outcome.broken(LEASE, BrokenTranscript(4, "Bad.", "Do that."))).failed
    assert failed.message == "Line 4: Bad. Do that."
    assert [(one.kind, one.url) for one in failed.options] == [(pb.RECOVERY_KIND_UPLOAD_AGAIN, "")]


def test_a_breakdown_may_be_retried():
    fact = outcome.broke_down(LEASE, "pace", "WORKER_FAILED", "The worker broke down.")
    failed = to_update(fact).failed
    assert failed.retryable
    assert [(one.kind, one.url) for one in failed.options] == [
        (pb.RECOVERY_KIND_RETRY_STAGE, "/api/meetings/5b0c6f1e2a9d/retry"),
        (pb.RECOVERY_KIND_UPLOAD_AGAIN, ""),
    ]
