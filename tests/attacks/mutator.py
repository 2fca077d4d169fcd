"""Changes good input at random, by a seed: the same seed gives the same bytes."""

from __future__ import annotations

from pathlib import Path
from random import Random
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

CORPUS = Path(__file__).parent / "corpus"
MOST_BYTES = 4096
_MOST_CHANGES = 6
# What parsers stumble over.
_TOKENS = (
    *(
        b"\x00",
        b"\xff",
        b"\x80" * 9 + b"\x01",
        b"\xff" * 10,
        b"\x7f\xff\xff\xff",
        b"\x80\x00\x00\x00",
    ),
    *(
        b"..",
        b"/",
        b"**",
        b"*",
        b"{sub}",
        b"%2e%2e",
        b"\r\n",
        b"\n",
        b"\t",
        b"=",
        b"==",
        b",",
        b".",
    ),
    *(
        b"null",
        b"true",
        b"NaN",
        b"1e999",
        b"-1",
        b"9" * 40,
        b'"',
        b"\\ud800",
        b"{",
        b"[",
        b"}",
        b"]",
    ),
    *("\u202e".encode(), "\ufeff".encode(), b"\xed\xa0\x80", b"\xc0\x80", b"javascript:", b"//"),
)


def samples(name: str) -> list[bytes]:
    """The corpus of one decoder: a line of hexadecimal digits each."""
    lines = (CORPUS / f"{name}.hex").read_text(encoding="ascii").splitlines()
    return [bytes.fromhex(line) for line in lines]


def mutated(corpus: Sequence[bytes], seed: int) -> bytes:
    """One input."""
    random = Random(seed)  # noqa: S311 - to be repeated, not to be secret
    data = bytearray(random.choice(corpus))
    for _ in range(random.randrange(_MOST_CHANGES)):
        _change(data, corpus, random)
    return bytes(data[:MOST_BYTES])


def _change(data: bytearray, corpus: Sequence[bytes], random: Random) -> None:
    at = random.randrange(len(data) + 1)
    end = min(len(data), at + random.randrange(1, 32))
    match random.randrange(7):
        case 0 if at < len(data):
            data[at] ^= 1 << random.randrange(8)
        case 1 if at < len(data):
            data[at] = random.randrange(256)
        case 2:
            del data[at:end]
        case 3:
            data[at:at] = random.choice(_TOKENS)
        case 4:
            data[at:at] = data[at:end] * random.randrange(1, 20)
        case 5:
            other = random.choice(corpus)
            data[at:] = other[random.randrange(len(other) + 1) :]
        case _:
            del data[at:]
