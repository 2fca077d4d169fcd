"""All rows."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.attacks.rows import tokens

if TYPE_CHECKING:
    from tests.attacks.attack import Attack

TABLE: tuple[Attack, ...] = (*tokens.ROWS,)
