"""A meeting's publisher on a bench: what it publishes is kept."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from shipspeak.realtime.v1 import meeting_pb2
from shipspeak_realtime import MeetingPublisher, NetworkError, Outcome, Receipt, stable_ids

if TYPE_CHECKING:
    from tests.unit.sdk.manual_clock import ManualClock

STAGES = ("transcribe", "analyse")


class Recorder:
    """Stands where the client stands: keeps what is published, in order."""

    def __init__(self) -> None:
        self.sent: list[tuple[str, str, meeting_pb2.MeetingUpdate]] = []
        self.error: NetworkError | None = None
        # Cleared, it holds publishing back.
        self.open = asyncio.Event()
        self.open.set()

    async def publish(self, topic, update, *, key, id):  # noqa: A002 - as the client has it
        if self.error is not None:
            raise self.error
        copy = meeting_pb2.MeetingUpdate()
        copy.CopyFrom(update)
        await self.open.wait()
        self.sent.append((id, key, copy))
        return Receipt(topic, id, Outcome.STORED, 1, len(self.sent), duplicate=False)

    @property
    def ids(self) -> list[str]:
        return [draft_id for draft_id, _, _ in self.sent]

    @property
    def progress(self) -> list[tuple[str, float]]:
        all_news = [u.stage_progress for _, _, u in self.sent if u.HasField("stage_progress")]
        return [(news.stage, news.fraction) for news in all_news]

    @property
    def kinds(self) -> list[str | None]:
        return [update.WhichOneof("update") for _, _, update in self.sent]


def meeting_of(
    recorder: Recorder, clock: ManualClock, *, attempt: int = 2, stages: tuple[str, ...] = STAGES
) -> MeetingPublisher:
    return MeetingPublisher(
        recorder,  # type: ignore[arg-type]
        "42",
        attempt=attempt,
        stages=stages,
        step_ids=stable_ids(f"42.{attempt}"),
        clock=clock,
    )
