"""Looks for secrets and tokens where none may be: logs, metrics, errors, answers.

What is looked for is known exactly, since the tests make it: the shared secrets, and each token's
signature, without which it is worth nothing. `watch` writes down every token that this process
signs; each hub of the tests has its log searched when it has ended.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import jwt

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

# What is shorter would be found by chance.
_LEAST = 16
# As a signature is written (RFC 7515 section 2).
_WORD = re.compile(r"[A-Za-z0-9_-]{40,}")

signatures: list[str] = []


@dataclass(frozen=True, slots=True)
class Leak:
    """A secret where none may be; it does not show the secret."""

    where: str
    what: str


def watch() -> None:
    """Write down every token that is signed from now on."""
    if getattr(jwt.encode, "is_watched", False):
        return
    sign = jwt.encode

    def encode(*args: Any, **options: Any) -> str:
        token = sign(*args, **options)
        signature = token.rpartition(".")[2]
        if signature:
            signatures.append(signature)
        return token

    encode.is_watched = True  # type: ignore[attr-defined]  # a mark of ours
    jwt.encode = encode


def signatures_in(text: str) -> list[str]:
    """Those of known tokens, in one pass: there may be many tokens, and much text."""
    return sorted(set(_WORD.findall(text)).intersection(signatures))


def secrets_in(environment: Mapping[str, str]) -> list[str]:
    """The shared secrets among a hub's settings."""
    return [value for name, value in environment.items() if name.endswith("_SECRET")]


def search(texts: Mapping[str, str], secrets: Iterable[str]) -> list[Leak]:
    """All leaks.

    Args:
        texts: by where they were found.
        secrets: what must not be in them.
    """
    return [
        Leak(where, f"a secret of {len(secret)} characters that begins with {secret[:3]}")
        for secret in dict.fromkeys(secrets)
        if len(secret) >= _LEAST
        for where, text in texts.items()
        if secret in text
    ]
