"""Two more hubs, for what the attacked one is not: behind client certificates, and open."""

from __future__ import annotations

import concurrent.futures
import json
from contextlib import ExitStack
from typing import TYPE_CHECKING

from hub.cli.dev_certs import dev_certs
from tests.support.hub_process import HubProcess

if TYPE_CHECKING:
    from pathlib import Path
    from typing import Self


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
            dev_certs(self._folder / authority, client=["billing", "stranger"])
        ours = self._folder / "ours"
        grants = {"publish": ["meeting/*"]}
        env = {
            "RTHUB_TLS_CERT_FILE": str(ours / "server.pem"),
            "RTHUB_TLS_KEY_FILE": str(ours / "server.key"),
            "RTHUB_TLS_CLIENT_CA_FILE": str(ours / "ca.pem"),
            "RTHUB_TLS_IDENTITIES": json.dumps([{"certificate": "billing", "grants": grants}]),
        }
        quick = {"RTHUB_DRAIN_SPREAD": "0"}
        self.locked = HubProcess(self._folder / "locked", env={**env, **quick}, dev=False)
        self.open = HubProcess(self._folder / "open", env=quick)
        with ExitStack() as stack:
            for hub in (self.locked, self.open):
                stack.callback(hub.stop)
            with concurrent.futures.ThreadPoolExecutor() as both:
                list(both.map(HubProcess.start, (self.locked, self.open)))
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
