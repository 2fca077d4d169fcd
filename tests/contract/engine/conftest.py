"""Runs every case of the suite on every engine."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.contract.engine.harness import EVERYWHERE, MAKERS, Store

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from hub.engine.contract import Engine


@pytest.fixture(params=EVERYWHERE)
async def store(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Store]:
    """An empty store of each engine."""
    made = Store(MAKERS[request.param](tmp_path))
    yield made
    await made.close()


@pytest.fixture
async def engine(store: Store) -> Engine:
    """An engine without retention on an empty store."""
    return await store.open()
