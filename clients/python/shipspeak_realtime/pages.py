"""What the unary readers give: pages of events, with the cursor to go on from."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from shipspeak.realtime.v1 import event_pb2, frame_pb2
from shipspeak_realtime.contents import seconds
from shipspeak_realtime.cursor import Cursor
from shipspeak_realtime.events import Event
from shipspeak_realtime.verdicts import VerdictKind
from shipspeak_realtime.wire import from_frame

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from shipspeak.realtime.v1 import realtime_service_pb2
    from shipspeak_realtime.errors import RealtimeError

_KINDS = {
    frame_pb2.VERDICT_GAP: VerdictKind.GAP,
    frame_pb2.VERDICT_RESET: VerdictKind.RESET,
    frame_pb2.VERDICT_LIVE: VerdictKind.LIVE,
}


@dataclass(slots=True)
class Page:
    """One page of one topic.

    Attributes:
        topic: whose events these are.
        events: in the log's order; newest first where history was read in reverse. An event's
            cursor is None where the page gives no place before it: go on from `next`.
        next: pass it on for the following page; None in volatile topics and for a refused topic.
        verdict: GAP = history before the page was trimmed; RESET = another log, reload state.
        more: the log goes on: ask again at once.
        head: the topic's head; None where a poll does not tell it.
        error: why a poll refused this topic; None = it did not.
        message: of history: the answer as it came, a `shipspeak.realtime.v1.ReadHistoryResponse`.
    """

    topic: str
    events: list[Event] = field(default_factory=list)
    next: Cursor | None = None
    verdict: VerdictKind = VerdictKind.OK
    more: bool = False
    head: int | None = None
    error: RealtimeError | None = None
    message: realtime_service_pb2.ReadHistoryResponse | None = None


@dataclass(frozen=True, slots=True)
class PollAnswer:
    """What one poll gave.

    Attributes:
        pages: one for each topic that was asked for, by its name.
        more: more is waiting: ask again at once.
        ask_after: seconds before it makes sense to ask again; 0 = at once.
        message: the answer as it came, a `shipspeak.realtime.v1.PollResponse`.
    """

    pages: Mapping[str, Page]
    more: bool
    ask_after: float
    message: realtime_service_pb2.PollResponse


def page_of_history(
    request: realtime_service_pb2.ReadHistoryRequest,
    answer: realtime_service_pb2.ReadHistoryResponse,
) -> Page:
    """The page in an answer to ReadHistory."""
    page = Page(request.topic, verdict=_kind(answer.verdict), more=answer.more, head=answer.head)
    page.message = answer
    place = b"" if request.reverse or page.verdict is VerdictKind.RESET else request.position.cursor
    for run in reversed(answer.runs) if request.reverse else answer.runs:
        page.events += _events(run, place)
        place = run.cursor
    if request.reverse:
        page.events.reverse()
    if answer.HasField("next"):
        page.next = _cursor(request.topic, answer.next)
    return page


def answer_of_poll(
    subscriptions: Iterable[frame_pb2.Subscribe], answer: realtime_service_pb2.PollResponse
) -> PollAnswer:
    """The pages in an answer to Poll."""
    pages: dict[str, Page] = {}
    for asked in subscriptions:
        page = pages[asked.topic] = Page(asked.topic, more=answer.more)
        if asked.HasField("position"):
            page.next = _cursor(asked.topic, asked.position)
    for frame in answer.frames:
        control = frame.WhichOneof("control")
        if control == "subscribed":
            told = frame.subscribed
            page = pages.setdefault(told.topic, Page(told.topic, more=answer.more))
            page.verdict, page.head = _kind(told.verdict), told.head
            # A topic without a log has no places, whatever is told of it.
            page.next = _cursor(told.topic, told.position) if told.epoch else None
        elif control == "error":
            topic = frame.error.topic
            page = pages.setdefault(topic, Page(topic, more=answer.more))
            page.next, page.error = None, from_frame(frame.error)
        for run in frame.runs:
            page = pages.setdefault(run.topic, Page(run.topic, more=answer.more))
            page.events += _events(run, b"" if page.next is None else page.next.token)
            if run.cursor:
                page.next = Cursor(run.topic, run.cursor, run.through_offset)
    return PollAnswer(pages, answer.more, seconds(answer.next_poll_after), answer)


def _events(run: event_pb2.TopicRun, before: bytes) -> list[Event]:
    """The events of a run; `before` is a token of a place at or before its beginning."""
    events = []
    last = len(run.events) - 1
    for index, event in enumerate(run.events):
        # Only at the run's end may its own token be used: before, it would skip what follows.
        token = run.cursor if index == last else before
        inside = event.id if index != last else ""
        cursor = Cursor(run.topic, token, event.offset, inside) if token and event.offset else None
        events.append(Event(run.topic, event, cursor))
    return events


def _cursor(topic: str, position: event_pb2.Position) -> Cursor:
    return Cursor(topic, position.cursor, position.handled_offset, position.handled_id)


def _kind(verdict: frame_pb2.Verdict.ValueType) -> VerdictKind:
    return _KINDS.get(verdict, VerdictKind.OK)
