"""The contract lints clean, and breaks no client of the released one."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from google.protobuf import descriptor_pb2

ROOT = Path(__file__).resolve().parents[2]
BUF = Path(sys.executable).parent / "buf"
# Spoken between the instances of one version: no part of the contract.
INTERNAL = "protos/shipspeak/realtime/internal"
EVENT = "protos/shipspeak/realtime/v1/event.proto"


def buf(root: Path, *arguments: str | Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [BUF, *arguments], cwd=root, capture_output=True, text=True, check=False, timeout=60
    )


def breaking(root: Path, image: Path) -> subprocess.CompletedProcess[str]:
    built = buf(root, "build", "protos", "--exclude-path", INTERNAL, "-o", image)
    assert built.returncode == 0, built.stderr
    return buf(root, "breaking", image, "--against", ROOT / "protos/released.binpb")


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    shutil.copytree(ROOT / "protos", tmp_path / "protos")
    shutil.copy(ROOT / "buf.yaml", tmp_path)
    return tmp_path


def edit(root: Path, pattern: str, replacement: str) -> None:
    path = root / EVENT
    old = path.read_text(encoding="utf-8")
    text, count = re.subn(pattern, replacement, old, flags=re.MULTILINE)
    assert count == 1
    path.write_text(text, encoding="utf-8")


def test_the_contract_lints_clean():
    result = buf(ROOT, "lint")
    assert result.returncode == 0, result.stdout


def test_a_field_without_a_comment_is_found(copy: Path):
    edit(copy, r"^message Draft \{", "message Draft {\n  string bare = 99;")
    result = buf(copy, "lint")
    assert result.returncode != 0
    assert "bare" in result.stdout


def test_nothing_released_is_broken(tmp_path: Path):
    result = breaking(ROOT, tmp_path / "now.binpb")
    assert result.returncode == 0, result.stdout


def test_a_deleted_field_is_found(copy: Path):
    """D6: a breaking change of the contract is refused."""
    edit(copy, r"^  string traceparent = 4[^;]*;\n", "")
    result = breaking(copy, copy / "now.binpb")
    assert result.returncode != 0
    assert "traceparent" in result.stdout


def test_a_renumbered_field_is_found(copy: Path):
    edit(copy, r"^(  string traceparent =) 4", r"\1 99")
    result = breaking(copy, copy / "now.binpb")
    assert result.returncode != 0
    assert "traceparent" in result.stdout


def test_a_new_field_breaks_nothing(copy: Path):
    edit(copy, r"^message Draft \{", "message Draft {\n  // New.\n  string fresh = 99;")
    result = breaking(copy, copy / "now.binpb")
    assert result.returncode == 0, result.stdout


def test_the_released_image_holds_every_service():
    image = descriptor_pb2.FileDescriptorSet.FromString(
        (ROOT / "protos/released.binpb").read_bytes()
    )
    services = {f"{file.package}.{service.name}" for file in image.file for service in file.service}
    assert services >= {
        "shipspeak.realtime.v1.RealtimeService",
        "shipspeak.realtime.v1.AdminService",
    }


def test_vendored_schemas_are_those_of_the_installed_packages(tmp_path: Path):
    subprocess.run(
        [sys.executable, ROOT / "protos/tools/vendor.py", tmp_path], check=True, timeout=60
    )
    for path in (ROOT / "protos/third_party").rglob("*.proto"):
        fresh = tmp_path / path.relative_to(ROOT / "protos/third_party")
        assert fresh.read_text(encoding="utf-8") == path.read_text(encoding="utf-8")
