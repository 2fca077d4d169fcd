"""Two more hubs, for what the attacked one is not: behind client certificates, and open."""

from __future__ import annotations

import json
import subprocess
import sys
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

from tests.support.hub_process import HubProcess

if TYPE_CHECKING:
    from typing import Self

_RTHUB = Path(sys.executable).parent / "rthub"


class OtherHubs:
    """Use it as a context manager.

    Args:
        folder: for their files.

    Attributes:
        locked: asks for client certificates, and knows one of them.
        open: in development.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._stack = ExitStack()

    def __enter__(self) -> Self:
        for authority in ("ours", "theirs"):
            target = str(self._folder / authority)
            names = ("--client", "billing", "--client", "stranger")
            subprocess.run(
                [str(_RTHUB), "dev-certs", target, *names], check=True, capture_output=True
            )
        ours = self._folder / "ours"
        grants = {"publish": ["meeting/*"]}
        env = {
            "RTHUB_TLS_CERT_FILE": str(ours / "server.pem"),
            "RTHUB_TLS_KEY_FILE": str(ours / "server.key"),
            "RTHUB_TLS_CLIENT_CA_FILE": str(ours / "ca.pem"),
            "RTHUB_TLS_IDENTITIES": json.dumps([{"certificate": "billing", "grants": grants}]),
        }
        with ExitStack() as stack:
            locked, opened = self._folder / "locked", self._folder / "open"
            self.locked = stack.enter_context(HubProcess(locked, env=env, dev=False))
            self.open = stack.enter_context(HubProcess(opened))
            self._stack = stack.pop_all()
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    @property
    def authority(self) -> bytes:
        """Whom clients believe, in PEM."""
        return (self._folder / "ours" / "ca.pem").read_bytes()

    def client(self, authority: str, name: str) -> tuple[bytes, bytes]:
        """Key and certificate of a client."""
        folder = self._folder / authority
        return (folder / f"{name}.key").read_bytes(), (folder / f"{name}.pem").read_bytes()
