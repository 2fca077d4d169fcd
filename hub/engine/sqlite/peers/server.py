"""The called ends of the links: a Unix socket that admits processes of this user alone.

The kernel lets nobody else connect (the socket's mode is 0600, and its directory's 0700), and
whoever connects must show the key that lies beside it, readable by this user only.
"""

from __future__ import annotations

import asyncio
import hmac
from typing import TYPE_CHECKING, Final, Protocol

import grpc
import structlog

from hub.engine.sqlite.peers.guest import Guest
from hub.engine.sqlite.peers.link import KEY_METADATA, METHOD, OPTIONS
from hub.telemetry.unheard import hear
from shipspeak.realtime.internal.v1 import peer_service_pb2 as peer

if TYPE_CHECKING:
    from hub.engine.sqlite.peers.place import PeerPlace

_logger: Final = structlog.get_logger(__name__)

Context = grpc.aio.ServicerContext[bytes, bytes]


class GuestHost(Protocol):
    """Serves the guests."""

    def on_guest(self, guest: Guest) -> None:
        """It has said who it is; tell it the standing."""

    def on_ask(self, guest: Guest, ask: peer.Ask) -> None:
        """It asks something. Must not block."""

    def on_guest_gone(self, guest: Guest) -> None:
        """The link has ended."""


class PeerServer:
    """Listens for the other instances.

    Args:
        place: of this instance.
        host: serves the guests.
    """

    def __init__(self, place: PeerPlace, host: GuestHost) -> None:
        self._place = place
        self._host = host
        self._key = place.key()
        self._server = grpc.aio.server(options=OPTIONS)
        service, _, name = METHOD.lstrip("/").partition("/")
        handler: grpc.RpcMethodHandler[bytes, bytes] = grpc.stream_stream_rpc_method_handler(
            self._link
        )
        self._server.add_generic_rpc_handlers(
            (grpc.method_handlers_generic_handler(service, {name: handler}),)
        )

    async def start(self) -> None:
        """Listen.

        Raises:
            OSError: the socket cannot be made.
        """
        path = self._place.socket(self._place.worker)
        path.unlink(missing_ok=True)
        try:
            self._server.add_insecure_port(f"unix:{path}")
        except RuntimeError as error:
            raise OSError(f"{path} cannot be listened on") from error
        # Before a call is answered; until then the directory keeps others out.
        path.chmod(0o600)
        await self._server.start()

    async def stop(self) -> None:
        """End all links. Safe to call twice."""
        await self._server.stop(0.0)

    async def _link(self, _requests: object, context: Context) -> None:
        given = dict(context.invocation_metadata() or ()).get(KEY_METADATA, "")
        if not hmac.compare_digest(str(given).encode(), self._key.encode()):
            await context.abort(grpc.StatusCode.PERMISSION_DENIED, "not one of this hub")
        guest = Guest()
        writer = asyncio.get_running_loop().create_task(_write(context, guest))
        try:
            while True:
                data: object = await context.read()
                if not isinstance(data, bytes):
                    break
                for ask in peer.LinkRequest.FromString(data).asks:
                    self._take(guest, ask)
        finally:
            writer.cancel()
            if guest.instance:
                self._host.on_guest_gone(guest)
            await asyncio.wait([writer])
            hear(writer)

    def _take(self, guest: Guest, ask: peer.Ask) -> None:
        if ask.HasField("hello"):
            guest.instance, guest.worker = ask.hello.instance, ask.hello.worker
            self._host.on_guest(guest)
            return
        try:
            self._host.on_ask(guest, ask)
        except Exception:
            # One ask's fault must not end the link, and with it all that others wait for.
            _logger.exception("ask_failed", ask=ask.WhichOneof("ask"), by=guest.instance)


async def _write(context: Context, guest: Guest) -> None:
    while True:
        await context.write(await guest.outbox.take())
        guest.catch_up()
