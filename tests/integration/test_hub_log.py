"""The log's reader may die before the hub does."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path


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
            assert process.wait(20) == 0
        finally:
            process.kill()
    assert not ready.exists()
