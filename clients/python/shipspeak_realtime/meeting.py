"""The life of one meeting, published: upload, stages, result or failure."""

from __future__ import annotations

import hashlib
import re
from typing import TYPE_CHECKING

from shipspeak.realtime.v1 import meeting_pb2
from shipspeak_realtime.live_block import LiveBlock
from shipspeak_realtime.stage import StagePublisher

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from typing import TypeAlias

    from shipspeak_realtime.client import RealtimeClient
    from shipspeak_realtime.clock import Clock
    from shipspeak_realtime.receipts import Receipt

FAILED_CODE = "PROCESSING_FAILED"
FAILED_MESSAGE = "Something went wrong while this meeting was being processed."
_ID_LENGTH = 64
_NOT_IN_ID = re.compile(r"[^A-Za-z0-9._:-]")

#: From the name of a step ("stage:analyse") to the id of its draft.
StepIds: TypeAlias = "Callable[[str], str]"


def stable_ids(prefix: str) -> StepIds:
    """Ids that are the same each time: a worker that starts over publishes nothing twice.

    Args:
        prefix: names the attempt, such as "42.1"; the ids are unique as far as it is.
    """

    def make(step: str) -> str:
        plain = f"{prefix}:{step}"
        if len(plain) <= _ID_LENGTH and not _NOT_IN_ID.search(plain):
            return plain
        return hashlib.sha256(plain.encode()).hexdigest()

    return make


class MeetingPublisher(LiveBlock):
    """Publishes what happens to one meeting; made by `RealtimeClient.meeting`.

    As a context manager it publishes `failed` when its block raises an `Exception`. Cancellation is
    no failure: whoever takes the meeting up again goes on.

    Progress never moves back within an attempt: an update below the last one of its stage is left
    out, and so is one of a stage that is over, whichever `StagePublisher` it comes from.

    The hub may leave out all but the latest of a key. Each attempt's upload has a key, and the
    progress of each of its stages; the beginning of a stage, the result and the failure have none.
    So a snapshot tells what the whole log tells.
    """

    def __init__(
        self,
        client: RealtimeClient,
        meeting_id: str,
        *,
        attempt: int,
        stages: Sequence[str],
        step_ids: StepIds,
        clock: Clock,
    ) -> None:
        super().__init__(client, f"meeting/{meeting_id}", clock)
        self.attempt = attempt
        self.stages = tuple(stages)
        self._ids, self._clock = step_ids, clock
        self._sent_bytes = -1
        self._stage = ""
        self._begun: list[str] = []
        # The highest fraction of each stage.
        self._reached: dict[str, float] = {}

    async def _last_words(self, error: Exception | None) -> None:
        if error is None or self._ended:
            await self._pace.flush()
        else:
            await self.failed(FAILED_CODE, FAILED_MESSAGE, retryable=True)

    async def upload(
        self, sent: int, total: int = 0, *, file_name: str = "", rate: float = 0.0
    ) -> None:
        """Bytes have arrived; at most 10 updates a second are published, the last one always.

        Args:
            sent: bytes received and kept so far.
            total: bytes of the whole upload; 0 = not known yet.
            file_name: for display.
            rate: bytes per second over the last seconds; 0 = not known.
        """
        self._check_running()
        if sent <= self._sent_bytes or self._place(self._stage) > 0:
            # Readers leave out an upload that goes on beside a later stage: it must not become the
            # latest of its key.
            return
        self._sent_bytes = sent
        news = meeting_pb2.UploadProgress(
            sent_bytes=sent, total_bytes=total, bytes_per_second=rate, file_name=file_name
        )
        update = meeting_pb2.MeetingUpdate(attempt=self.attempt, upload=news)
        self._offer(f"upload:{sent}", update, f"upload:{self.attempt}")
        if sent == total:
            await self._pace.flush()

    def stage(self, name: str, total: int = 0) -> StagePublisher:
        """A stage as a context manager: it begins with the block and is complete at its good end.

        Args:
            name: of the stage; one out of `stages`, where those were given.
            total: steps that make it complete; 0 = not known, no fraction before the end.

        Raises:
            ValueError: for an unknown stage, or one before the current one.
        """
        self._check_running()
        self._check_order(name)
        return StagePublisher(self, name, total, self._clock)

    async def completed(
        self, result_url: str, summary: str = "", figures: Iterable[meeting_pb2.Figure] = ()
    ) -> Receipt:
        """Processing ended well; nothing can follow in this attempt.

        Args:
            result_url: http(s) address of the result, or a path on the page's own site.
            summary: one or two sentences for display.
            figures: at most 32, for display.
        """
        news = meeting_pb2.MeetingCompleted(result_url=result_url, summary=summary, figures=figures)
        return await self._end("completed", meeting_pb2.MeetingUpdate(completed=news))

    async def failed(
        self,
        code: str,
        message: str,
        *,
        retryable: bool = False,
        options: Iterable[meeting_pb2.RecoveryOption] = (),
    ) -> Receipt:
        """Processing ended badly; nothing can follow in this attempt.

        Args:
            code: stable and machine-readable, such as "TRANSCRIPT_BROKEN".
            message: plain words for the person.
            retryable: whether the same attempt may simply be tried again.
            options: what the person can do, best first; at most 8.
        """
        news = meeting_pb2.MeetingFailed(
            code=code, message=message, retryable=retryable, stage=self._stage, options=options
        )
        return await self._end("failed", meeting_pb2.MeetingUpdate(failed=news))

    # For stages

    async def begin_stage(self, name: str) -> None:
        """Publish that a stage began."""
        self._check_running()
        self._check_order(name)
        news = meeting_pb2.StageChanged(stage=name, previous=self._stage, stages=self.stages)
        # From here on the stage before is over: its progress would land behind the change.
        before, self._stage = self._stage, name
        try:
            await self._pace.flush()
            update = meeting_pb2.MeetingUpdate(stage_changed=news)
            await self._publish(f"stage:{name}", update, key="")
        except BaseException:
            self._stage = before
            raise
        self._begun.append(name)

    def progress(self, step: str, news: meeting_pb2.StageProgress) -> None:
        """Publish a stage's progress at a pace that people can see, unless it would move back."""
        self._check_running()
        if news.stage != self._stage or news.fraction < self._reached.get(news.stage, 0.0):
            return
        self._reached[news.stage] = news.fraction
        update = meeting_pb2.MeetingUpdate(stage_progress=news)
        self._offer(step, update, f"stage:{self.attempt}:{news.stage}")

    async def flush(self) -> None:
        """Publish what progress still waits."""
        await self._pace.flush()

    def is_last(self, stage: str) -> bool:
        """Whether no stage comes after this one."""
        return bool(self.stages) and self.stages[-1] == stage

    def _offer(self, step: str, update: meeting_pb2.MeetingUpdate, key: str) -> None:
        self._pace.offer(lambda: self._publish(step, update, key=key), key)

    async def _end(self, step: str, update: meeting_pb2.MeetingUpdate) -> Receipt:
        self._check_running()
        await self._pace.flush()
        receipt = await self._publish(step, update, key="")
        self._ended = True
        return receipt

    async def _publish(self, step: str, update: meeting_pb2.MeetingUpdate, key: str) -> Receipt:
        update.attempt = self.attempt
        return await self._client.publish(self.topic, update, key=key, id=self._ids(step))

    def _check_running(self) -> None:
        if self._ended:
            message = (
                f"attempt {self.attempt} of {self.topic} has ended; a new one has a new number"
            )
            raise ValueError(message)

    def _check_order(self, name: str) -> None:
        if self.stages and name not in self.stages:
            message = f"{name!r} is none of the stages {', '.join(self.stages)}"
            raise ValueError(message)
        if 0 <= self._place(name) < self._place(self._stage):
            message = f"{name!r} comes before {self._stage!r}; to start over, raise the attempt"
            raise ValueError(message)

    def _place(self, stage: str) -> int:
        """Of a stage among those that are known, from 0; -1 = none of them."""
        order = self.stages or tuple(self._begun)
        return order.index(stage) if stage in order else -1
