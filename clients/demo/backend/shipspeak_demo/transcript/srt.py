"""SubRip (.srt): a number, ``00:00:01,000 --> 00:00:04,000``, words, a blank line."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from shipspeak_demo.transcript.errors import BrokenTranscript
from shipspeak_demo.transcript.lines import Line, blocks, numbered
from shipspeak_demo.transcript.names import split_name
from shipspeak_demo.transcript.timed import Part, TimedBlock, to_cues
from shipspeak_demo.transcript.times import ARROW, SRT_TIME, parse_span

if TYPE_CHECKING:
    from shipspeak_demo.transcript.cue import Cue

_EXAMPLE = "00:01:15,250"
_COUNTER = re.compile(r"[0-9]+")
_STYLE_TAG = re.compile(r"</?(?:b|i|u|font)(?:\s[^>]*)?>|\{\\[^}]*\}", re.IGNORECASE)


def is_srt(text: str) -> bool:
    """Tell whether text looks like SubRip: an arrow in one of the first two lines of words."""
    lines = [line.text for line in numbered(text[:2000]) if line.text.strip()][:2]
    return any(ARROW in line for line in lines)


def parse_srt(text: str) -> tuple[Cue, ...]:
    """Parse a SubRip file.

    Raises:
        BrokenTranscript: a malformed time, a block without a time, or no words.
    """
    timed = [_cue_block(block) for block in blocks(numbered(text))]
    return to_cues(timed)


def _cue_block(block: list[Line]) -> TimedBlock:
    at = 1 if _COUNTER.fullmatch(block[0].text.strip()) and len(block) > 1 else 0
    if ARROW not in block[at].text:
        raise BrokenTranscript(
            block[at].number,
            f"'{block[at].text.strip()[:40]}' stands where a cue's times should be.",
            f"Write them like {_EXAMPLE} --> 00:01:18,000 and upload the file again.",
        )
    start_ms, end_ms = parse_span(block[at], SRT_TIME, _EXAMPLE)
    lines = [_STYLE_TAG.sub("", line.text).strip() for line in block[at + 1 :]]
    return TimedBlock(start_ms, end_ms, [Part(*split_name(line)) for line in lines])
