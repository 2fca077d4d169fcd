"""The one hub of a run, its bystanders, and what the attackers were told."""

from __future__ import annotations

import secrets
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any

from benchmarks.procstat import rss_bytes
from shipspeak.realtime.v1 import admin_service_pb2, event_pb2
from tests.attacks.crowd import Crowd, Place
from tests.attacks.doors import Doors
from tests.attacks.identities import Keys
from tests.attacks.others import OtherHubs
from tests.attacks.patience import Patience
from tests.support.hub_process import HubProcess
from tests.support.raw_client import RawClient

if TYPE_CHECKING:
    from pathlib import Path
    from typing import Self

HEARTBEAT = 5
# What one attack may leave the hub with for a while: its own garbage, and what malloc keeps.
MOST_GROWTH = 96 << 20
# Low enough that a flood is soon beyond them, also on a machine that is slow; high enough for the
# bystanders, and for all rows that are no floods.
RATES = {
    "RTHUB_RATE_DRAFTS_PER_USER": "200",
    "RTHUB_RATE_CONNECTS_PER_ADDRESS": "100",
    "RTHUB_RATE_CALLS_PER_ADDRESS": "100",
    "RTHUB_RATE_FRAMES_PER_CONNECTION": "1000",
    "RTHUB_DRAIN_SPREAD": "0",
}


class Scene:
    """What a row gets. Use it as a context manager.

    Args:
        folder: for the hub's files.

    Attributes:
        hub: the process under attack.
        doors: what can be done there.
        keys: of the issuers.
        crowd: the bystanders.
        patience: attacks that take their time.
    """

    def __init__(self, folder: Path) -> None:
        self.keys = Keys.make(secrets.token_urlsafe(32))
        self._folder = folder
        folder.mkdir(parents=True, exist_ok=True)
        self._stack = ExitStack()
        self._others: OtherHubs | None = None
        self._unique = 0

    def __enter__(self) -> Self:
        env = {**self.keys.environment(self._folder), **RATES}
        with ExitStack() as stack:
            options = ("--heartbeat", str(HEARTBEAT))
            self.hub = stack.enter_context(HubProcess(self._folder, *options, env=env, dev=False))
            self.doors = Doors(self.hub.grpc, self.hub.http)
            token = self.keys.token("herald", publish=["**"], subscribe=["**"], lifetime=12 * 3600)
            place = Place(self.hub.grpc, self.hub.http, self.hub.data_dir, token)
            self.crowd = stack.enter_context(Crowd(place))
            self.patience = Patience(self.doors)
            stack.callback(self.patience.close)
            self._stack = stack.pop_all()
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    @property
    def others(self) -> OtherHubs:
        """Two more hubs; started when they are first asked for."""
        if self._others is None:
            self._others = self._stack.enter_context(OtherHubs(self._folder / "others"))
        return self._others

    def topic(self, kind: str = "meeting") -> str:
        """A topic of this call alone."""
        self._unique += 1
        return f"{kind}/t{self._unique}"

    def draft(self, topic: str, **changes: Any) -> event_pb2.Draft:
        """A small draft with an id of its own."""
        self._unique += 1
        made = event_pb2.Draft(**{"id": f"d{self._unique}", "topic": topic, **changes})
        if not made.content.WhichOneof("payload"):
            made.content.metrics.metrics.add(name="n", value=self._unique)
        return made

    async def revoke(self, **target: Any) -> None:
        """As an operator does."""
        async with RawClient(self.hub.grpc, self.keys.token("root", admin=True)) as root:
            await root.admin("Revoke", admin_service_pb2.RevokeRequest(**target))

    def bounded(self, answer: str, before: int) -> str:
        """The answer, or by how much too much the hub has grown since it had so many bytes."""
        grown = self.rss() - before
        return answer if grown <= MOST_GROWTH else f"grown by {grown >> 20} MiB"

    def rss(self) -> int:
        """Bytes of the hub."""
        return rss_bytes(self.hub.pid)
