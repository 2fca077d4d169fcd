"""``rthub tail``: watch topics in a terminal, through restarts of the hub."""

from __future__ import annotations

import asyncio
import contextlib
import json as jsonlib
import os
import signal
import sys
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.text import Text

from hub.cli.as_json import event_json
from hub.cli.credentials import channel_credentials
from hub.cli.told import check_server, help_for, words_of
from shipspeak_realtime import RealtimeClient, RealtimeError, State, VerdictKind, describe

if TYPE_CHECKING:
    from shipspeak_realtime import ConnectionChange, Event, LeftOut, Verdict


class From(StrEnum):
    """Where to begin."""

    EARLIEST = "earliest"
    LATEST = "latest"


def tail(
    topics: Annotated[list[str], typer.Argument(help="Topics, such as meeting/42.")],
    server: Annotated[
        str,
        typer.Option(
            envvar="RTHUB_SERVER", help="host:port of the gRPC door.", callback=check_server
        ),
    ] = "127.0.0.1:50051",
    token: Annotated[
        str, typer.Option(envvar="RTHUB_TOKEN", help="JWT; empty = none.", show_default=False)
    ] = "",
    start: Annotated[
        From, typer.Option("--from", help="Everything that is kept, or what comes from now on.")
    ] = From.LATEST,
    count: Annotated[
        int | None, typer.Option(min=1, help="Stop after so many events.", show_default=False)
    ] = None,
    json: Annotated[  # noqa: FBT002 - typer makes a flag of it
        bool, typer.Option("--json", help="One JSON object per line.")
    ] = False,
) -> None:
    """Watch topics: one line per event; what the connection does goes to stderr. Ctrl-C ends it.

    Example: rthub tail meeting/42 --from earliest
    """
    printer = _Printer(width=max(map(len, topics)), as_json=json, left=count, server=server)
    try:
        asyncio.run(_tail(dict.fromkeys(topics), server, token, start, printer))
    except RealtimeError as error:
        printer.note("bold red", words_of(error, server))
        raise typer.Exit(1) from error
    except BrokenPipeError:
        # Whoever read this has gone; an error more while stdout is closed helps nobody.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


class _Printer:
    """Events to stdout, news of the connection to stderr; each line at once."""

    def __init__(self, *, width: int, as_json: bool, left: int | None, server: str) -> None:
        self._server, self._helped = server, False
        self._width, self._as_json, self._left = width, as_json, left
        self._out = Console(highlight=False, soft_wrap=True)
        self._err = Console(stderr=True, highlight=False, soft_wrap=True)

    def event(self, event: Event) -> bool:
        """Print an event; False when it was the last one wanted."""
        if self._as_json:
            sys.stdout.write(jsonlib.dumps(event_json(event), ensure_ascii=False) + "\n")
        else:
            at = event.published_at.astimezone().isoformat(" ", "milliseconds")[11:23]
            offset = f"#{event.offset}" if event.offset else "-"
            self._out.print(
                Text.assemble(
                    (at, "dim"),
                    "  ",
                    (event.topic.ljust(self._width), "cyan"),
                    "  ",
                    (offset.rjust(6), "bold"),
                    "  ",
                    describe(event),
                )
            )
        sys.stdout.flush()
        if self._left is not None:
            self._left -= 1
        return self._left is None or self._left > 0

    def verdict(self, verdict: Verdict) -> None:
        """Tell what the hub says about our place in the log."""
        if verdict.kind is VerdictKind.GAP:
            lost = "events" if verdict.lost is None else f"up to {verdict.lost} events"
            self.note("bold yellow", f"{verdict.topic}: GAP, {lost} were trimmed before they came")
        elif verdict.kind is VerdictKind.RESET:
            self.note("bold yellow", f"{verdict.topic}: RESET, another log begins here")
        elif verdict.resumed:
            live = verdict.kind is VerdictKind.LIVE
            words = "goes on, without what was missed (no history)" if live else "resumed, 0 lost"
            self.note("green", f"{verdict.topic}: {words}")

    def left_out(self, news: LeftOut) -> None:
        """Tell what is not shown, since the hub left it out."""
        counts = {
            "expired": news.expired,
            "conflated": news.conflated,
            "withdrawn": news.withdrawn,
        }
        told = ", ".join(f"{count} {why}" for why, count in counts.items() if count)
        first, last = news.after_offset + 1, news.through_offset
        place = f"offset {last}" if first == last else f"in offsets {first} to {last}"
        self.note("yellow", f"{news.topic}: {told}, not shown ({place})")

    def connection(self, change: ConnectionChange) -> None:
        """Tell that the connection was lost or stands again."""
        if change.state is State.BACKOFF:
            self.note("yellow", f"{_loss(change)}, again in {change.retry_in or 0:.1f} s")
            more = help_for(change.error, self._server) if change.error and not self._helped else ""
            if more:
                self._helped = True
                self.note("yellow", more)
        elif change.state is State.SYNCING and change.previous is State.CONNECTING:
            self.note("green", "connected")

    def note(self, style: str, words: str) -> None:
        """One line on stderr."""
        self._err.print(Text(f"-- {words}", style=style))


def _loss(change: ConnectionChange) -> str:
    """Why there is no connection, without the transport's own long words."""
    if change.error is None:
        return "the hub is going away"
    if change.error.reason:
        return f"not connected ({change.error})"
    if change.previous is State.CONNECTING:
        return "the hub cannot be reached"
    return "the connection was lost"


async def _tail(
    topics: dict[str, None], server: str, token: str, start: From, printer: _Printer
) -> None:
    loop = asyncio.get_running_loop()
    async with RealtimeClient(
        server, token=token or None, credentials=channel_credentials()
    ) as hub:
        readers = [asyncio.create_task(_read(hub, topic, start, printer)) for topic in topics]
        watcher = asyncio.create_task(_watch(hub, printer))
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, lambda: [task.cancel() for task in readers])
        try:
            # The first to end ends all: the last event wanted, a refusal, or Ctrl-C.
            done, _ = await asyncio.wait(readers, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in (*readers, watcher):
                task.cancel()
            await asyncio.gather(*readers, watcher, return_exceptions=True)
        for task in done:
            with contextlib.suppress(asyncio.CancelledError):
                task.result()


async def _read(hub: RealtimeClient, topic: str, start: From, printer: _Printer) -> None:
    events = hub.subscribe(
        topic, start=start.value, on_verdict=printer.verdict, on_left_out=printer.left_out
    )
    async for event in events:
        if not printer.event(event):
            return


async def _watch(hub: RealtimeClient, printer: _Printer) -> None:
    async for change in hub.connection_changes():
        printer.connection(change)
