"""Every line is what was asked for, and the log's reader may die before the hub does."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.support.hub_process import HubProcess

pytestmark = pytest.mark.timeout(240)


def test_every_line_of_a_json_log_is_json(start_hub: Callable[..., HubProcess]) -> None:
    """What uvicorn says of a garbage request was a plain line among them."""
    hub = start_hub("--log-json", env={"RTHUB_DATADIR": "x", "RTHUB_DRAIN_SPREAD": "0.1"})
    port = int(hub.http.rpartition(":")[2])
    with socket.create_connection(("127.0.0.1", port)) as garbage:
        garbage.sendall(b"\x16\x03\x01 nothing\r\n\r\n")
        garbage.settimeout(60)
        while garbage.recv(4096):
            pass
    assert hub.terminate() == 0
    lines = [json.loads(line) for line in hub.log.splitlines()]
    assert "uvicorn.error" in {line.get("logger") for line in lines}
    assert all({"event", "level", "timestamp"} <= line.keys() for line in lines)
    (unknown,) = [line for line in lines if line["event"] == "unknown_variable"]
    assert (unknown["name"], unknown["did_you_mean"]) == ("RTHUB_DATADIR", "RTHUB_DATA_DIR")


def test_a_hub_whose_log_nobody_reads_still_drains_and_ends(tmp_path: Path) -> None:
    """A hub that outlived its launcher hung at SIGTERM for ever, holding its shards' locks."""
    ready = tmp_path / "ready.json"
    arguments = ["--data-dir", str(tmp_path / "data"), "--ready-file", str(ready)]
    ports = ["--grpc-port", "0", "--http-port", "0"]
    with subprocess.Popen(
        [sys.executable, "-m", "hub", "serve", "--dev", *ports, *arguments],
        env={**os.environ, "RTHUB_DRAIN_SPREAD": "0.1"},
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        try:
            assert process.stderr is not None
            # What is logged last when the hub serves.
            while "DEVELOPMENT_MODE" not in (line := process.stderr.readline()):
                assert line, "the hub ended"
            process.stderr.close()
            process.send_signal(signal.SIGTERM)
            assert process.wait(60) == 0
        finally:
            process.kill()
    assert not ready.exists()
