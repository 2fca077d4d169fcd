"""Make .venv and install one of the locks into it; do nothing when that is already so.

Usage: python3 requirements/venv.py runtime|test|node

Only the standard library is used, since this runs before anything is installed.
"""

from __future__ import annotations

import hashlib
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
VENV = ROOT / ".venv"
OWN = ("clients/python", ".")
COVERS = {"runtime": ("test",), "test": (), "node": ("test",)}


def main(lock: str) -> None:
    """Bring .venv to the state that `lock` describes."""
    if lock not in COVERS:
        sys.exit(f"unknown lock {lock!r}: one of {', '.join(COVERS)}")
    if any(_is_current(name) for name in (lock, *COVERS[lock])):
        return
    python = _make_venv()
    print(f"installing requirements/{lock}.txt into .venv", flush=True)
    _pip(python, "--require-hashes", "-r", f"requirements/{lock}.txt")
    if lock != "node":
        own = [argument for path in OWN for argument in ("-e", path)]
        _pip(python, "--no-deps", "--no-build-isolation", *own)
    _stamp(lock).write_text(_state(lock), encoding="utf-8")


def _make_venv() -> Path:
    python = VENV / "bin/python"
    if python.exists():
        return python
    if sys.version_info < (3, 11):  # noqa: UP036  # the interpreter that runs this is the user's
        sys.exit("Python 3.11 or later is needed: make PYTHON=python3.x")
    print("making .venv", flush=True)
    made = subprocess.run([sys.executable, "-m", "venv", VENV], check=False, capture_output=True)
    if made.returncode != 0:  # Debian's python3 has no ensurepip; its pip can install from outside
        shutil.rmtree(VENV, ignore_errors=True)
        subprocess.run([sys.executable, "-m", "venv", "--without-pip", VENV], check=True)
    return python


def _pip(python: Path, *arguments: str) -> None:
    inside = subprocess.run([python, "-m", "pip", "--version"], check=False, capture_output=True)
    pip = [str(python), "-m", "pip"]
    if inside.returncode != 0:
        pip = [sys.executable, "-m", "pip", "--python", str(python)]
    command = [*pip, "install", "--quiet", "--disable-pip-version-check", *arguments]
    if subprocess.run(command, cwd=ROOT, check=False).returncode != 0:
        sys.exit(
            "pip could not install the requirements; its message is above."
            " If there is no pip at all: apt-get install python3-pip python3-venv"
        )


def _is_current(lock: str) -> bool:
    stamp = _stamp(lock)
    return stamp.exists() and stamp.read_text(encoding="utf-8") == _state(lock)


def _stamp(lock: str) -> Path:
    return VENV / f".{lock}"


def _state(lock: str) -> str:
    files = [f"requirements/{lock}.txt", *(f"{path}/pyproject.toml" for path in OWN)]
    digest = hashlib.sha256(str(ROOT).encode())  # a moved tree needs its editable paths again
    for name in files:
        digest.update((ROOT / name).read_bytes())
    return digest.hexdigest()


if __name__ == "__main__":
    main(sys.argv[1] if len(sys.argv) > 1 else "")
