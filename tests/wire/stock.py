"""What the checks know of stock sonora: how it breaks, and one mend that lets others show."""

from __future__ import annotations

import asyncio

# How a broken promise shows: a wrong byte, no answer in time, a cut connection, an unreadable one.
BROKEN = (AssertionError, TimeoutError, asyncio.IncompleteReadError, OSError, ValueError, KeyError)


def mended_pack_trailers(trailers: list[tuple[str | bytes, str | bytes]]) -> bytes:
    """sonora's ``pack_trailers`` without the defect that makes every unary answer unreadable."""

    def text(value: str | bytes) -> str:
        return value.decode() if isinstance(value, bytes) else value

    return "".join(f"{text(name)}: {text(value)}\r\n" for name, value in trailers).encode()
