"""One stage of a meeting's processing."""

from __future__ import annotations

from typing import TYPE_CHECKING, Self

from shipspeak.realtime.v1 import meeting_pb2
from shipspeak_realtime.contents import duration

if TYPE_CHECKING:
    from datetime import timedelta
    from types import TracebackType

    from shipspeak_realtime.clock import Clock
    from shipspeak_realtime.meeting import MeetingPublisher

# An estimate from less than this says nothing.
_LEAST_FRACTION = 0.05
_LEAST_SECONDS = 0.5


class StagePublisher:
    """Publishes the progress of one stage; made by `MeetingPublisher.stage`."""

    def __init__(self, meeting: MeetingPublisher, name: str, total: int, clock: Clock) -> None:
        self.name = name
        self.done = 0
        self._total = total
        self._meeting, self._clock = meeting, clock
        self._began_at = 0.0

    async def __aenter__(self) -> Self:
        """Publish that the stage began."""
        await self._meeting.begin_stage(self.name)
        self._began_at = self._clock.monotonic()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if error is None:
            self._offer(1.0, None, "")
            await self._meeting.flush()

    async def advance(
        self, steps: int = 1, *, detail: str = "", eta: timedelta | float | None = None
    ) -> None:
        """So many steps more are done.

        Args:
            steps: at least 0.
            detail: a few words for display ("cue 12 of 40").
            eta: time left until all stages end, seconds or a timedelta; None = estimated in the
                last stage from the pace so far, and left out in the others.
        """
        await self.reach(self.done + steps, detail=detail, eta=eta)

    async def reach(
        self, done: int, *, detail: str = "", eta: timedelta | float | None = None
    ) -> None:
        """So many steps are done in all; fewer than before change nothing.

        Args:
            done: steps, counted from 0.
            detail: as in `advance`.
            eta: as in `advance`.
        """
        if done < self.done:
            return
        self.done = done
        if self._total <= 0:
            return
        fraction = min(1.0, done / self._total)
        # The block's good end publishes 1; before it the stage is not complete.
        if fraction < 1.0:
            self._offer(fraction, self._eta(fraction) if eta is None else eta, detail)

    def _offer(self, fraction: float, eta: timedelta | float | None, detail: str) -> None:
        news = meeting_pb2.StageProgress(stage=self.name, fraction=fraction, detail=detail)
        if eta is not None:
            news.eta.CopyFrom(duration(eta))
        step = "end" if fraction >= 1.0 else str(self.done)
        self._meeting.progress(f"progress:{self.name}:{step}", news)

    def _eta(self, fraction: float) -> float | None:
        spent = self._clock.monotonic() - self._began_at
        if not self._meeting.is_last(self.name):
            return None
        if fraction < _LEAST_FRACTION or spent < _LEAST_SECONDS:
            return None
        return spent * (1 - fraction) / fraction
