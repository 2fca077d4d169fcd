"""A development hub under a name that somebody else points at it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import httpx

if TYPE_CHECKING:
    from tests.support.hub_process import HubProcess


async def test_a_page_under_a_foreign_name_cannot_act(shared_hub: HubProcess) -> None:
    """Without tokens in the way, the name is what tells such a page from the hub's own."""
    evil = {"host": "evil.example:8080", "origin": "http://evil.example:8080"}
    async with httpx.AsyncClient(base_url=shared_hub.http) as client:
        for path in ("/v1/publish", "/dev/kill-hub", "/metrics"):
            refused = await client.post(path, json={}, headers=evil)
            assert refused.status_code == 421
        assert (await client.get("/readyz")).status_code == 200
    assert shared_hub.running
