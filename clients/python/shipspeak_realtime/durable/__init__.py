"""A durable outbox: what a service publishes outlives the service and a hub that is away.

`store.py` is the file, `outbox.py` its async face, `drain.py` sends what waits.
"""

from __future__ import annotations

from shipspeak_realtime.durable.outbox import SqliteOutbox
from shipspeak_realtime.durable.rows import OutboxState, RefusedDraft

__all__ = ["OutboxState", "RefusedDraft", "SqliteOutbox"]
