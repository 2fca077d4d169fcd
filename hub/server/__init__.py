"""The back ends' door: grpc.aio server, stream sink, health and reflection."""
