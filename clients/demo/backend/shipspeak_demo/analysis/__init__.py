"""Figures of a meeting, made stage by stage and cue by cue from its transcript."""

from __future__ import annotations

from shipspeak_demo.analysis.pipeline import STAGES, Analysis

__all__ = ["STAGES", "Analysis"]
