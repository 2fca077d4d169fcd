"""Who is who in the attacked hub, and tokens that are good, bad and worse."""

from __future__ import annotations

import base64
import json
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import jwt
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from hub.auth.tokens import mint

if TYPE_CHECKING:
    from pathlib import Path

ISSUER, AUDIENCE = "shipspeak", "shipspeak-realtime"
PARTNER = "partner"
# The one page that may call.
ORIGIN = "https://app.example"
HOUR = 3600.0
# What an ordinary user of the product may do.
USER_GRANTS: dict[str, Any] = {
    "publish": ["meeting/*", "signal/*"],
    "subscribe": ["meeting/*", "user/{sub}", "signal/*"],
    "presence": ["meeting/*"],
    "work": ["meeting/*"],
}


@dataclass(frozen=True)
class Keys:
    """Keys of the issuers, and one that nobody trusts."""

    secret: str
    partner: rsa.RSAPrivateKey
    stranger: rsa.RSAPrivateKey

    @classmethod
    def make(cls, secret: str) -> Keys:
        """Fresh keys."""
        pair = [rsa.generate_private_key(public_exponent=65537, key_size=2048) for _ in range(2)]
        return cls(secret, *pair)

    @property
    def partner_public(self) -> bytes:
        """As the hub has it, in PEM."""
        return self.partner.public_key().public_bytes(
            serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
        )

    def environment(self, folder: Path) -> dict[str, str]:
        """The settings of a hub that trusts both issuers."""
        file = folder / "partner.pem"
        file.write_bytes(self.partner_public)
        partner = {
            "issuer": PARTNER,
            "audience": AUDIENCE,
            "algorithms": ["RS256"],
            "public_key_file": str(file),
        }
        return {
            "RTHUB_AUTH_HS256_SECRET": self.secret,
            "RTHUB_AUTH_ISSUERS": json.dumps([partner]),
            "RTHUB_ALLOWED_ORIGINS": ORIGIN,
        }

    def token(
        self, subject: str = "mallory", *, lifetime: float = HOUR, age: float = 0, **grants: Any
    ) -> str:
        """A good token."""
        return mint(
            self.secret,
            subject=subject,
            issuer=ISSUER,
            audience=AUDIENCE,
            lifetime=lifetime + age,
            clock=lambda: time.time() - age,
            **(grants or USER_GRANTS),
        )

    def altered(self, *, key: Any = None, algorithm: str = "HS256", **claims: Any) -> str:
        """A token with claims of the attacker's; a claim of None is left out."""
        good = jwt.decode(self.token(), options={"verify_signature": False})
        wanted = {name: claim for name, claim in {**good, **claims}.items() if claim is not None}
        return jwt.encode(wanted, self.secret if key is None else key, algorithm=algorithm)


def part(value: object) -> str:
    """A part of a token, as JSON in base64url."""
    return base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=").decode()


def with_header(token: str, **changes: Any) -> str:
    """The same token with another header, and the signature that it had."""
    _, claims, signature = token.split(".")
    return ".".join([part({"alg": "HS256", "typ": "JWT", **changes}), claims, signature])
