"""A connection is a file: a hub takes all that the system allows it."""

from __future__ import annotations

import resource
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.support.hub_process import HubProcess

LOW = 256


def test_a_hub_started_with_a_low_limit_raises_it(start_hub: Callable[..., HubProcess]) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    assert hard > LOW
    resource.setrlimit(resource.RLIMIT_NOFILE, (LOW, hard))
    try:
        hub = start_hub()
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    assert resource.prlimit(hub.pid, resource.RLIMIT_NOFILE) == (hard, hard)
