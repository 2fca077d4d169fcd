"""Build the wheels of the hub and of the SDK, and check that the hub's holds the page.

Usage: python3 requirements/wheels.py [FOLDER], by default dist.
"""

from __future__ import annotations

import subprocess
import sys
import zipfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PAGE = "web_bridge/static/index.html"


def main(folder: Path, tree: Path = ROOT) -> int:
    """Write both wheels of `tree` into `folder`; return 1 when the page is not built."""
    for project in (tree / "clients/python", tree):
        command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)]
        status = subprocess.run(command, cwd=project, check=False).returncode
        if status != 0:
            return status
    hub = max(folder.glob("shipspeak_realtime_hub-*.whl"), key=lambda path: path.stat().st_mtime)
    with zipfile.ZipFile(hub) as wheel:
        if PAGE in wheel.namelist():
            return 0
    hub.unlink()
    print("the page is not built, and a hub without it is not for shipping: make web")
    return 1


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1] if len(sys.argv) > 1 else ROOT / "dist").resolve()))
