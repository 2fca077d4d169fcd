"""However the start fails, the process can end: no thread of the store is left."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from hub.cli.serve import EXIT_BAD_SETTINGS, EXIT_CANNOT_START, run
from hub.settings import Settings


def _settings(tmp_path: Path, **changes: object) -> Settings:
    values = {"dev": True, "grpc_port": 0, "http_port": 0, "data_dir": tmp_path / "data", **changes}
    return Settings(**values)  # type: ignore[arg-type]


def _threads_of_the_store() -> list[str]:
    names = [thread.name for thread in threading.enumerate()]
    return [name for name in names if name.startswith(("shard-", "checkpointer"))]


async def test_a_start_that_fails_with_a_reason_is_told(tmp_path: Path) -> None:
    missing = tmp_path / "missing" / "ready.json"
    assert await run(_settings(tmp_path, ready_file=missing)) == EXIT_CANNOT_START
    assert _threads_of_the_store() == []


async def test_a_start_that_fails_unforeseen_leaves_no_thread_that_holds_the_process(
    tmp_path: Path,
) -> None:
    with pytest.raises(ValueError, match="null"):
        await run(_settings(tmp_path, ready_file=Path("no\0name")))
    assert _threads_of_the_store() == []


async def test_a_key_that_cannot_be_used_is_a_bad_setting(tmp_path: Path) -> None:
    settings = _settings(tmp_path, auth_public_key_file=tmp_path / "no.pem")
    assert await run(settings) == EXIT_BAD_SETTINGS
