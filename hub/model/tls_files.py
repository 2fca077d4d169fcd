"""The files of a door's TLS."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path


@dataclass(frozen=True, slots=True)
class TlsFiles:
    """PEM files, which may change while the hub runs.

    Attributes:
        certificate: chain of the server, its own first.
        key: private key of it.
        client_ca: authorities of client certificates, which each client must have then; None = none
            is asked for.
    """

    certificate: Path
    key: Path
    client_ca: Path | None = None
