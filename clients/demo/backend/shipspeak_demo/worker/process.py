"""One job from its lease to its end.

The order of every step is: do the work, publish it (and wait until the hub has stored it), write
the checkpoint. A crash anywhere repeats at most the last step, under the same event id.
"""

from __future__ import annotations

import asyncio
import json
import logging
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from shipspeak_demo.analysis import STAGES, Analysis
from shipspeak_demo.facts import (
    Completed,
    Fact,
    Failed,
    StageBegan,
    StageProgressed,
    UploadProgressed,
)
from shipspeak_demo.transcript import BrokenTranscript, Transcript, read_transcript
from shipspeak_demo.worker import outcome
from shipspeak_demo.worker.pacing import Pace, slice_ends

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from pathlib import Path

    from shipspeak_demo.store import JobQueue, Lease

_log = logging.getLogger(__name__)
_MOST_STALLS = 5


class UploadUnreadable(Exception):
    """The disk does not give the uploaded file back."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    """What a job needs from outside.

    Attributes:
        queue: the job table.
        uploads: the folder of the uploaded files.
        publish: publishes a fact and returns when the hub has stored it, however long it takes.
        clock: monotonic seconds.
        wait: waits for a number of seconds.
        speed: times faster than the transcript; 0 = as fast as possible.
        public_url: prefix of the result link.
    """

    queue: JobQueue
    uploads: Path
    publish: Callable[[Fact], Awaitable[None]]
    clock: Callable[[], float]
    wait: Callable[[float], Awaitable[None]]
    speed: float
    public_url: str


@dataclass(slots=True)
class Job:
    """A job being worked on."""

    around: Surroundings
    lease: Lease
    stage: str = "parse"
    began_at: float = field(init=False)
    cues_done: int = 0

    def __post_init__(self) -> None:
        """Note the time, and the stage at which the job is taken up."""
        self.began_at = self.around.clock()
        if self.lease.checkpoint is not None:
            at = Analysis.from_json(self.lease.checkpoint).stage
            self.stage = STAGES[min(at, len(STAGES) - 1)].name

    async def run(self) -> None:
        """Work until the outcome is stored, published and the job closed.

        Raises:
            LeaseLost: another worker has the job.
        """
        if self.lease.outcome is not None:
            ended = outcome.from_text(self.lease.outcome)
        else:
            ended = await self._work_and_settle()
        await self.around.publish(ended)
        await asyncio.to_thread(self.around.queue.close, self.lease)

    async def _work_and_settle(self) -> Completed | Failed:
        queue, lease = self.around.queue, self.lease
        ended: Completed | Failed
        if lease.stalls >= _MOST_STALLS:
            problem = "The work on this meeting broke off several times at the same place."
            ended = outcome.broke_down(lease, self.stage, "WORKER_STALLED", problem)
        else:
            try:
                ended, result = await self._work()
            except BrokenTranscript as error:
                ended = outcome.broken(lease, error)
            except UploadUnreadable:
                _log.exception("cannot read the upload of meeting %s", lease.meeting_id)
                problem = "The uploaded file could not be read."
                ended = outcome.broke_down(lease, self.stage, "UPLOAD_UNREADABLE", problem)
            else:
                text = json.dumps(result, ensure_ascii=False)
                await asyncio.to_thread(queue.settle, lease, outcome.to_text(ended), result=text)
                return ended
        failure = json.dumps(outcome.failure_document(ended), ensure_ascii=False)
        await asyncio.to_thread(queue.settle, lease, outcome.to_text(ended), failure=failure)
        return ended

    async def _work(self) -> tuple[Completed, dict[str, object]]:
        transcript = await self._parse()
        place = self.lease.checkpoint
        analysis = Analysis() if place is None else Analysis.from_json(place)
        while not analysis.done:
            await self._run_stage(analysis, transcript)
        return outcome.completed(self.lease, transcript, analysis.figures, self.around.public_url)

    async def _parse(self) -> Transcript:
        """Read the transcript; a worker that takes a job up reads it again, silently."""
        path = self.around.uploads / self.lease.upload_id
        if self.lease.checkpoint is None:
            await self._publish_upload()
            await self._publish_began("parse", "upload")
        try:
            data = await asyncio.to_thread(path.read_bytes)
        except OSError as error:
            raise UploadUnreadable from error
        transcript = await asyncio.to_thread(read_transcript, data)
        if self.lease.checkpoint is None:
            count = len(transcript.cues)
            await self._publish_progress(count, count, None)
        return transcript

    async def _publish_upload(self) -> None:
        # The back end published this too, unless it was stopped first: then this is the only one.
        await self._publish_began("upload", "")
        size = self.lease.size
        await self.around.publish(
            UploadProgressed(
                meeting_id=self.lease.meeting_id,
                attempt=self.lease.attempt,
                sent=size,
                total=size,
                bytes_per_second=0.0,
                filename=self.lease.filename,
            )
        )

    async def _run_stage(self, analysis: Analysis, transcript: Transcript) -> None:
        around = self.around
        cues = transcript.cues
        pace = Pace(around.speed, cues, len(STAGES))
        previous = STAGES[analysis.stage - 1].name if analysis.stage else "parse"
        self.stage = analysis.stage_name
        await self._publish_began(self.stage, previous)
        # Taken up in mid-stage, the stage counts as begun that much earlier.
        began = around.clock() - pace.time_at(analysis.cue)
        for end in slice_ends(len(cues), analysis.cue):
            await around.wait(max(0.0, began + pace.time_at(end) - around.clock()))
            self.cues_done += end - analysis.cue
            await asyncio.to_thread(_run_slice, analysis, transcript, end)
            since = around.clock() - self.began_at
            eta = pace.left(analysis.stage, end, since_s=since, since_cues=self.cues_done)
            await self._publish_progress(end, len(cues), eta)
            if end == len(cues):
                analysis.finish_stage(transcript.timing)
            await asyncio.to_thread(around.queue.checkpoint, self.lease, analysis.to_json())

    async def _publish_began(self, stage: str, previous: str) -> None:
        meeting_id, attempt = self.lease.meeting_id, self.lease.attempt
        await self.around.publish(
            StageBegan(meeting_id=meeting_id, attempt=attempt, stage=stage, previous=previous)
        )

    async def _publish_progress(self, done: int, total: int, eta_s: float | None) -> None:
        await self.around.publish(
            StageProgressed(
                meeting_id=self.lease.meeting_id,
                attempt=self.lease.attempt,
                stage=self.stage,
                done=done,
                total=total,
                eta_s=eta_s,
            )
        )


def _run_slice(analysis: Analysis, transcript: Transcript, end: int) -> None:
    for cue in transcript.cues[analysis.cue : end]:
        analysis.step(cue)
