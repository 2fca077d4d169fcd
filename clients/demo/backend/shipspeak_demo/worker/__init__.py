"""The worker: leases jobs, runs the stages, publishes every step."""

from __future__ import annotations
