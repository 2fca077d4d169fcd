"""Copy the schemas that ours import from the installed packages into protos/third_party.

Usage: vendor.py DESTINATION

google/rpc comes as source from googleapis-common-protos. protovalidate carries only the descriptor
of buf/validate/validate.proto; it is rendered as source, which must compile to it again.
"""

from __future__ import annotations

import importlib.metadata
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import cast

import google.rpc
from descriptor_text import render_file
from google.protobuf import descriptor_pb2, descriptor_pool, message_factory
from protovalidate._gen.buf.validate import validate_pb

_GOOGLE_RPC = ("code.proto", "status.proto", "error_details.proto")
_VALIDATE = "buf/validate/validate.proto"


def main(destination: Path) -> None:
    """Write all vendored files below `destination`."""
    _copy_google_rpc(destination / "google/rpc")
    _render_validate(destination)


def _copy_google_rpc(folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    source = Path(next(iter(google.rpc.__path__)))
    for name in _GOOGLE_RPC:
        (folder / name).write_text((source / name).read_text(encoding="utf-8"), encoding="utf-8")


def _render_validate(destination: Path) -> None:
    raw = _validate_descriptor()
    version = importlib.metadata.version("protovalidate")
    header = (
        "// Copyright Buf Technologies, Inc. Licensed under the Apache License, Version 2.0:\n"
        "// http://www.apache.org/licenses/LICENSE-2.0\n"
        f"// Rendered by protos/tools/vendor.py from protovalidate {version}; do not edit.\n\n"
    )
    target = destination / _VALIDATE
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text(header + render_file(_with_extensions(raw)), encoding="utf-8")
    if _compile(destination) != descriptor_pb2.FileDescriptorProto.FromString(raw):
        sys.exit(f"{target}: does not compile to the descriptor it was rendered from")


def _validate_descriptor() -> bytes:
    return bytes(validate_pb.desc().proto.to_binary())


def _with_extensions(raw: bytes) -> descriptor_pb2.FileDescriptorProto:
    """Parse `raw` so that the options defined in the file itself are known extensions."""
    pool = descriptor_pool.DescriptorPool()
    for name in ("descriptor", "duration", "field_mask", "timestamp"):
        module = __import__(f"google.protobuf.{name}_pb2", fromlist=["DESCRIPTOR"])
        pool.AddSerializedFile(module.DESCRIPTOR.serialized_pb)
    pool.AddSerializedFile(raw)
    message_factory.GetMessageClassesForFiles([_VALIDATE], pool)
    kind = pool.FindMessageTypeByName("google.protobuf.FileDescriptorProto")
    parsed = message_factory.GetMessageClass(kind).FromString(raw)
    # It is that message by all but its class, which belongs to the pool made here.
    return cast("descriptor_pb2.FileDescriptorProto", parsed)


def _compile(root: Path) -> descriptor_pb2.FileDescriptorProto:
    with tempfile.NamedTemporaryFile(suffix=".binpb") as out:
        subprocess.run(
            [
                *(sys.executable, "-m", "grpc_tools.protoc", f"-I{root}"),
                *(f"--descriptor_set_out={out.name}", _VALIDATE),
            ],
            check=True,
        )
        files = descriptor_pb2.FileDescriptorSet.FromString(Path(out.name).read_bytes())
    return files.file[0]


if __name__ == "__main__":
    main(Path(sys.argv[1]))
