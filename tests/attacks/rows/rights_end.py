"""Rights that ended, and grants: revoked, replayed and borrowed tokens."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import grpc
import jwt

from shipspeak.realtime.v1 import (
    admin_service_pb2,
    frame_pb2,
)
from tests.attacks.attack import PUBLISHING, READING, Attack, Door
from tests.attacks.doors import said_by, said_by_call
from tests.attacks.identities import AUDIENCE, HOUR, ISSUER
from tests.attacks.rows.shared import BOB, DENIED, STREAMS, on_stream
from tests.support.raw_client import RawClient

if TYPE_CHECKING:
    from tests.attacks.scene import Scene


LATEST = frame_pb2.START_LATEST


async def _work_everywhere(scene: Scene, door: Door) -> str:
    """Opens work on more than the grant covers."""
    opening = frame_pb2.OpenWork(name="all", pattern="user/*")

    async def talk(stream: Any) -> str:
        await stream.send(request_id=3, open_work=opening)
        return said_by(await stream.control("error"))

    return await on_stream(scene, door, talk)


async def _refresh_as_another(scene: Scene, door: Door) -> str:
    async def talk(stream: Any) -> str:
        token = scene.keys.token("bob")
        await stream.send(request_id=3, refresh_token=frame_pb2.RefreshToken(token=token))
        return said_by(await stream.control("error"))

    return await on_stream(scene, door, talk)


def _grant(scene: Scene, **changes: Any) -> str:
    claims = {"sub": "mallory", "iss": ISSUER, "aud": AUDIENCE, "exp": time.time() + HOUR}
    return jwt.encode({**claims, "topic": "user/bob", **changes}, scene.keys.secret, "HS256")


def _granted(**changes: Any) -> Any:
    async def act(scene: Scene, door: Door) -> str:
        wish = frame_pb2.Subscribe(topic="user/bob", at=LATEST, grant=_grant(scene, **changes))
        return await scene.doors.read(door, scene.keys.token(), wish)

    return act


async def _admin(scene: Scene, _door: Door) -> str:
    async with RawClient(scene.hub.grpc, scene.keys.token()) as client:
        try:
            await client.admin("Revoke", admin_service_pb2.RevokeRequest(user="bob"))
        except grpc.aio.AioRpcError as error:
            return said_by_call(error)
    return "OK"


async def _book(scene: Scene, door: Door) -> str:
    """Writes into the hub's own book of revocations, with every right of a publisher."""
    draft = scene.draft("control/revocations")
    return await scene.doors.publish(door, scene.keys.token("bob", **BOB), draft)


async def _read_book(scene: Scene, door: Door) -> str:
    """Reads what administrators did, with every right of a reader."""
    wish = frame_pb2.Subscribe(topic="control/audit", at=LATEST)
    return await scene.doors.read(door, scene.keys.token("bob", **BOB), wish)


async def _revoked(scene: Scene, door: Door) -> str:
    """A token that was good a moment ago, caught by somebody and used again."""
    user = f"victim-{door.value}"
    token = scene.keys.token(user, age=5)
    assert await scene.doors.knock(door, token) in ("OK", "STORED")
    await scene.revoke(user=user)
    return await scene.doors.knock(door, token)


async def _replayed(scene: Scene, door: Door) -> str:
    """A captured token, after its user has signed out everywhere and in again."""
    user = f"replayed-{door.value}"
    token = scene.keys.token(user, age=5)
    await scene.revoke(user=user)
    newer = scene.keys.token(user, age=-2)
    assert await scene.doors.knock(door, newer) in ("OK", "STORED")
    return await scene.doors.knock(door, token)


async def _reads_on(scene: Scene, door: Door) -> str:
    """Stays on its stream beyond its token's end."""

    async def talk(stream: Any) -> str:
        await stream.subscribe(scene.topic(), at=LATEST)
        going = await stream.control("go_away")
        assert going.action == frame_pb2.GO_AWAY_ACTION_REAUTHENTICATE
        return "UNAUTHENTICATED SESSION_EXPIRED" if going.reason == 83 else str(going)

    return await on_stream(scene, door, talk, scene.keys.token(lifetime=3))


ROWS = (
    Attack("the hub's own book, read", READING, "control/audit", _read_book, DENIED),
    Attack("work beyond the grant", STREAMS, "OpenWork on user/*", _work_everywhere, DENIED),
    Attack(
        "refresh as another user",
        STREAMS,
        "bob's token on mallory's session",
        _refresh_as_another,
        "UNAUTHENTICATED PRINCIPAL_MISMATCH",
    ),
    Attack(
        "another's grant",
        READING,
        "a grant made for bob",
        _granted(sub="bob"),
        "UNAUTHENTICATED PRINCIPAL_MISMATCH",
    ),
    Attack(
        "a grant of another topic",
        READING,
        "a grant for user/carol",
        _granted(topic="user/carol"),
        DENIED,
    ),
    Attack(
        "an ended grant",
        READING,
        "a grant that has ended",
        _granted(exp=time.time() - 1),
        "UNAUTHENTICATED TOKEN_EXPIRED",
    ),
    Attack(
        "a session token as a grant",
        READING,
        "a token without a topic",
        _granted(topic=None),
        "UNAUTHENTICATED TOKEN_MALFORMED",
    ),
    Attack("admin without the right", (Door.GRPC,), "Revoke of bob", _admin, DENIED),
    Attack("the hub's own book", PUBLISHING, "a draft to control/revocations", _book, DENIED),
    Attack(
        "revoked token",
        (*READING, Door.JSON),
        "a token of a user that was revoked",
        _revoked,
        "UNAUTHENTICATED TOKEN_REVOKED",
    ),
    Attack(
        "replayed token",
        (*READING, Door.JSON),
        "an old token after a new sign-in",
        _replayed,
        "UNAUTHENTICATED TOKEN_REVOKED",
    ),
    Attack(
        "reading beyond the token's end",
        STREAMS,
        "nothing: it stays",
        _reads_on,
        "UNAUTHENTICATED SESSION_EXPIRED",
    ),
)
