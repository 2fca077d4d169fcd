"""One event as a command's run: what the command gets, and what its end means for the event."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
import tempfile
from enum import Enum, auto
from typing import TYPE_CHECKING

from hub.cli.as_json import payload_json, type_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from shipspeak_realtime import Delivery

# sysexits.h: the input was bad, so that another try would end alike.
REJECTED_STATUS = os.EX_DATAERR
# How often a run looks whether the event has passed to another member.
_LOOK_SECONDS = 0.25
# From SIGTERM to SIGKILL, for a command that is to end before its work is done.
_STOP_SECONDS = 10.0


class Ending(Enum):
    """What a run's end says of its event."""

    DONE = auto()
    FAILED = auto()
    REJECTED = auto()
    LOST = auto()


def ending_of(status: int) -> Ending:
    """What an exit status says; below 0 it is the signal that ended the command."""
    if status == 0:
        return Ending.DONE
    return Ending.REJECTED if status == REJECTED_STATUS else Ending.FAILED


def environment_of(delivery: Delivery) -> dict[str, str]:
    """What the command is told beside the payload; names and meanings are in the documentation."""
    event = delivery.event
    facts = {
        "RTHUB_WORK": delivery.work,
        "RTHUB_TOPIC": delivery.topic,
        "RTHUB_EVENT_ID": event.id,
        "RTHUB_OFFSET": str(event.offset),
        "RTHUB_ATTEMPT": str(delivery.attempt),
        "RTHUB_KIND": event.kind,
        "RTHUB_TYPE": type_of(event),
        "RTHUB_KEY": event.key,
        "RTHUB_PUBLISHER": event.publisher,
        "RTHUB_PUBLISHED_AT": event.published_at.isoformat(),
        "RTHUB_EXPIRES_AT": event.expires_at.isoformat() if event.expires_at else "",
        "RTHUB_TRACEPARENT": event.traceparent,
        "RTHUB_ATTRIBUTES": json.dumps(dict(event.attributes), ensure_ascii=False),
    }
    # A variable ends at a NUL, and the system refuses one inside.
    return {name: value.replace("\0", "\N{REPLACEMENT CHARACTER}") for name, value in facts.items()}


async def run(
    command: Sequence[str], delivery: Delivery, environment: Mapping[str, str]
) -> tuple[Ending, str]:
    """Run a command on an event until it ends; gives what that means, and why in a few words.

    The command leads a process group of its own, so that Ctrl-C in a terminal ends this program and
    not its work. Where the event passes to another member, and where this is cancelled, the group
    is told SIGTERM.
    """
    # A file: a command that does not read its input holds nothing up.
    with tempfile.TemporaryFile() as file:
        line = json.dumps(payload_json(delivery.event), ensure_ascii=False)
        file.write(line.encode() + b"\n")
        file.seek(0)
        try:
            process = await asyncio.create_subprocess_exec(
                *command,
                stdin=file,
                env={**environment, **environment_of(delivery)},
                start_new_session=True,
            )
        except OSError as error:
            return Ending.FAILED, f"cannot be started: {error.strerror}"
    ended = asyncio.create_task(process.wait())
    try:
        while not delivery.lost:
            done, _ = await asyncio.wait({ended}, timeout=_LOOK_SECONDS)
            if done:
                status = ended.result()
                return ending_of(status), _words(status)
    except asyncio.CancelledError:
        await _stop(process, ended)
        raise
    await _stop(process, ended)
    return Ending.LOST, "the event has passed to another member"


async def _stop(process: asyncio.subprocess.Process, ended: asyncio.Task[int]) -> None:
    _tell(process, signal.SIGTERM)
    done, _ = await asyncio.wait({ended}, timeout=_STOP_SECONDS)
    if not done:
        _tell(process, signal.SIGKILL)
        await ended


def _tell(process: asyncio.subprocess.Process, number: signal.Signals) -> None:
    # Its leader may have ended a moment ago, and nobody else be in the group.
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, number)


def _words(status: int) -> str:
    if status >= 0:
        return f"exit {status}"
    try:
        return signal.Signals(-status).name
    except ValueError:
        return f"signal {-status}"
