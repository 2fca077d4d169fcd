"""An event in a few words that a person can read, for terminals and logs."""

from __future__ import annotations

import unicodedata
from typing import TYPE_CHECKING

from google.protobuf.any_pb2 import Any as AnyMessage
from google.protobuf.message import DecodeError
from google.protobuf.wrappers_pb2 import StringValue

from shipspeak.realtime.v1 import meeting_pb2, metrics_pb2, notification_pb2, practice_pb2
from shipspeak_realtime.contents import seconds

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from typing import Any

    from shipspeak_realtime.events import Event

_TEXT_LIMIT = 120
_KILO = 1024
_MINUTE = 60
_SHOWN_FIGURES = 4


def describe(event: Event) -> str:
    """What happened, on one line, without time, topic and offset; safe for a terminal."""
    payload = event.payload
    if payload is None:
        return "(a kind that this version does not know)"
    name, inner = _inner(payload)
    words = _WORDS.get(type(inner))
    return printable(f"{name} {words(inner)}".rstrip() if words else name)


def printable(text: str) -> str:
    """The text without anything that could steer a terminal."""
    return "".join(
        character if unicodedata.category(character)[0] != "C" else "\N{REPLACEMENT CHARACTER}"
        for character in text
    )


def _inner(payload: Any) -> tuple[str, Any]:
    """The message that says something, and its name: the set update, or the payload itself."""
    if isinstance(payload, meeting_pb2.MeetingUpdate | practice_pb2.PracticeUpdate):
        name = payload.WhichOneof("update") or "update"
        attempt = getattr(payload, "attempt", 0)
        shown = f"{name} (attempt {attempt})" if attempt > 1 else name
        return shown, getattr(payload, name, payload)
    return _NAMES.get(type(payload), "other"), payload


def _upload(news: meeting_pb2.UploadProgress) -> str:
    if not news.total_bytes:
        return f"{_size(news.sent_bytes)} {news.file_name}"
    share = news.sent_bytes / news.total_bytes
    size = f"{_size(news.sent_bytes)} of {_size(news.total_bytes)}"
    return f"{share:.0%} ({size}) {news.file_name}"


def _stage_changed(news: meeting_pb2.StageChanged) -> str:
    place = ""
    if news.stage in news.stages:
        place = f" ({list(news.stages).index(news.stage) + 1} of {len(news.stages)})"
    after = f" after {news.previous}" if news.previous else ""
    return f"{news.stage}{place}{after}"


def _stage_progress(news: meeting_pb2.StageProgress) -> str:
    eta = f" eta {_time(seconds(news.eta))}" if news.HasField("eta") else ""
    detail = f" {_quoted(news.detail)}" if news.detail else ""
    return f"{news.stage} {news.fraction:.0%}{eta}{detail}"


def _completed(news: meeting_pb2.MeetingCompleted) -> str:
    summary = f" {_quoted(news.summary)}" if news.summary else ""
    return f"{news.result_url}{summary}{_figures(news.figures)}"


def _failed(news: meeting_pb2.MeetingFailed) -> str:
    stage = f" in {news.stage}" if news.stage else ""
    options = "; ".join(option.label for option in news.options)
    return f"{news.code}{stage} {_quoted(news.message)}" + (f" [{options}]" if options else "")


def _hint(news: practice_pb2.CoachingHint) -> str:
    return f"{news.aspect} {_quoted(news.text)}"


def _score(news: practice_pb2.PracticeScore) -> str:
    parts = ", ".join(f"{each.dimension} {each.score:.0f}" for each in news.dimensions)
    return f"{news.overall:.0f} of 100" + (f" ({parts})" if parts else "")


def _milestone(news: practice_pb2.PracticeMilestone) -> str:
    return f"{_quoted(news.title)} {news.fraction:.0%}"


def _analytics(news: practice_pb2.SessionAnalytics) -> str:
    final = "final " if news.final else ""
    return f"{final}after {_time(seconds(news.elapsed))}{_figures(news.figures)}"


def _notification(news: notification_pb2.Notification) -> str:
    severity = notification_pb2.Severity.Name(news.severity).removeprefix("SEVERITY_").lower()
    body = f": {_cut(news.body)}" if news.body else ""
    return f"{severity} {_quoted(news.title)}{body}"


def _receipt(news: notification_pb2.ReceiptUpdate) -> str:
    state = notification_pb2.ReceiptState.Name(news.state).removeprefix("RECEIPT_STATE_").lower()
    return f"{state} {news.event_id}"


def _metrics(news: metrics_pb2.MetricsUpdate) -> str:
    return ", ".join(f"{each.name} {_amount(each.value, each.unit)}" for each in news.metrics)


def _other(news: AnyMessage) -> str:
    text = StringValue()
    try:
        if news.Unpack(text):
            return _quoted(text.value)
    except DecodeError:
        return f"{news.TypeName()} (cannot be read)"
    return f"{news.TypeName() or 'untyped'} ({_size(len(news.value))})"


def _figures(figures: Iterable[meeting_pb2.Figure]) -> str:
    shown = [
        f"{figure.subject + ' ' if figure.subject else ''}{figure.name} "
        f"{figure.label or _amount(figure.value, figure.unit)}"
        for figure in figures
    ]
    if not shown:
        return ""
    more = f", and {len(shown) - _SHOWN_FIGURES} more" if len(shown) > _SHOWN_FIGURES else ""
    return " | " + ", ".join(shown[:_SHOWN_FIGURES]) + more


def _amount(value: float, unit: str) -> str:
    space = "" if unit in ("", "%") else " "
    return f"{value:g}{space}{unit}"


def _quoted(text: str) -> str:
    return f'"{_cut(text)}"'


def _cut(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= _TEXT_LIMIT else line[: _TEXT_LIMIT - 1] + "…"


def _size(count: int) -> str:
    value = float(count)
    for unit in ("B", "KiB", "MiB"):
        if value < _KILO:
            return f"{value:.0f} {unit}" if unit == "B" else f"{value:.1f} {unit}"
        value /= _KILO
    return f"{value:.1f} GiB"


def _time(span: float) -> str:
    if 0 < span < 1:
        return "<1s"
    if span < _MINUTE:
        return f"{span:.0f}s"
    return f"{int(span // _MINUTE)}m {int(span % _MINUTE)}s"


_NAMES: dict[type, str] = {
    notification_pb2.Notification: "notification",
    notification_pb2.ReceiptUpdate: "receipt",
    metrics_pb2.MetricsUpdate: "metrics",
}

_WORDS: dict[type, Callable[[Any], str]] = {
    meeting_pb2.UploadProgress: _upload,
    meeting_pb2.StageChanged: _stage_changed,
    meeting_pb2.StageProgress: _stage_progress,
    meeting_pb2.MeetingCompleted: _completed,
    meeting_pb2.MeetingFailed: _failed,
    practice_pb2.CoachingHint: _hint,
    practice_pb2.PracticeScore: _score,
    practice_pb2.PracticeMilestone: _milestone,
    practice_pb2.SessionAnalytics: _analytics,
    notification_pb2.Notification: _notification,
    notification_pb2.ReceiptUpdate: _receipt,
    metrics_pb2.MetricsUpdate: _metrics,
    AnyMessage: _other,
}
