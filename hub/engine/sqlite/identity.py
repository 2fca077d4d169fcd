"""The identity of a shard file, and the epochs that follow from it.

An epoch is derived from the file's random identity and the topic's name, so that a topic nobody
has written has one too, without a row: to read, to subscribe and to poll write nothing. Its first
event stores the same epoch. A lost or remade file has another identity, hence other epochs.
"""

from __future__ import annotations

import hashlib
import secrets
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import sqlite3

_BYTES = 7  # always positive as a 64-bit integer of SQLite


def give_identity(connection: sqlite3.Connection) -> None:
    """Draw the file's identity if it has none."""
    connection.execute(
        "INSERT OR IGNORE INTO meta (key, value) VALUES ('identity', ?)",
        (int.from_bytes(secrets.token_bytes(_BYTES), "big"),),
    )


def identity_of(connection: sqlite3.Connection) -> bytes:
    """The file's identity."""
    (value,) = connection.execute("SELECT value FROM meta WHERE key = 'identity'").fetchone()
    return int(value).to_bytes(_BYTES, "big")


def epoch_of(identity: bytes, topic: str) -> int:
    """The identity of a topic's log in this file: 64 bits, not zero."""
    digest = hashlib.blake2b(topic.encode(), key=identity, digest_size=8).digest()
    return int.from_bytes(digest, "big") or 1
