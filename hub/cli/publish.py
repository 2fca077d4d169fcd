"""``rthub publish``: one event from the command line."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Annotated

import typer
from google.protobuf.json_format import Parse, ParseError
from google.protobuf.wrappers_pb2 import StringValue
from rich.console import Console
from rich.markup import escape

from hub.cli.credentials import channel_credentials
from hub.cli.told import check_server, words_of
from shipspeak.realtime.v1 import event_pb2, notification_pb2
from shipspeak_realtime import RealtimeClient, RealtimeError

if TYPE_CHECKING:
    from google.protobuf.message import Message

    from shipspeak_realtime import Receipt

# Topics for people take text as a notification; the others as a plain string of their own.
_FOR_PEOPLE = ("user/", "group/", "system/")

_console = Console(stderr=True, highlight=False, soft_wrap=True)


def publish(
    topic: Annotated[str, typer.Argument(help="kind/id, such as meeting/42.")],
    json: Annotated[
        str | None,
        typer.Option(
            help="The content as protobuf JSON, such as "
            '\'{"meeting": {"stageProgress": {"stage": "analyse", "fraction": 0.4}}}\'.'
        ),
    ] = None,
    text: Annotated[
        str | None,
        typer.Option(help="A notification on user/, group/ and system/ topics; else a string."),
    ] = None,
    id: Annotated[  # noqa: A002 - the contract's own word
        str | None, typer.Option("--id", help="Idempotency key; the same id is stored once.")
    ] = None,
    key: Annotated[str, typer.Option(help="Conflation key, with --text.")] = "",
    ttl: Annotated[
        float | None, typer.Option(min=0.001, help="Seconds that it is worth delivering.")
    ] = None,
    deliver_in: Annotated[
        float | None,
        typer.Option(min=0.001, help="Seconds from now until it is delivered; the hub keeps it."),
    ] = None,
    server: Annotated[
        str,
        typer.Option(
            envvar="RTHUB_SERVER", help="host:port of the gRPC door.", callback=check_server
        ),
    ] = "127.0.0.1:50051",
    token: Annotated[
        str, typer.Option(envvar="RTHUB_TOKEN", help="JWT; empty = none.", show_default=False)
    ] = "",
    timeout: Annotated[
        float, typer.Option(min=0.1, help="Seconds to wait for the hub's receipt.")
    ] = 30.0,
) -> None:
    """Publish one event and print its receipt.

    Example: rthub publish user/alice --text "Your report is ready"
    """
    payload = _payload(topic, json, text)
    try:
        receipt = asyncio.run(
            _publish(server, token, topic, payload, id, key, ttl, deliver_in, timeout)
        )
    except RealtimeError as error:
        _console.print(f"[bold red]not published[/] {escape(words_of(error, server))}")
        raise typer.Exit(1) from error
    typer.echo(_line(receipt))


def _payload(topic: str, json: str | None, text: str | None) -> Message:
    if (json is None) == (text is None):
        message = "give --json or --text, one of them"
        raise typer.BadParameter(message)
    if text is not None:
        if topic.startswith(_FOR_PEOPLE):
            return notification_pb2.Notification(
                severity=notification_pb2.SEVERITY_INFO, title=text
            )
        return StringValue(value=text)
    try:
        return Parse(json or "", event_pb2.Content())
    except ParseError as error:
        message = f"not the JSON of a Content: {error}"
        raise typer.BadParameter(message, param_hint="--json") from error


async def _publish(
    server: str,
    token: str,
    topic: str,
    payload: Message,
    draft_id: str | None,
    key: str,
    ttl: float | None,
    deliver_in: float | None,
    timeout: float,  # noqa: ASYNC109 - passed on to the client
) -> Receipt:
    async with RealtimeClient(
        server, token=token or None, credentials=channel_credentials()
    ) as hub:
        at = None if deliver_in is None else datetime.now(UTC) + timedelta(seconds=deliver_in)
        return await hub.publish(
            topic, payload, id=draft_id, key=key, ttl=ttl, deliver_at=at, timeout=timeout
        )


def _line(receipt: Receipt) -> str:
    again = " (published before)" if receipt.duplicate else ""
    place = f" offset {receipt.offset}" if receipt.offset else ""
    return f"{receipt.outcome.name.lower()} {receipt.topic}{place} id {receipt.id}{again}"
