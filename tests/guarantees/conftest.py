"""``--guarantee G2``: the tests of one validator, told exactly: G1 is not G10 to G12."""

from __future__ import annotations

import re

import pytest

from tests.guarantees.validators import VALIDATORS


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--guarantee", help="Run the tests of this guarantee's validator alone.")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    wanted = config.getoption("--guarantee", default=None)
    if wanted is None:
        return
    if wanted not in VALIDATORS:
        raise pytest.UsageError(
            f"{wanted} has no validator; these have one: {', '.join(VALIDATORS)}"
        )
    mine = re.compile(rf"\[{wanted}(-.*)?\]$")
    items[:] = [item for item in items if mine.search(item.name)]
