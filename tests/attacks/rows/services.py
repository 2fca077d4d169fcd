"""Services that show certificates, at hubs of their own: with TLS, and in development."""

from __future__ import annotations

import asyncio
import ssl
import warnings
from typing import TYPE_CHECKING, Any

import grpc

from shipspeak.realtime.v1 import frame_pb2, realtime_service_pb2
from tests.attacks.attack import Act, Attack, Door
from tests.attacks.doors import said_by_call, said_by_result
from tests.support.raw_client import SERVICE
from tests.wire.raw import ask, request
from tests.wire.sockets import OFFER, handshake

if TYPE_CHECKING:
    from tests.attacks.scene import Scene

GRPC = (Door.GRPC,)


def _with_certificate(authority: str, client: str, topic: str) -> Act:
    """Publish with a client certificate of an authority's."""

    async def act(scene: Scene, _door: Door) -> str:
        others = scene.others
        key, chain = others.client(authority, client) if client else (None, None)
        credentials = grpc.ssl_channel_credentials(others.authority, key, chain)
        draft = scene.draft(topic)
        sent = frame_pb2.PublishRequest(drafts=[draft]).SerializeToString()
        async with grpc.aio.secure_channel(others.locked.grpc, credentials) as channel:
            method: Any = channel.unary_unary(f"/{SERVICE}/Publish")
            try:
                answer = await method(sent, timeout=30)
            except grpc.aio.AioRpcError as error:
                return said_by_call(error)
        return said_by_result(realtime_service_pb2.PublishResponse.FromString(answer).results[0])

    return act


async def _plain(scene: Scene, _door: Door) -> str:
    """Plain text at a door with TLS."""
    host, _, port = scene.others.locked.grpc.rpartition(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    try:
        writer.write(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n")
        heard = await asyncio.wait_for(reader.read(), 60)
    except ConnectionError:
        heard = b""
    finally:
        writer.close()
    # At most an alert.
    return "cut" if len(heard) < 10 else str(heard)


async def _old_tls(scene: Scene, door: Door) -> str:
    """TLS 1.1, which nobody should speak."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    context.set_ciphers("ALL:@SECLEVEL=0")
    context.set_alpn_protocols(["h2"])
    with warnings.catch_warnings(action="ignore", category=DeprecationWarning):
        context.minimum_version = context.maximum_version = ssl.TLSVersion.TLSv1_1
    hub = scene.others.locked
    port = int((hub.grpc if door is Door.GRPC else hub.http).rpartition(":")[2])
    try:
        _, writer = await asyncio.open_connection("127.0.0.1", port, ssl=context)
    except (ssl.SSLError, ConnectionError):
        return "no handshake"
    writer.close()
    return "spoken"


def _rebound(door: Door) -> Act:
    """A name of the attacker's that points at this machine, and a hub that asks for no token."""

    async def act(scene: Scene, _door: Door) -> str:
        port = int(scene.others.open.http.rpartition(":")[2])
        if door is Door.WEBSOCKET:
            sent = handshake(OFFER, ("origin", "http://hub.test"))
        else:
            sent = request("GET", "/metrics", host="rebound.evil.example")
        return f"HTTP {(await ask(port, sent)).status}"

    return act


ROWS = (
    Attack(
        "a certificate of another authority",
        GRPC,
        "signed by the attacker's own",
        _with_certificate("theirs", "billing", "meeting/1"),
        "UNAVAILABLE",
    ),
    Attack(
        "no certificate",
        GRPC,
        "none where one is asked for",
        _with_certificate("", "", "meeting/1"),
        "UNAVAILABLE",
    ),
    Attack(
        "a certificate without a name here",
        GRPC,
        "of our authority, in no settings",
        _with_certificate("ours", "stranger", "meeting/1"),
        "UNAUTHENTICATED TOKEN_MISSING",
    ),
    Attack(
        "a service beyond its grants",
        GRPC,
        "billing's, to another topic",
        _with_certificate("ours", "billing", "user/bob"),
        "PERMISSION_DENIED RIGHT_MISSING",
    ),
    Attack("plain text at a TLS door", GRPC, "a preface", _plain, "cut"),
    Attack("TLS 1.1", (Door.GRPC, Door.HTTP), "a handshake of 2006", _old_tls, "no handshake"),
    Attack(
        "a rebound name",
        (Door.HTTP,),
        "Host of the attacker's, in development",
        _rebound(Door.HTTP),
        "HTTP 421",
    ),
    Attack(
        "a rebound name's WebSocket",
        (Door.WEBSOCKET,),
        "the same, to a WebSocket",
        _rebound(Door.WEBSOCKET),
        "HTTP 421",
    ),
)
