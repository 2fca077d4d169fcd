"""Tokens that must not pass, at every door."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import jwt

from tests.attacks.attack import EVERY, Act, Attack, Door
from tests.attacks.identities import ISSUER, PARTNER, part, with_header

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.attacks.scene import Scene

REFUSED = "UNAUTHENTICATED"


def _knock(make: Callable[[Scene], str]) -> Act:
    async def act(scene: Scene, door: Door) -> str:
        return await scene.doors.knock(door, make(scene))

    return act


def _row(name: str, sent: str, make: Callable[[Scene], str], reason: str) -> Attack:
    return Attack(name, EVERY, sent, _knock(make), f"{REFUSED} {reason}")


def _unsigned(scene: Scene, algorithm: str) -> str:
    _, claims, _ = scene.keys.token(admin=True).split(".")
    return f"{part({'alg': algorithm, 'typ': 'JWT'})}.{claims}."


def _confused(scene: Scene) -> str:
    """Signed with the partner's public key as if it were a shared secret."""
    _, claims, _ = scene.keys.altered(iss=PARTNER).split(".")
    head = part({"alg": "HS256", "typ": "JWT"})
    algorithm = jwt.get_algorithm_by_name("HS256")
    # The library itself refuses a key in PEM as a secret; an attacker does not.
    signature = algorithm.sign(f"{head}.{claims}".encode(), scene.keys.partner_public)
    return f"{head}.{claims}.{_b64(signature)}"


def _b64(data: bytes) -> str:
    return jwt.utils.base64url_encode(data).decode()


def _own_key(scene: Scene) -> str:
    """Brings the key to check it with along."""
    key = jwt.get_algorithm_by_name("RS256").to_jwk(scene.keys.stranger.public_key(), as_dict=True)
    claims = jwt.decode(scene.keys.token(), options={"verify_signature": False})
    headers = {"jwk": key, "jku": "http://127.0.0.1:1/keys", "kid": "../../../dev/null"}
    return jwt.encode(
        {**claims, "iss": PARTNER}, scene.keys.stranger, algorithm="RS256", headers=headers
    )


ROWS = (
    _row("no token", "nothing", lambda _: "", "TOKEN_MISSING"),
    _row(
        "none-alg",
        "alg none, unsigned, admin",
        lambda s: _unsigned(s, "none"),
        "TOKEN_SIGNATURE_INVALID",
    ),
    _row(
        "none-alg in capitals",
        "alg NoNe, unsigned",
        lambda s: _unsigned(s, "NoNe"),
        "TOKEN_SIGNATURE_INVALID",
    ),
    _row(
        "key confusion",
        "HS256 with the RS256 issuer's public key as secret",
        _confused,
        "TOKEN_SIGNATURE_INVALID",
    ),
    _row(
        "forged",
        "claims changed behind a good signature",
        lambda s: with_header(s.keys.token(), kid="x")[:-4] + "AAAA",
        "TOKEN_SIGNATURE_INVALID",
    ),
    _row(
        "another's secret",
        "HS256 with another secret",
        lambda s: s.keys.altered(key="y" * 32),
        "TOKEN_SIGNATURE_INVALID",
    ),
    _row(
        "own key in the header",
        "jwk, jku and a kid of the attacker's",
        _own_key,
        "TOKEN_SIGNATURE_INVALID",
    ),
    _row(
        "the neighbour's key",
        "one issuer's name, the other's key",
        lambda s: s.keys.altered(key=s.keys.partner, algorithm="RS256", iss=ISSUER),
        "TOKEN_SIGNATURE_INVALID",
    ),
    _row(
        "expired",
        "ended a second ago",
        lambda s: s.keys.altered(exp=int(time.time()) - 1),
        "TOKEN_EXPIRED",
    ),
    _row(
        "future",
        "nbf in an hour",
        lambda s: s.keys.altered(nbf=int(time.time()) + 3600),
        "TOKEN_NOT_YET_VALID",
    ),
    _row(
        "issued in the future",
        "iat in an hour",
        lambda s: s.keys.altered(iat=int(time.time()) + 3600),
        "TOKEN_NOT_YET_VALID",
    ),
    _row(
        "other audience",
        "aud of another service",
        lambda s: s.keys.altered(aud="billing"),
        "TOKEN_AUDIENCE_INVALID",
    ),
    _row(
        "other issuer",
        "iss that nobody trusts",
        lambda s: s.keys.altered(iss="evil"),
        "TOKEN_ISSUER_INVALID",
    ),
    _row("endless", "no exp", lambda s: s.keys.altered(exp=None), "TOKEN_MALFORMED"),
    _row(
        "exp that is no time",
        "exp NaN",
        lambda s: s.keys.altered(exp=float("nan")),
        "TOKEN_MALFORMED",
    ),
    _row("garbage token", "three dots", lambda _: "...", "TOKEN_MALFORMED"),
)
