"""Timestamps and timing lines of the three formats, to milliseconds."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from shipspeak_demo.transcript.errors import BrokenTranscript

if TYPE_CHECKING:
    from shipspeak_demo.transcript.lines import Line

ARROW = "-->"

# WebVTT 4.1, "WebVTT timestamp": hours may be absent, two digits or more; three digits of ms.
VTT_TIME = re.compile(
    r"(?:(?P<h>[0-9]{2,}):)?(?P<m>[0-5][0-9]):(?P<s>[0-5][0-9])\.(?P<ms>[0-9]{3})"
)
# SubRip has no standard: hours are always there, the comma is usual and the full stop is met.
SRT_TIME = re.compile(r"(?P<h>[0-9]{1,}):(?P<m>[0-5][0-9]):(?P<s>[0-5][0-9])[,.](?P<ms>[0-9]{3})")
CLOCK_TIME = re.compile(r"(?:(?P<h>[0-9]{1,2}):)?(?P<m>[0-5]?[0-9]):(?P<s>[0-5][0-9])")


def to_ms(match: re.Match[str]) -> int:
    """Turn a matched timestamp into milliseconds."""
    part = match.groupdict()
    seconds = (int(part["h"] or 0) * 60 + int(part["m"])) * 60 + int(part["s"])
    return seconds * 1000 + int(part.get("ms") or 0)


def parse_span(line: Line, pattern: re.Pattern[str], example: str) -> tuple[int, int]:
    """Read a timing line ``start --> end``; what follows the end (settings) is left out.

    Args:
        line: the line that holds the arrow.
        pattern: the format's timestamp.
        example: a right timestamp, for the error.

    Raises:
        BrokenTranscript: a timestamp is malformed, or the end is not after the start.
    """
    before, _, after = line.text.partition(ARROW)
    settings = after.split()
    texts = before.strip(), settings[0] if settings else ""
    times: list[int] = []
    for text in texts:
        match = pattern.fullmatch(text)
        if match is None:
            shown = text[:40] or "nothing"
            raise BrokenTranscript(
                line.number,
                f"'{shown}' is not a time.",
                f"Write the time like {example} and upload the file again.",
            )
        times.append(to_ms(match))
    start_ms, end_ms = times
    if end_ms <= start_ms:
        raise BrokenTranscript(
            line.number,
            f"The cue ends ({texts[1]}) before or when it starts ({texts[0]}).",
            "Put the later time after the arrow and upload the file again.",
        )
    return start_ms, end_ms
