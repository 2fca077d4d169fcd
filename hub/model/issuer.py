"""Who issues tokens, and with which keys: part of the settings."""

from __future__ import annotations

from pathlib import Path
from typing import Final, Literal, Self
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, SecretStr, model_validator

from hub.model.secret import check_secret

Algorithm = Literal["HS256", "RS256", "ES256", "EdDSA"]
_SOURCES: Final = ("secret", "public_key_file", "jwks_file", "jwks_url")
_LOOPBACK: Final = ("127.0.0.1", "localhost", "::1")


class Issuer(BaseModel):
    """One issuer, bound to its own keys: a token that names it passes by no other's key.

    Exactly one of ``secret``, ``public_key_file``, ``jwks_file`` and ``jwks_url`` is given.

    Attributes:
        issuer: required iss claim.
        audience: required aud claim.
        algorithms: that its tokens may be signed with; a token does not choose beyond them.
        secret: shared, of HS256, 32 bytes or more.
        public_key_file: PEM public key, read again when it changes.
        jwks_file: JSON Web Key Set (RFC 7517), read again when it changes.
        jwks_url: the same, fetched: https, or http from this machine.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    issuer: str = Field(min_length=1)
    audience: str = Field(min_length=1)
    algorithms: tuple[Algorithm, ...] = Field(default=("RS256",), min_length=1)
    secret: SecretStr | None = None
    public_key_file: Path | None = None
    jwks_file: Path | None = None
    jwks_url: str | None = None

    @model_validator(mode="after")
    def _check(self) -> Self:
        given = [name for name in _SOURCES if getattr(self, name) is not None]
        if len(given) != 1:
            raise ValueError(f"issuer {self.issuer}: give one of {', '.join(_SOURCES)}")
        symmetric = "HS256" in self.algorithms
        if self.secret is not None:
            check_secret(self.secret.get_secret_value())
            if self.algorithms != ("HS256",):
                raise ValueError(f'issuer {self.issuer}: a secret goes with algorithms ["HS256"]')
        elif symmetric:
            # Else a public key could be used as a secret that everyone knows (RFC 8725 2.1).
            raise ValueError(f"issuer {self.issuer}: HS256 goes with a secret and with no key")
        if self.public_key_file is not None and len(self.algorithms) != 1:
            raise ValueError(f"issuer {self.issuer}: a public key has one algorithm")
        if self.jwks_url is not None:
            check_url("jwks_url", self.jwks_url)
        return self


def check_url(name: str, url: str) -> None:
    """Check an address that the hub believes, of the setting with this name.

    Raises:
        ValueError: somebody else could answer there, or it holds a password.
    """
    parts = urlsplit(url)
    if parts.username or parts.password:
        raise ValueError(f"the {name} holds a password, which would be in logs; use none")
    if parts.scheme == "https" and parts.hostname:
        return
    if parts.scheme == "http" and parts.hostname in _LOOPBACK:
        return
    raise ValueError(f"{name} {url!r}: only https, or http from this machine, can be trusted")
