"""``rthub work run``: work on a work subscription with any command, one run for each event."""

from __future__ import annotations

import asyncio
import logging
import os
import shutil
import signal
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.text import Text

from hub.cli import job
from hub.cli.credentials import channel_credentials
from hub.cli.health import CALL_FAILED
from hub.cli.job import Ending
from hub.cli.operate import LOCAL, Server
from hub.cli.told import words_of
from shipspeak_realtime import RealtimeClient, RealtimeError, Reject, retry_delay

if TYPE_CHECKING:
    from collections.abc import Sequence

    from shipspeak_realtime import Delivery, Work

_console = Console(stderr=True, highlight=False, soft_wrap=True)


@dataclass(frozen=True, slots=True)
class _Wanted:
    """What the command line says.

    Attributes:
        command: program and arguments.
        max_attempts: an event handed out more often is not run; None = the hub's own limit.
    """

    name: str
    pattern: str
    command: Sequence[str]
    concurrency: int
    ack_deadline: float
    max_attempts: int | None
    ordered: bool
    server: str
    token: str


class _NotDone(Exception):
    """Ends a delivery's block without an acknowledgement: the event comes again."""


def run(
    name: Annotated[str, typer.Argument(help="Name of the work subscription.")],
    pattern: Annotated[str, typer.Argument(help="A topic, or a pattern such as 'meeting/*'.")],
    command: Annotated[
        list[str], typer.Argument(help="Program and arguments, behind --.", metavar="-- COMMAND...")
    ],
    concurrency: Annotated[int, typer.Option(min=1, max=1000, help="Runs at a time.")] = 1,
    ack_deadline: Annotated[
        float,
        typer.Option(
            min=10,
            max=600,
            help="Seconds after which another worker gets the event if this machine goes silent; "
            "extended while the command runs.",
        ),
    ] = 30.0,
    max_attempts: Annotated[
        int | None,
        typer.Option(
            min=1,
            help="Attempts until an event is a dead letter; the hub's own limit holds as well.",
            show_default=False,
        ),
    ] = None,
    ordered: Annotated[  # noqa: FBT002 - typer makes a flag of it
        bool, typer.Option("--ordered", help="Each topic's events one at a time, in order.")
    ] = False,
    server: Server = LOCAL,
    token: Annotated[
        str,
        typer.Option(
            envvar="RTHUB_TOKEN", help="JWT with the rights work and subscribe.", show_default=False
        ),
    ] = "",
) -> None:
    """Run a command for each event: payload as JSON on its input, the rest in RTHUB_ variables.

    Its exit status 0 acknowledges, 65 makes a dead letter of the event, any other lets it come
    again after 1, 4, 16, ... s. SIGTERM and Ctrl-C let what runs end; a second one breaks it off.

    Example: rthub work run analyse 'meeting/*' --concurrency 4 -- ./analyse.sh
    """
    if shutil.which(command[0]) is None:
        message = f"there is no program {command[0]!r}"
        raise typer.BadParameter(message)
    wanted = _Wanted(
        name, pattern, command, concurrency, ack_deadline, max_attempts, ordered, server, token
    )
    # What ended how is told here, without a traceback of ours.
    logging.getLogger("shipspeak_realtime").addFilter(_is_news)
    try:
        asyncio.run(_work(wanted))
    except RealtimeError as error:
        _say("bold red", words_of(error, server))
        raise typer.Exit(CALL_FAILED) from error


async def _work(wanted: _Wanted) -> None:
    async with RealtimeClient(
        wanted.server, token=wanted.token or None, credentials=channel_credentials()
    ) as hub:
        work = hub.work(
            wanted.name,
            wanted.pattern,
            max_outstanding=wanted.concurrency,
            ack_deadline=wanted.ack_deadline,
            ordered=wanted.ordered,
        )
        async with work:
            workers = [asyncio.create_task(_take(work, wanted)) for _ in range(wanted.concurrency)]
            _listen(work, workers)
            ends = await asyncio.gather(*workers, return_exceptions=True)
    for end in ends:
        if isinstance(end, Exception):
            raise end


def _listen(work: Work, workers: Sequence[asyncio.Task[None]]) -> None:
    """The first signal lets what runs end, the second does not."""
    closing = False

    def stop() -> None:
        nonlocal closing
        if closing:
            for worker in workers:
                worker.cancel()
            return
        closing = True
        _say("yellow", "no new events; what runs may end")
        work.close()

    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stop)


async def _take(work: Work, wanted: _Wanted) -> None:
    environment = {**os.environ, "RTHUB_SERVER": wanted.server}
    async for delivery in work:
        async with delivery:
            await _do(delivery, wanted, environment)


async def _do(delivery: Delivery, wanted: _Wanted, environment: dict[str, str]) -> None:
    """Run the command inside the delivery's block, and let the block tell the hub.

    Raises:
        Reject: it goes to the dead letters.
        _NotDone: it comes again.
    """
    limit = wanted.max_attempts
    what = f"{delivery.topic} #{delivery.event.offset}"
    if limit is not None and delivery.attempt > limit:
        # The last one ended this program, or its machine, before it could be told.
        _say("bold red", f"{what}: not run, {limit} attempts were made: to the dead letters")
        raise Reject
    begun = time.monotonic()
    ending, why = await job.run(wanted.command, delivery, environment)
    if ending is Ending.FAILED and limit is not None and delivery.attempt >= limit:
        ending = Ending.REJECTED
    style, then = {
        Ending.DONE: ("green", "done"),
        Ending.FAILED: ("yellow", f"again in {retry_delay(delivery.attempt):.0f} s"),
        Ending.REJECTED: ("bold red", "to the dead letters"),
        Ending.LOST: ("yellow", "it was stopped"),
    }[ending]
    took = time.monotonic() - begun
    _say(style, f"{what} attempt {delivery.attempt}: {why} after {took:.1f} s, {then}")
    if ending is Ending.REJECTED:
        raise Reject
    if ending is not Ending.DONE:
        raise _NotDone


def _is_news(record: logging.LogRecord) -> bool:
    told = record.args if isinstance(record.args, tuple) else ()
    error = record.exc_info[1] if record.exc_info else None
    return not any(isinstance(one, _NotDone | Reject) for one in (*told, error))


def _say(style: str, words: str) -> None:
    _console.print(Text(f"-- {words}", style=style))
