"""All rows."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.attacks.rows import (
    floods,
    http2,
    inputs,
    others,
    pages,
    presence,
    requests,
    rights_end,
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
)
