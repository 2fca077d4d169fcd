"""A hub behind nginx, for all tests of a module."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.proxy.nginx import Nginx
from tests.support.hub_process import HubProcess

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(scope="module")
def hub(tmp_path_factory: pytest.TempPathFactory) -> Iterator[HubProcess]:
    with HubProcess(tmp_path_factory.mktemp("hub")) as process:
        yield process


@pytest.fixture(scope="module")
def nginx(tmp_path_factory: pytest.TempPathFactory, hub: HubProcess) -> Iterator[Nginx]:
    with Nginx(tmp_path_factory.mktemp("proxy") / "nginx", hub.http) as process:
        yield process
