"""The import law of ARCHITECTURE.md: rooms import downwards, and few of them know gRPC."""

from __future__ import annotations

import ast
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
LINTER = Path(sys.executable).parent / "lint-imports"
KNOWS_GRPC = ("hub/server/", "hub/rpc/", "hub/engine/sqlite/peers", "web_bridge/")
GRPC = re.compile(r"^(grpc|grpc_\w+|sonora)(\.|$)|_pb2_grpc$")


def lint_imports(root: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [LINTER, "--no-cache", "--config", root / "pyproject.toml"],
        cwd=root,
        env={"PYTHONPATH": str(root), "PATH": ""},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


def importers_of_grpc(root: Path) -> set[str]:
    found = set()
    for path in [*(root / "hub").rglob("*.py"), *(root / "web_bridge").rglob("*.py")]:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            names = []
            if isinstance(node, ast.Import):
                names = [alias.name for alias in node.names]
            elif isinstance(node, ast.ImportFrom) and node.module:
                names = [node.module, *(alias.name for alias in node.names)]
            if any(GRPC.search(name) for name in names):
                found.add(path.relative_to(root).as_posix())
    return found


def strangers(root: Path) -> set[str]:
    return {name for name in importers_of_grpc(root) if not name.startswith(KNOWS_GRPC)}


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    for name in ("hub", "web_bridge"):
        shutil.copytree(ROOT / name, tmp_path / name, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    return tmp_path


def test_rooms_import_downwards_only():
    result = lint_imports(ROOT)
    assert result.returncode == 0, result.stdout


@pytest.mark.parametrize(
    ("module", "line"),
    [
        ("hub/model/planted.py", "import hub.session"),
        ("hub/session/planted.py", "import hub.auth"),
        ("web_bridge/planted.py", "import hub.app"),
    ],
)
def test_a_planted_violation_is_found(copy: Path, module: str, line: str):
    (copy / "hub/app.py").touch()
    (copy / module).write_text(line + "\n", encoding="utf-8")
    result = lint_imports(copy)
    assert result.returncode == 1, result.stderr
    assert "planted" in result.stdout


def test_every_room_has_its_place_in_the_law():
    config = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    layers = " ".join(config["tool"]["importlinter"]["contracts"][0]["layers"])
    placed = set(re.findall(r"hub\.(\w+)", layers))
    rooms = {
        path.stem
        for path in (ROOT / "hub").iterdir()
        if path.suffix == ".py" or (path.is_dir() and any(path.glob("*.py")))
    }
    assert rooms - {"__init__"} <= placed


def test_only_the_doors_and_rpc_know_grpc():
    assert strangers(ROOT) == set()


@pytest.mark.parametrize(
    "line", ["import grpc", "from grpc_health.v1 import health", "from a.v1 import b_pb2_grpc"]
)
def test_a_planted_use_of_grpc_is_found(copy: Path, line: str):
    (copy / "hub/model/planted.py").write_text(line + "\n", encoding="utf-8")
    assert "hub/model/planted.py" in strangers(copy)
