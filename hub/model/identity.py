"""Which services come with certificates, and what each may do: part of the settings."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field


class IdentityGrants(BaseModel):
    """Patterns per right, as in the ``grants`` claim of a token."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    publish: tuple[str, ...] = ()
    subscribe: tuple[str, ...] = ()
    presence: tuple[str, ...] = ()
    work: tuple[str, ...] = ()
    admin: bool = False


class Identity(BaseModel):
    """A service that is known by its client certificate.

    Attributes:
        certificate: an alternative name (URI, such as spiffe://org/billing, or DNS) or the common
            name of its certificate.
        subject: its name as a publisher; default: the certificate's.
        grants: what it may do.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    certificate: str = Field(min_length=1, max_length=256)
    subject: str = ""
    grants: IdentityGrants = IdentityGrants()
