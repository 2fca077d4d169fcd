"""Install the npm workspace and build the page.

Usage: python3 requirements/page.py install|build [--best-effort]
       python3 requirements/page.py npm ARGUMENTS...

Node 22 or later is taken from PATH; without it, from the lock `node` in .venv. With --best-effort
a failure is told and the exit status is 0: the hub then serves a page that says how to build it.
"""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
CLIENTS = ROOT / "clients"
LEAST_NODE = 22
PACKAGES = ("package.json", "web/package.json", "demo/package.json")
# Who starts the hub without a way to the registry waits for it, so npm's patience (minutes) is cut.
HASTE = ("--fetch-retries=1", "--fetch-retry-mintimeout=1000", "--fetch-timeout=20000")
IGNORED = {"node_modules", "dist", "python", "backend"}


class PageError(Exception):
    """Node, npm or a build step failed; the text says which."""


def main(verb: str, arguments: list[str]) -> int:
    """Carry out `verb` and return the exit status."""
    try:
        environment = _environment()
        if verb == "npm":
            _npm(environment, *arguments)
            return 0
        _install(environment, *(HASTE if "--best-effort" in arguments else ()))
        if verb == "build":
            _build(environment)
    except PageError as error:
        print(f"page: {error}", file=sys.stderr)
        if "--best-effort" not in arguments:
            return 1
        print("page: going on without it; `make web` builds it", file=sys.stderr)
    return 0


def _environment() -> dict[str, str]:
    """Return an environment whose PATH starts with a Node that is new enough."""
    for folder in (None, ROOT / ".venv/bin"):
        path = os.environ["PATH"] if folder is None else f"{folder}{os.pathsep}{os.environ['PATH']}"
        if _node_major(path) >= LEAST_NODE:
            return {**os.environ, "PATH": path}
    installed = subprocess.run([sys.executable, ROOT / "requirements/venv.py", "node"], check=False)
    path = f"{ROOT / '.venv/bin'}{os.pathsep}{os.environ['PATH']}"
    if installed.returncode != 0 or _node_major(path) < LEAST_NODE:
        raise PageError(f"no Node {LEAST_NODE} in PATH, and requirements/node.txt did not install")
    return {**os.environ, "PATH": path}


def _node_major(path: str) -> int:
    node, npm = shutil.which("node", path=path), shutil.which("npm", path=path)
    if node is None or npm is None:
        return 0
    said = subprocess.run([node, "--version"], check=False, capture_output=True, text=True).stdout
    found = re.match(r"v(\d+)", said)
    return int(found[1]) if found else 0


def _install(environment: dict[str, str], *options: str) -> None:
    stamp = CLIENTS / "node_modules/.installed"
    state = _digest([CLIENTS / "package-lock.json", *(CLIENTS / name for name in PACKAGES)])
    if stamp.exists() and stamp.read_text(encoding="utf-8") == state:
        return
    # Exactly the lock, and a failure when it does not fit the package.json files.
    _npm(environment, "ci", "--no-progress", *options)
    stamp.write_text(state, encoding="utf-8")


def _build(environment: dict[str, str]) -> None:
    """Build the workspaces, unless nothing that they are made of has changed."""
    stamp = CLIENTS / "node_modules/.built"
    sources = [
        path
        for path in sorted(CLIENTS.rglob("*"))
        if path.is_file() and not IGNORED.intersection(path.relative_to(CLIENTS).parts)
    ]
    state = _digest(sources)
    page = CLIENTS / "demo/dist/index.html"
    if page.exists() and stamp.exists() and stamp.read_text(encoding="utf-8") == state:
        return
    _npm(environment, "run", "build")
    stamp.write_text(state, encoding="utf-8")


def _npm(environment: dict[str, str], *arguments: str) -> None:
    print(f"npm {' '.join(arguments)}", flush=True)
    # The found npm, not the first in the caller's PATH.
    npm = shutil.which("npm", path=environment["PATH"]) or "npm"
    if subprocess.run([npm, *arguments], cwd=CLIENTS, env=environment, check=False).returncode != 0:
        raise PageError(f"`npm {' '.join(arguments)}` failed; its message is above")


def _digest(paths: list[Path]) -> str:
    digest = hashlib.sha256()
    for path in paths:
        digest.update(path.relative_to(ROOT).as_posix().encode())
        digest.update(path.read_bytes())
    return digest.hexdigest()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1] if len(sys.argv) > 1 else "build", sys.argv[2:]))
