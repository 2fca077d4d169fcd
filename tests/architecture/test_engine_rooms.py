"""Which engine a hub has is known to the engines and to the composition root alone."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
# Where an engine is chosen, made and started.
KNOW_THE_ENGINE = (
    "hub/engine/",
    "hub/app.py",
    "hub/engines.py",
    "hub/instances.py",
    "hub/cli/",
    "hub/settings.py",
)
NAMES = ("hub.engine.sqlite", "hub.engine.nats")


def strangers(root: Path) -> set[str]:
    """Files that import an engine's room, or ask which engine it is."""
    found = set()
    for path in [*(root / "hub").rglob("*.py"), *(root / "web_bridge").rglob("*.py")]:
        name = path.relative_to(root).as_posix()
        if not name.startswith(KNOW_THE_ENGINE) and _knows(path.read_text(encoding="utf-8")):
            found.add(name)
    return found


def _knows(source: str) -> bool:
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith(NAMES):
            return True
        if isinstance(node, ast.Import) and any(one.name.startswith(NAMES) for one in node.names):
            return True
        if isinstance(node, ast.Compare) and "engine" in ast.unparse(node.left).split("."):
            others = [other for other in node.comparators if isinstance(other, ast.Constant)]
            if any(isinstance(other.value, str) for other in others):
                return True
    return False


def test_only_the_root_knows_which_engine_it_is():
    assert strangers(ROOT) == set()


@pytest.mark.parametrize(
    "line",
    [
        "from hub.engine.sqlite import SqliteEngine",
        "import hub.engine.sqlite.engine",
        "if settings.engine == 'sqlite': pass",
    ],
)
def test_a_planted_one_is_found(tmp_path: Path, line: str):
    (tmp_path / "hub/pipeline").mkdir(parents=True)
    (tmp_path / "web_bridge").mkdir()
    (tmp_path / "hub/pipeline/planted.py").write_text(line + "\n", encoding="utf-8")
    assert strangers(tmp_path) == {"hub/pipeline/planted.py"}
