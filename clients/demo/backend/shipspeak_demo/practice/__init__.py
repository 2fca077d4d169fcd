"""The practice room: a coach for each open session, and what follows when one has ended."""

from __future__ import annotations

from shipspeak_demo.practice.aftermath import Aftermath
from shipspeak_demo.practice.rooms import Ended, Heard, Rooms

__all__ = ["Aftermath", "Ended", "Heard", "Rooms"]
