"""Generate the code of the contract, or check that what is committed is what the contract gives.

Usage: generate.py [--check]

Everything is generated into a new folder first, so a failed run leaves the tree as it was and a
check never touches it.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
TARGETS = ("clients/python/gen", "clients/web/src/gen")


def main(check: bool) -> int:
    """Return the exit status: 0, or 1 when `check` found a difference."""
    with tempfile.TemporaryDirectory() as name:
        fresh = Path(name)
        _run_buf(fresh)
        _drop_stubs_without_module(fresh)
        differences = [line for target in TARGETS for line in _differences(fresh, target)]
        if not check:
            for target in TARGETS:
                _replace(fresh / target, ROOT / target)
    verb = "differs" if check else "updated"
    for line in differences:
        print(f"{verb}: {line}")
    if check and differences:
        print("The committed code is not what protos/ gives: `make generate`, and commit.")
    print(f"generated code: {len(differences)} files {verb}")
    return 1 if check and differences else 0


def _run_buf(out: Path) -> None:
    tools = Path(sys.executable).parent
    if not (ROOT / "clients/node_modules/@bufbuild/protoc-gen-es").exists():
        sys.exit("protoc-gen-es is missing: run `make generate`")
    environment = {**os.environ, "PATH": f"{tools}{os.pathsep}{os.environ['PATH']}"}
    subprocess.run(
        [tools / "buf", "generate", "--output", out], cwd=ROOT, env=environment, check=True
    )


def _drop_stubs_without_module(out: Path) -> None:
    # mypy-protobuf describes a gRPC module for every file; only files with a service have one.
    for stub in out.rglob("*_pb2_grpc.pyi"):
        if not stub.with_suffix(".py").exists():
            stub.unlink()


def _files(folder: Path) -> dict[str, bytes]:
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }


def _differences(fresh: Path, target: str) -> list[str]:
    new, old = _files(fresh / target), _files(ROOT / target)
    names = sorted(new.keys() | old.keys())
    return [f"{target}/{name}" for name in names if new.get(name) != old.get(name)]


def _replace(fresh: Path, folder: Path) -> None:
    new, old = _files(fresh), _files(folder)
    for name in old.keys() - new.keys():
        (folder / name).unlink()
    for name, content in new.items():
        if old.get(name) != content:
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_bytes(content)


if __name__ == "__main__":
    sys.exit(main(check="--check" in sys.argv[1:]))
