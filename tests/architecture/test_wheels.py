"""What the wheels hold: the page in the hub's, the internal contract there and not in the SDK's."""

from __future__ import annotations

import importlib.util
import shutil
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

ROOT = Path(__file__).resolve().parents[2]
PARTS = ("hub", "web_bridge", "clients/python", "pyproject.toml", "LICENSE")
INTERNAL = "shipspeak/realtime/internal/v1/peer_service_pb2.py"
PAGE = "web_bridge/static/index.html"


@pytest.fixture(scope="module")
def build() -> Callable[[Path, Path], int]:
    """The script behind `make wheels`; its folder is no package."""
    spec = importlib.util.spec_from_file_location("wheels", ROOT / "requirements/wheels.py")
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    main: Callable[[Path, Path], int] = module.main
    return main


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """A copy of what the wheels are made of, with no page built."""
    for part in PARTS:
        source, target = ROOT / part, tmp_path / "tree" / part
        target.parent.mkdir(parents=True, exist_ok=True)
        if source.is_dir():
            shutil.copytree(source, target, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(source, target)
    # What is left out of git is left out of a wheel, unless it is named.
    shutil.copy(ROOT / ".gitignore", tmp_path / "tree/.gitignore")
    return tmp_path / "tree"


def names(wheel: Path) -> set[str]:
    with zipfile.ZipFile(wheel) as archive:
        return set(archive.namelist())


def test_a_hub_without_its_page_is_not_shipped(tree: Path, tmp_path: Path, build):
    assert build(tmp_path / "out", tree) == 1
    assert list((tmp_path / "out").glob("shipspeak_realtime_hub-*.whl")) == []


def test_the_hub_comes_with_the_page_and_the_sdk_without_internals(
    tree: Path, tmp_path: Path, build
):
    page = tree / "clients/demo/dist/index.html"
    page.parent.mkdir(parents=True)
    page.write_text("<!doctype html>", encoding="utf-8")
    assert build(tmp_path / "out", tree) == 0
    (hub,) = map(names, (tmp_path / "out").glob("shipspeak_realtime_hub-*.whl"))
    (sdk,) = map(names, (tmp_path / "out").glob("shipspeak_realtime-*.whl"))
    assert {PAGE, INTERNAL, "hub/app.py"} <= hub
    assert INTERNAL not in sdk
    assert {"shipspeak_realtime/__init__.py", "shipspeak/realtime/v1/event_pb2.py"} <= sdk
    assert not {name for name in hub & sdk if "dist-info" not in name}
