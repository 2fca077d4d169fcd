"""The browsers' door: one ASGI application with grpc-web, push streams, probes and the page."""

from __future__ import annotations
