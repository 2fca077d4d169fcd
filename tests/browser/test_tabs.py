"""Several tabs of one browser, in a page of another origin in Chromium, against a real hub."""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING

import pytest

from tests.browser.conftest import run_scenario
from tests.support.hub_process import HubProcess

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = [pytest.mark.browser, pytest.mark.timeout(300)]


def _run(tmp_path: Path, scenario: str) -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        origin = f"http://127.0.0.1:{probe.getsockname()[1]}"
    with HubProcess(tmp_path, "--origin", origin, "--heartbeat", "1") as hub:
        run_scenario(scenario, {"HUB": hub.http, "ORIGIN": origin})


def test_eight_tabs_have_one_connection_and_hand_it_over(tmp_path: Path) -> None:
    """D5: the leader is closed, crashed and frozen; nothing is lost, nothing comes twice.

    A toast is shown once, and signing out in one tab signs all of them out, and no other user.
    """
    _run(tmp_path, "tabs")


def test_a_page_that_is_put_away_loses_nothing(tmp_path: Path) -> None:
    """D5, D3: frozen, or in the back/forward cache, it holds no connection and comes back complete.

    Another tab leads meanwhile.
    """
    _run(tmp_path, "lifecycle")


def test_what_is_published_offline_lands_exactly_once(tmp_path: Path) -> None:
    """H2, E4: 20 drafts offline, a reload in the middle of a queue, and a tab that sends another's.

    No other user's tab sends them. State that was kept with its place is there before the hub is.
    """
    _run(tmp_path, "offline")
