"""A protoc plugin that runs the compiler inside grpc_tools: Python messages and gRPC stubs.

buf runs plugins, and Python's two generators live inside protoc. This reads the request that buf
sends, hands its descriptors to that protoc, and returns the files it wrote.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from google.protobuf import descriptor_pb2
from google.protobuf.compiler import plugin_pb2
from grpc_tools import protoc


def generate(request: plugin_pb2.CodeGeneratorRequest) -> plugin_pb2.CodeGeneratorResponse:
    """Return the Python code of the files that `request` asks for."""
    response = plugin_pb2.CodeGeneratorResponse(
        supported_features=plugin_pb2.CodeGeneratorResponse.FEATURE_PROTO3_OPTIONAL
    )
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        descriptors = folder / "in.binpb"
        descriptors.write_bytes(
            descriptor_pb2.FileDescriptorSet(file=request.proto_file).SerializeToString()
        )
        out = folder / "out"
        out.mkdir()
        flags = [f"--python_out={out}", f"--grpc_python_out={out}"]
        command = ["protoc", f"--descriptor_set_in={descriptors}", *flags]
        if protoc.main([*command, *request.file_to_generate]) != 0:
            response.error = "protoc failed; its message is above"
        for path in sorted(out.rglob("*.py")):
            # A file without services has no stubs; protoc writes an empty shell all the same.
            content = path.read_text(encoding="utf-8")
            if path.name.endswith("_pb2_grpc.py") and "class " not in content:
                continue
            response.file.add(name=path.relative_to(out).as_posix(), content=content)
    # Each package says that it is typed; above them lie only namespace packages.
    for parent in sorted({Path(name).parent.as_posix() for name in request.file_to_generate}):
        response.file.add(name=f"{parent}/py.typed")
    return response


if __name__ == "__main__":
    sys.stdout.buffer.write(
        generate(
            plugin_pb2.CodeGeneratorRequest.FromString(sys.stdin.buffer.read())
        ).SerializeToString()
    )
