"""The back end's routes, each a small ASGI room."""

from __future__ import annotations
