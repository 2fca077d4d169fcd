"""The supervisor: what it refuses, what it passes on, and what is left when it is killed."""

from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING

import pytest

from tests.cluster.workers import START_SECONDS, WORKERS, RunningWorkers, make_hub
from tests.support.hub_process import HubProcess

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


pytestmark = pytest.mark.timeout(380)


def lives(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def gone(pids: list[int]) -> bool:
    until = time.monotonic() + START_SECONDS
    while any(map(lives, pids)) and time.monotonic() < until:
        time.sleep(0.02)
    return not any(map(lives, pids))


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("supervisor")


@pytest.fixture(scope="module")
def hub(folder: Path) -> Iterator[HubProcess]:
    """Killed with its supervisor, and started again on what that has left."""
    hub = make_hub(folder)
    with hub:
        first = list(RunningWorkers(hub).pids().values())
        assert len(first) == WORKERS
        hub.kill()
        assert gone(first)
        hub.start()
        yield hub


def test_workers_end_with_their_supervisor_and_the_next_one_goes_on(hub: HubProcess):
    assert RunningWorkers(hub).starts() == {f"w{number}": 2 for number in range(WORKERS)}


def test_the_links_are_for_this_user_alone(hub: HubProcess):
    run_dir = hub.data_dir / "run"
    assert run_dir.stat().st_mode & 0o777 == 0o700
    sockets = sorted(run_dir.glob("*.sock"))
    assert len(sockets) == WORKERS
    assert all(path.stat().st_mode & 0o777 == 0o600 for path in [*sockets, run_dir / "key"])


def test_a_second_supervisor_is_refused(hub: HubProcess):
    with pytest.raises(AssertionError, match="served by other workers"):
        make_hub(hub.folder).start()


def test_a_single_hub_beside_the_workers_is_refused(hub: HubProcess, tmp_path: Path):
    single = HubProcess(tmp_path)
    single.data_dir = hub.data_dir
    with pytest.raises(AssertionError, match="owned by another process"):
        single.start()


def test_another_number_of_shards_is_refused(hub: HubProcess):
    hub.stop()
    with pytest.raises(AssertionError, match="made with 4 shards"):
        make_hub(hub.folder, "--shards", "8").start()
    assert not (hub.data_dir / "run" / "key").exists()
