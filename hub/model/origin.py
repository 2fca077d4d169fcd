"""What an origin looks like: the text that browsers send in the Origin header."""

from __future__ import annotations

import re
from typing import Final

_ORIGIN: Final = re.compile(r"[a-z][a-z0-9+.\-]*://[^/?#\sA-Z]+")


def check_origin(text: str) -> None:
    """Check that a browser can send it (Fetch standard, "serializing an origin").

    Raises:
        ValueError: no browser can, so a request would never match it.
    """
    if not _ORIGIN.fullmatch(text):
        raise ValueError(f"{text!r} is no origin: write scheme://host[:port], lower case, no path")
