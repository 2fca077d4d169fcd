"""What goes on beside the streams: each seed has one kind of it, or two."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.simulation.kinds.attending import Attending
from tests.simulation.kinds.receiving import Receiving
from tests.simulation.kinds.removing import Removing
from tests.simulation.kinds.scheduling import Scheduling
from tests.simulation.kinds.working import Working

if TYPE_CHECKING:
    from tests.simulation.kinds.kind import Kind
    from tests.simulation.network import Network

_KINDS: dict[str, type[Kind]] = {
    "work": Working,
    "presence": Attending,
    "schedule": Scheduling,
    "inbox": Receiving,
    "removal": Removing,
}


def kinds_of(network: Network) -> list[Kind]:
    """Those of the network's plan."""
    return [_KINDS[name](network) for name in network.plan.kinds]
