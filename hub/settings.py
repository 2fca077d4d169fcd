"""Frozen, validated settings: arguments, then ``RTHUB_*`` environment variables, then defaults."""

from __future__ import annotations

import ipaddress
import json
from difflib import get_close_matches
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Self

from pydantic import Field, SecretStr, field_validator, model_validator
from pydantic_settings import NoDecode, SettingsConfigDict

from hub.model.identity import Identity
from hub.model.issuer import Issuer, check_url
from hub.model.limit_settings import LimitSettings
from hub.model.origin import check_origin
from hub.model.secret import check_secret
from hub.model.tls_files import TlsFiles

if TYPE_CHECKING:
    from collections.abc import Iterable

# Read by the commands that talk to a hub.
_OF_COMMANDS = (
    "RTHUB_SERVER",
    "RTHUB_TOKEN",
    "RTHUB_CA_FILE",
    "RTHUB_CLIENT_CERT_FILE",
    "RTHUB_CLIENT_KEY_FILE",
)


class Settings(LimitSettings):
    """Everything that can be set; sizes in bytes and times in seconds unless the name differs."""

    model_config = SettingsConfigDict(env_prefix="RTHUB_", frozen=True, extra="forbid")

    # Doors
    host: str = Field(default="127.0.0.1", description="Address that both doors listen on.")
    grpc_port: int = Field(
        default=50051, ge=0, le=65535, description="Port of the gRPC door; 0 = a free one."
    )
    http_port: int = Field(
        default=8080, ge=0, le=65535, description="Port of the browsers' door; 0 = a free one."
    )
    allowed_origins: Annotated[tuple[str, ...], NoDecode] = Field(
        default=(),
        description="Origins whose pages may call the browsers' door, comma-separated; "
        "* only with --dev.",
    )
    page_dir: Path | None = Field(
        default=None, description="Folder of the page served at /; default: the reference page."
    )
    page_config: str = Field(
        default="{}", description="JSON that the page reads at /demo-config.json."
    )
    page_connect_sources: Annotated[tuple[str, ...], NoDecode] = Field(
        default=(), description="Origins beside the hub that the page may call, comma-separated."
    )
    trusted_proxies: Annotated[tuple[str, ...], NoDecode] = Field(
        default=(),
        description="Addresses of proxies whose X-Forwarded-For is believed, comma-separated.",
    )
    http_server: str = Field(
        default="uvicorn",
        pattern="^(uvicorn|granian)$",
        description="Server of the browsers' door: uvicorn speaks HTTP/1.1, granian (an extra) "
        "HTTP/2 as well.",
    )
    ready_file: Path | None = Field(
        default=None, description="Written as JSON {grpc, http, pid} once the hub serves."
    )

    # TLS
    tls_cert_file: Path | None = Field(
        default=None, description="PEM certificate chain of both doors; renewed when it changes."
    )
    tls_key_file: Path | None = Field(default=None, description="PEM private key of it.")
    tls_client_ca_file: Path | None = Field(
        default=None,
        description="PEM authorities of client certificates: each client of the gRPC door must "
        "have one then (mTLS).",
    )
    tls_identities: tuple[Identity, ...] = Field(
        default=(),
        description="Services known by their client certificate, as JSON: a list of "
        "{certificate, subject, grants}.",
    )
    allow_plaintext: bool = Field(
        default=False,
        description="Listen without TLS on addresses that other machines reach.",
    )

    # Storage
    data_dir: Path = Field(
        default=Path("rthub-data"), description="Folder of the shard files; on a local disk."
    )
    shards: int = Field(
        default=4, ge=1, le=16, description="Number of shard files, fixed when the folder is made."
    )
    workers: int = Field(
        default=1, ge=1, le=16, description="Processes that share the ports and the shards."
    )
    accept_lost_shards: bool = Field(
        default=False,
        description="Start although shard files are lost: empty ones take their place.",
    )

    # Identity
    dev: bool = Field(
        default=False, description="Development: callers without a token may do anything."
    )
    auth_hs256_secret: SecretStr | None = Field(
        default=None, description="Shared secret of HS256 tokens, 32 bytes or more."
    )
    auth_public_key_file: Path | None = Field(
        default=None, description="PEM public key of the token issuer."
    )
    auth_algorithm: str = Field(
        default="RS256", pattern="^(RS256|ES256|EdDSA)$", description="Algorithm of the public key."
    )
    auth_issuer: str = Field(default="shipspeak", min_length=1, description="Required iss claim.")
    auth_audience: str = Field(
        default="shipspeak-realtime", min_length=1, description="Required aud claim."
    )
    auth_issuers: tuple[Issuer, ...] = Field(
        default=(),
        description="More issuers, as JSON: a list of {issuer, audience, algorithms, and one of "
        "secret, public_key_file, jwks_file, jwks_url}; each is bound to its own keys.",
    )

    authorizer_url: str | None = Field(
        default=None,
        description="Address that decides, by POST of JSON, what a user may publish or read beyond "
        "the token: https, or http from this machine.",
    )
    authorizer_secret: SecretStr | None = Field(
        default=None, description="Sent to it as a bearer token, so that it knows who asks."
    )
    authorizer_timeout: float = Field(
        default=1.0, gt=0, le=10, description="Longest wait for its answer; then it is a no."
    )
    authorizer_cache: float = Field(
        default=30.0, ge=2, le=300, description="How long an answer of it counts."
    )

    # Sessions
    heartbeat_interval: float = Field(
        default=20.0,
        ge=1,
        le=60,
        description="Sign of life of both sides; the hub looks at its sessions once a second.",
    )
    window_bytes: int = Field(
        default=262_144, ge=65_536, description="Largest in-flight window granted."
    )
    drain_spread: float = Field(
        default=2.0, ge=0, le=300, description="Clients told to go spread their return over this."
    )
    drain_grace: float = Field(
        default=5.0,
        ge=0,
        le=600,
        description="Longest wait for streams to end after the spread, when draining.",
    )

    # Work subscriptions
    work_max_attempts: int = Field(
        default=5,
        ge=1,
        le=100,
        description="An event handed out so often and not acknowledged becomes a dead letter.",
    )

    # Logs
    log_json: bool = Field(default=False, description="Log lines as JSON, for machines.")
    log_level: str = Field(
        default="info", pattern="^(debug|info|warning|error)$", description="Least level logged."
    )

    @field_validator("allowed_origins", "page_connect_sources", "trusted_proxies", mode="before")
    @classmethod
    def _split(cls, value: object) -> object:
        if isinstance(value, str):
            return tuple(part.strip() for part in value.split(",") if part.strip())
        return value

    @field_validator("allowed_origins", "page_connect_sources")
    @classmethod
    def _check_origins(cls, origins: tuple[str, ...]) -> tuple[str, ...]:
        for origin in origins:
            if origin != "*":
                check_origin(origin)
        return origins

    @field_validator("authorizer_url")
    @classmethod
    def _check_authorizer(cls, url: str | None) -> str | None:
        if url is not None:
            check_url("authorizer_url", url)
        return url

    @field_validator("page_config")
    @classmethod
    def _check_page_config(cls, config: str) -> str:
        try:
            parsed = json.loads(config)
        except json.JSONDecodeError as error:
            raise ValueError(f"it is no JSON: {error}") from error
        if not isinstance(parsed, dict):
            raise ValueError("it must be a JSON object")  # noqa: TRY004 - what pydantic takes
        return config

    @model_validator(mode="after")
    def _refuse_unsafe(self) -> Self:
        if self.auth_hs256_secret is not None and self.auth_public_key_file is not None:
            raise ValueError("give an HS256 secret or a public key file, not both")
        if not (self.issuers or self.tls_identities or self.dev):
            raise ValueError(
                "no key to check tokens with: set RTHUB_AUTH_HS256_SECRET (32 bytes or more), "
                "RTHUB_AUTH_PUBLIC_KEY_FILE or RTHUB_AUTH_ISSUERS, or start with --dev to try it "
                "out without tokens"
            )
        names = [issuer.issuer for issuer in self.issuers]
        if len(set(names)) < len(names):
            raise ValueError("an issuer is named twice; each has its keys in one place")
        if self.auth_hs256_secret is not None:
            check_secret(self.auth_hs256_secret.get_secret_value())
        if self.workers > 1 and self.http_server == "granian":
            raise ValueError("granian cannot share its port: workers > 1 need http_server=uvicorn")
        self._refuse_unsafe_doors()
        if "*" in self.allowed_origins and not self.dev:
            raise ValueError(
                "allowed_origins may be * only with --dev; name the origins of your pages"
            )
        return self

    def _refuse_unsafe_doors(self) -> None:
        if (self.tls_cert_file is None) != (self.tls_key_file is None):
            raise ValueError("give both tls_cert_file and tls_key_file, or neither")
        if self.tls_cert_file is None and (self.tls_client_ca_file or self.tls_identities):
            raise ValueError("client certificates need TLS: set tls_cert_file and tls_key_file")
        if self.tls_identities and self.tls_client_ca_file is None:
            raise ValueError("tls_identities needs tls_client_ca_file, which says whom to believe")
        if self.tls_cert_file is None and not self.allow_plaintext and not _is_loopback(self.host):
            raise ValueError(
                f"other machines would reach {self.host} in plain text: set tls_cert_file and "
                "tls_key_file (`rthub dev-certs` makes some for development), or allow_plaintext "
                "where a proxy or a mesh in front does TLS"
            )

    @property
    def tls(self) -> TlsFiles | None:
        """The files of the doors' TLS; None = plain text."""
        if self.tls_cert_file is None or self.tls_key_file is None:
            return None
        return TlsFiles(self.tls_cert_file, self.tls_key_file, self.tls_client_ca_file)

    @property
    def issuers(self) -> tuple[Issuer, ...]:
        """All issuers: the one of ``auth_issuer`` where it has a key, then the others."""
        secret, file = self.auth_hs256_secret, self.auth_public_key_file
        if secret is None and file is None:
            return self.auth_issuers
        first = {
            "issuer": self.auth_issuer,
            "audience": self.auth_audience,
            "algorithms": ("HS256" if secret is not None else self.auth_algorithm,),
            "secret": secret,
            "public_key_file": file,
        }
        return Issuer.model_validate(first), *self.auth_issuers


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def unknown_variables(names: Iterable[str]) -> dict[str, str]:
    """Variables that look like settings and are none, each with the nearest name that is known."""
    known = list(Settings.model_fields)
    unknown = {}
    for name in sorted(names):
        field = name.removeprefix("RTHUB_").lower()
        if name.startswith("RTHUB_") and field not in known and name not in _OF_COMMANDS:
            nearest = get_close_matches(field, known, n=1)
            unknown[name] = f"RTHUB_{nearest[0].upper()}" if nearest else ""
    return unknown
