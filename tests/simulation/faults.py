"""Faults of hub and SDK that nobody would see: what they log, and callbacks that fail."""

from __future__ import annotations

import logging
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any

import structlog

if TYPE_CHECKING:
    from collections.abc import MutableMapping

# What the hub logs when the disk is full, or when it goes in the middle of something.
_EXPECTED = {"storage_failed", "housekeeping_failed"}


def overheard(faults: list[str], context: dict[str, Any]) -> None:
    """Take down a callback or a task that failed with nobody to tell."""
    if "destroyed" not in context["message"]:  # what a dead hub had under way
        words = [f"{key}: {context[key]!r}" for key in ("message", "exception") if key in context]
        whose = context.get("task") or context.get("future") or context.get("handle")
        faults.append(f"a callback failed: {', '.join(words)}, of {whose!r}")


def eavesdropping(faults: list[str]) -> ExitStack:
    """Take down what hub and SDK log as their own faults; print nothing."""

    def listen(_logger: Any, level: str, event: MutableMapping[str, Any]) -> Any:
        if level in ("error", "exception", "critical") and event["event"] not in _EXPECTED:
            faults.append(f"the hub logged {event['event']}: {event.get('exc_info')!r}")
        raise structlog.DropEvent

    stack = ExitStack()
    before = structlog.get_config()
    stack.callback(structlog.configure, **before)
    structlog.configure(processors=[listen])
    handler = _Faults(faults)
    log = logging.getLogger("shipspeak_realtime")
    was = log.propagate
    log.propagate = False
    log.addHandler(handler)
    stack.callback(log.removeHandler, handler)
    stack.callback(setattr, log, "propagate", was)
    return stack


class _Faults(logging.Handler):
    def __init__(self, faults: list[str]) -> None:
        super().__init__(logging.ERROR)
        self._faults = faults

    def emit(self, record: logging.LogRecord) -> None:
        self._faults.append(f"the SDK logged {record.getMessage()}: {record.exc_info}")
