"""Clients on connections of their own, each known by the worker that it fell to."""

from __future__ import annotations

import uuid
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tests.support.raw_client import RawClient, Stream

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from shipspeak.realtime.v1 import frame_pb2
    from tests.support.hub_process import HubProcess


@dataclass
class Client:
    """A client and the one session that it has."""

    raw: RawClient
    stream: Stream
    welcome: frame_pb2.Welcome


@asynccontextmanager
async def on_workers(
    hub: HubProcess, count: int, *, but: str = ""
) -> AsyncIterator[tuple[Client, ...]]:
    """So many clients, each with a session on another worker; none on the instance ``but``."""
    found: dict[str, Client] = {}
    async with AsyncExitStack() as opened:
        while len(found) < count:
            raw = await opened.enter_async_context(RawClient(hub.grpc, alone=True))
            stream, welcome = await raw.session(client_id=uuid.uuid4().hex)
            if welcome.instance != but:
                found.setdefault(welcome.instance, Client(raw, stream, welcome))
        yield tuple(found.values())
