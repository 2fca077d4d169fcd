"""Clients that are not ours, in a page of another origin in Chromium."""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING

import pytest

from tests.browser.conftest import run_scenario
from tests.support.hub_process import HubProcess

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = [pytest.mark.browser, pytest.mark.timeout(300)]


def test_connect_web_and_grpc_web_in_text_mode_publish_poll_and_listen(tmp_path: Path) -> None:
    """Answers, refusals with their reasons, deadlines and cancellation, all across origins."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        origin = f"http://127.0.0.1:{probe.getsockname()[1]}"
    with HubProcess(tmp_path, "--origin", origin) as hub:
        run_scenario("foreign_clients", {"HUB": hub.http, "ORIGIN": origin})
