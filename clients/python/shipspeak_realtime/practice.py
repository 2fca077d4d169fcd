"""Live feedback of one practice session, published: hints, scores, milestones, figures."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Literal, TypeAlias

from shipspeak.realtime.v1 import event_pb2, practice_pb2
from shipspeak_realtime.contents import duration
from shipspeak_realtime.errors import DeadlineError
from shipspeak_realtime.live_block import LiveBlock
from shipspeak_realtime.meeting import stable_ids

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import timedelta

    from shipspeak.realtime.v1 import meeting_pb2
    from shipspeak_realtime.client import RealtimeClient
    from shipspeak_realtime.clock import Clock
    from shipspeak_realtime.receipts import Receipt

_log = logging.getLogger("shipspeak_realtime")

#: A hint is worth this long, in seconds, unless its call says otherwise.
HINT_SECONDS = 5.0

Level: TypeAlias = Literal["info", "praise", "nudge", "urgent"]

_LEVELS: dict[str, practice_pb2.HintLevel.ValueType] = {
    "info": practice_pb2.HINT_LEVEL_INFO,
    "praise": practice_pb2.HINT_LEVEL_PRAISE,
    "nudge": practice_pb2.HINT_LEVEL_NUDGE,
    "urgent": practice_pb2.HINT_LEVEL_URGENT,
}


class PracticePublisher(LiveBlock):
    """Publishes what happens in one practice session; made by `RealtimeClient.practice`.

    As a context manager it publishes the last figures as the session's summary at the end of its
    block, also when that raises an `Exception`, unless `finish` has. Cancellation is no end:
    whoever takes the session up again goes on.

    What may give way to its successor for a receiver that lags has a key: hints (one key for each
    aspect), scores and rolling figures. Milestones and the summary have none and are never left
    out; their ids are the same each time, so that a worker that starts over publishes none twice.
    """

    def __init__(self, client: RealtimeClient, session_id: str, *, clock: Clock) -> None:
        super().__init__(client, f"practice/{session_id}", clock)
        self._ids = stable_ids("practice")
        self._scores: dict[str, float] = {}
        self._latest: practice_pb2.SessionAnalytics | None = None

    async def _last_words(self, error: Exception | None) -> None:  # noqa: ARG002 - after one too
        await self._pace.flush()
        if self._latest is not None and not self._ended:
            await self._finish(self._latest)

    async def hint(
        self,
        aspect: str,
        text: str,
        *,
        level: Level = "nudge",
        within: float = HINT_SECONDS,
        at: timedelta | float | None = None,
    ) -> Receipt | None:
        """Give a piece of advice now, or never: it is not delivered when it has become old.

        Args:
            aspect: what it is about, such as "pace", "fillers", "hedging".
            text: the advice, in plain words.
            level: "info", "praise", "nudge" or "urgent"; an urgent one goes before other events.
            within: seconds that it is worth: for the hub to take it, and from then on to deliver
                it. One that the hub has not taken in time is given up.
            at: where in the speech it belongs, from the session's start; None = now.

        Returns:
            The receipt; None = it was given up.
        """
        self._check_running()
        if level not in _LEVELS:
            message = f"a hint is one of {', '.join(_LEVELS)}, and not {level!r}"
            raise ValueError(message)
        news = practice_pb2.CoachingHint(aspect=aspect, text=text, level=_LEVELS[level])
        if at is not None:
            news.at.CopyFrom(duration(at))
        urgent = level == "urgent"
        try:
            return await self._client.publish(
                self.topic,
                news,
                key=f"hint:{aspect}",
                priority=event_pb2.PRIORITY_HIGH if urgent else event_pb2.PRIORITY_NORMAL,
                ttl=within,
                timeout=within,
            )
        except DeadlineError:
            _log.info("a hint on %s of %s came too late and was given up", aspect, self.topic)
            return None

    def score(self, overall: float, dimensions: Mapping[str, float] | None = None) -> None:
        """The scores are these now; published at most 10 times a second, the last one always.

        The trend of each dimension is its change since the scores that were published last.

        Args:
            overall: 0 to 100 over everything.
            dimensions: 0 to 100 by name, such as "clarity"; at most 16.
        """
        self._check_running()
        scores = dict(dimensions or {})
        self._pace.offer(lambda: self._score(overall, scores), "score")

    async def _score(self, overall: float, scores: dict[str, float]) -> None:
        news = practice_pb2.PracticeScore(
            overall=overall,
            dimensions=[
                practice_pb2.DimensionScore(
                    dimension=name, score=score, trend=score - self._scores.get(name, score)
                )
                for name, score in scores.items()
            ],
        )
        await self._client.publish(self.topic, news, key="score")
        self._scores = scores

    async def milestone(
        self, milestone_id: str, title: str, description: str = "", *, fraction: float = 1.0
    ) -> Receipt:
        """A goal of this session was reached; the same one again is stored no second time.

        Args:
            milestone_id: stable within the session.
            title: for display.
            description: one sentence; may be empty.
            fraction: 0 to 1 of the whole goal.
        """
        self._check_running()
        news = practice_pb2.PracticeMilestone(
            milestone_id=milestone_id, title=title, description=description, fraction=fraction
        )
        draft_id = self._ids(f"milestone:{milestone_id}")
        return await self._client.publish(self.topic, news, id=draft_id)

    def analytics(
        self, elapsed: timedelta | float, figures: Iterable[meeting_pb2.Figure] = ()
    ) -> None:
        """The figures so far; published at most 10 times a second, the last ones always.

        Args:
            elapsed: time practised so far.
            figures: at most 32.
        """
        self._check_running()
        news = self._latest = practice_pb2.SessionAnalytics(
            elapsed=duration(elapsed), figures=figures
        )
        self._pace.offer(
            lambda: self._client.publish(self.topic, news, key="analytics"), "analytics"
        )

    async def finish(
        self, elapsed: timedelta | float, figures: Iterable[meeting_pb2.Figure] = ()
    ) -> Receipt:
        """The session has ended: publish its summary, however long the hub is away.

        Nothing can follow. The first summary of a session stands.
        """
        self._check_running()
        await self._pace.flush()
        return await self._finish(
            practice_pb2.SessionAnalytics(elapsed=duration(elapsed), figures=figures)
        )

    async def _finish(self, latest: practice_pb2.SessionAnalytics) -> Receipt:
        summary = practice_pb2.SessionAnalytics()
        summary.CopyFrom(latest)
        summary.final = True
        receipt = await self._client.publish(
            self.topic, summary, id=self._ids("summary"), timeout=None
        )
        self._ended = True
        return receipt

    def _check_running(self) -> None:
        if self._ended:
            message = f"{self.topic} has ended; a new session has an id of its own"
            raise ValueError(message)
