"""D2: a poll under way counts as a session of its user."""

from __future__ import annotations

import pytest

from hub.errors import ResourceExhausted
from hub.rpc.connection import Connections


def test_a_poll_has_a_seat_for_as_long_as_it_is_under_way() -> None:
    connections = Connections(max_per_user=1)
    with connections.poll("alice"):
        with pytest.raises(ResourceExhausted), connections.poll("alice"):
            pass
        with connections.poll("bob"):
            pass
    with pytest.raises(ValueError, match="broken"), connections.poll("alice"):
        raise ValueError("broken")
    with connections.poll("alice"):
        pass
