"""Bytes to a transcript: decode, tell the format by content, parse."""

from __future__ import annotations

from shipspeak_demo.transcript.cue import Transcript
from shipspeak_demo.transcript.lines import decode
from shipspeak_demo.transcript.plain import parse_plain
from shipspeak_demo.transcript.srt import is_srt, parse_srt
from shipspeak_demo.transcript.vtt import is_vtt, parse_vtt


def read_transcript(data: bytes) -> Transcript:
    """Read a transcript of any of the three formats; the file's name plays no part.

    Raises:
        BrokenTranscript: the bytes are no readable transcript; says where and what to do.
    """
    text = decode(data)
    if is_vtt(text):
        return Transcript("vtt", "exact", parse_vtt(text))
    if is_srt(text):
        return Transcript("srt", "exact", parse_srt(text))
    timing, cues = parse_plain(text)
    return Transcript("text", timing, cues)
