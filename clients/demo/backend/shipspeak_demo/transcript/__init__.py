"""Transcripts in: WebVTT, SubRip and plain text become one list of cues."""

from __future__ import annotations

from shipspeak_demo.transcript.cue import Cue, Timing, Transcript
from shipspeak_demo.transcript.errors import BrokenTranscript
from shipspeak_demo.transcript.read import read_transcript

__all__ = ["BrokenTranscript", "Cue", "Timing", "Transcript", "read_transcript"]
