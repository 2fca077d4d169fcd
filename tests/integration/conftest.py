"""Fixtures of the integration suite: a real hub per test, or one shared by a module's tests."""

from __future__ import annotations

from contextlib import ExitStack
from typing import TYPE_CHECKING

import pytest

from tests.support.hub_process import HubProcess
from tests.support.tokens import SECRET

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path


@pytest.fixture
def hub(tmp_path: Path) -> Iterator[HubProcess]:
    """A hub of this test alone, in development mode, with quick heartbeats."""
    with HubProcess(tmp_path / "hub", "--heartbeat", "1") as process:
        yield process


@pytest.fixture(scope="module")
def shared_hub(tmp_path_factory: pytest.TempPathFactory) -> Iterator[HubProcess]:
    """A hub for all tests of a module: do not kill it, and use topics of your own."""
    with HubProcess(tmp_path_factory.mktemp("hub"), "--heartbeat", "1") as process:
        yield process


@pytest.fixture(scope="module")
def locked_hub(tmp_path_factory: pytest.TempPathFactory) -> Iterator[HubProcess]:
    """A hub for all tests of a module that wants tokens (`tests.support.tokens.make_token`)."""
    env = {"RTHUB_AUTH_HS256_SECRET": SECRET}
    folder = tmp_path_factory.mktemp("hub")
    with HubProcess(folder, "--heartbeat", "1", env=env, dev=False) as process:
        yield process


@pytest.fixture
def start_hub(tmp_path: Path) -> Iterator[Callable[..., HubProcess]]:
    """Start hubs with options of the test's own; all end with it."""
    with ExitStack() as stack:
        count = 0

        def start(*options: str, env: dict[str, str] | None = None, dev: bool = True) -> HubProcess:
            nonlocal count
            count += 1
            process = HubProcess(tmp_path / f"hub{count}", *options, env=env, dev=dev)
            return stack.enter_context(process)

        yield start
