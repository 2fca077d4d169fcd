"""Our bridge keeps every check; stock sonora breaks every one of them."""

from __future__ import annotations

import pytest
from sonora import protocol

from tests.wire import checks_browsers, checks_calls, checks_requests
from tests.wire.registry import CHECKS, DEFECTS, Entry
from tests.wire.servers import running_bridge, running_stock
from tests.wire.stock import BROKEN, mended_pack_trailers

MODULES = (checks_browsers, checks_calls, checks_requests)


def test_every_defect_has_a_check() -> None:
    assert {entry.defect for entry in CHECKS} == set(DEFECTS)
    assert {entry.check.__module__ for entry in CHECKS} == {module.__name__ for module in MODULES}


@pytest.mark.parametrize("entry", CHECKS, ids=lambda entry: entry.name)
async def test_bridge_keeps(entry: Entry) -> None:
    async with running_bridge() as server:
        await entry.check(server)


# Stock sonora's own leaks (generators left to the collector, unread exceptions) are not judged.
@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("entry", CHECKS, ids=lambda entry: entry.name)
async def test_stock_sonora_breaks(entry: Entry, monkeypatch: pytest.MonkeyPatch) -> None:
    if entry.defect != 1:
        # Defect 1 makes every unary answer unreadable: mended here, so that each other check
        # fails for its own defect.
        monkeypatch.setattr(protocol, "pack_trailers", mended_pack_trailers)
    async with running_stock() as server:
        with pytest.raises(BROKEN):
            await entry.check(server)
