"""A batch on its way: its drafts by what is to become of them, and the results as they come in."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from hub.engine.contract import Stored
from hub.errors import HubError
from shipspeak.realtime.v1 import error_reason_pb2 as reasons

if TYPE_CHECKING:
    from collections.abc import Sequence

    from hub.engine.contract import AppendResult
    from hub.engine.schedule import Scheduled, ScheduledDraft
    from hub.model.events import Append


@dataclass(slots=True)
class Batch:
    """The drafts of a batch by what is to become of them, each with its place in the batch.

    Attributes:
        results: one per draft; None = not known yet, or not attempted.
        appends: for the engine's logs.
        passed_on: for the readers of volatile topics.
        later: for the schedule.
        counted: drafts that the rates have counted.
    """

    results: list[AppendResult | Scheduled | None]
    appends: list[tuple[int, Append]] = field(default_factory=list)
    passed_on: list[tuple[int, Append]] = field(default_factory=list)
    later: list[tuple[int, ScheduledDraft]] = field(default_factory=list)
    counted: int = 0

    @property
    def came_to_nothing(self) -> bool:
        """Whether it is known that nothing of it was stored."""
        return not any(
            isinstance(result, Stored)
            or (
                isinstance(result, HubError)
                and result.reason == reasons.ERROR_REASON_OUTCOME_UNKNOWN
            )
            for result in self.results
        )

    def stop_failed_topics(self) -> None:
        """Leave out drafts for later that stand behind one of their topic that was not stored."""
        failed: dict[str, int] = {}
        for index, append in self.appends:
            if not isinstance(self.results[index], Stored):
                failed.setdefault(append.topic, index)
        self.later = [
            (index, draft)
            for index, draft in self.later
            if index < failed.get(draft.append.topic, len(self.results))
        ]

    def settle(
        self,
        asked: Sequence[tuple[int, Append] | tuple[int, ScheduledDraft]],
        answers: Sequence[AppendResult | Scheduled],
    ) -> None:
        """Put answers in the places of what was asked."""
        for (index, _), answer in zip(asked, answers, strict=True):
            self.results[index] = answer
