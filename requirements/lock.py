"""Pin requirements/*.in into hashed locks for every platform, without addresses."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

FOLDER = Path(__file__).resolve().parent
# test comes first: the others follow its versions, so one machine never holds two.
LOCKS = ("test", "runtime", "node")


def main() -> int:
    """Write all locks; return the exit status of the first that fails."""
    uv = str(Path(sys.executable).parent / "uv")
    options = ["--generate-hashes", "--universal", "--python-version", "3.11", "--quiet"]
    options += ["--no-emit-index-url", "--no-emit-find-links", "--no-header", "--upgrade"]
    for name in LOCKS:
        follow = [] if name == "test" else ["--constraint", "test.txt"]
        files = [f"{name}.in", "--output-file", f"{name}.txt"]
        command = [uv, "pip", "compile", *options, *follow, *files]
        status = subprocess.run(command, cwd=FOLDER, check=False).returncode
        if status != 0:
            return status
        print(f"requirements/{name}.txt")
    return 0


if __name__ == "__main__":
    sys.exit(main())
