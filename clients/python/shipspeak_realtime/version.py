"""Name and version of this SDK."""

from __future__ import annotations

VERSION = "0.1.0"
SDK = f"shipspeak-realtime-python/{VERSION}"
