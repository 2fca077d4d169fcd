"""All rows."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.attacks.rows import (
    calls,
    floods,
    floods_on_sessions,
    http2,
    inputs,
    others,
    pages,
    patient,
    presence,
    requests,
    rights_end,
    services,
    sockets,
    tokens,
)

if TYPE_CHECKING:
    from tests.attacks.attack import Attack

TABLE: tuple[Attack, ...] = (
    *tokens.ROWS,
    *rights_end.ROWS,
    *others.ROWS,
    *presence.ROWS,
    *inputs.ROWS,
    *pages.ROWS,
    *requests.ROWS,
    *sockets.ROWS,
    *http2.ROWS,
    *floods.ROWS,
    *floods_on_sessions.ROWS,
    *calls.ROWS,
    *services.ROWS,
    # What began first is looked at last.
    *patient.ROWS,
)
