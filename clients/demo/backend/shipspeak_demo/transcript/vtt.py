"""WebVTT (W3C, "WebVTT: The Web Video Text Tracks Format", sections 4 and 6).

A browser drops a cue it cannot read and goes on. Here that would give wrong figures without a
word, so a broken cue is an error with its line. NOTE, STYLE and REGION blocks are passed over.
"""

from __future__ import annotations

import html
import re
from typing import TYPE_CHECKING

from shipspeak_demo.transcript.errors import BrokenTranscript
from shipspeak_demo.transcript.lines import Line, blocks, numbered
from shipspeak_demo.transcript.names import split_name
from shipspeak_demo.transcript.timed import Part, TimedBlock, to_cues
from shipspeak_demo.transcript.times import ARROW, VTT_TIME, parse_span

if TYPE_CHECKING:
    from shipspeak_demo.transcript.cue import Cue

_EXAMPLE = "00:01:15.250"
_SIGNATURE = re.compile(r"WEBVTT(?=[ \t]|$)")
_SKIPPED = re.compile(r"(NOTE|STYLE|REGION)(?=[ \t]|$)")
_VOICE = re.compile(r"<v(?:\.[^\s>]*)?\s+(?P<name>[^>]*)>|</v>")
_TAG = re.compile(r"</?[^>]*>")


def is_vtt(text: str) -> bool:
    """Tell whether text carries the WebVTT signature."""
    return _SIGNATURE.match(text.split("\n", 1)[0]) is not None


def parse_vtt(text: str) -> tuple[Cue, ...]:
    """Parse a WebVTT file.

    Raises:
        BrokenTranscript: no signature, a malformed time, a block without a time, or no words.
    """
    if not is_vtt(text):
        problem = "A WebVTT file begins with the word WEBVTT."
        raise BrokenTranscript(1, problem, "Put WEBVTT on the first line and upload again.")
    found = blocks(numbered(text))
    # The header block may hold metadata, but a cue may also follow without a blank line
    # (the W3C parser takes a line with an arrow there as the first cue).
    head = found[0][1:]
    first = head if any(ARROW in line.text for line in head) else []
    timed = [_cue_block(block) for block in [first, *found[1:]] if block and not _skipped(block)]
    return to_cues(timed)


def _skipped(block: list[Line]) -> bool:
    # A line with an arrow is never part of a comment or a style (W3C 4.1).
    head = _SKIPPED.match(block[0].text)
    return head is not None and not any(ARROW in line.text for line in block)


def _cue_block(block: list[Line]) -> TimedBlock:
    # An optional identifier line, the timing line, then the payload.
    at = 0 if ARROW in block[0].text else 1
    if at >= len(block) or ARROW not in block[at].text:
        raise BrokenTranscript(
            block[0].number,
            f"'{block[0].text.strip()[:40]}' stands where a cue's times should be.",
            f"Add a line like {_EXAMPLE} --> 00:01:18.000 above the words and upload again.",
        )
    start_ms, end_ms = parse_span(block[at], VTT_TIME, _EXAMPLE)
    payload = "\n".join(line.text for line in block[at + 1 :])
    return TimedBlock(start_ms, end_ms, _parts(payload))


def _parts(payload: str) -> list[Part]:
    """Split a payload at its voice tags; without any, ``Name: words`` lines name the speakers."""
    if "<v" not in payload:
        return [_named(_plain(line)) for line in payload.split("\n")]
    parts: list[Part] = []
    speaker: str | None = None
    at = 0
    for tag in _VOICE.finditer(payload):
        parts.append(Part(speaker, _plain(payload[at : tag.start()])))
        at = tag.end()
        name = tag["name"]
        speaker = (" ".join(html.unescape(name).split()) or None) if name is not None else None
    parts.append(Part(speaker, _plain(payload[at:])))
    return parts


def _named(line: str) -> Part:
    return Part(*split_name(line))


def _plain(text: str) -> str:
    """Take tags out and turn character references into characters."""
    return html.unescape(_TAG.sub("", text)).strip()
