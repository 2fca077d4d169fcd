"""What a verified client certificate says of a peer."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final

from cryptography import x509
from cryptography.x509.oid import NameOID

if TYPE_CHECKING:
    from collections.abc import Mapping

_PEM: Final = "x509_pem_cert"


@dataclass(frozen=True, slots=True)
class Certificate:
    """A client certificate that the door has verified.

    Attributes:
        names: its alternative names (URIs, then DNS names) and its common name.
        since, until: its validity, seconds since the epoch.
    """

    names: tuple[str, ...]
    since: float
    until: float


def client_certificate(auth_context: Mapping[str, Any]) -> Certificate | None:
    """What gRPC's authentication context says of a call's peer; None = it has no certificate."""
    pem = auth_context.get(_PEM)
    return _read(bytes(pem[0])) if pem else None


@lru_cache(maxsize=1024)
def _read(pem: bytes) -> Certificate:
    certificate = x509.load_pem_x509_certificate(pem)
    names = list[str]()
    try:
        alternative = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName)
    except x509.ExtensionNotFound:
        pass
    else:
        names += alternative.value.get_values_for_type(x509.UniformResourceIdentifier)
        names += alternative.value.get_values_for_type(x509.DNSName)
    names += [
        str(attribute.value)
        for attribute in certificate.subject.get_attributes_for_oid(NameOID.COMMON_NAME)
    ]
    return Certificate(
        tuple(names),
        certificate.not_valid_before_utc.timestamp(),
        certificate.not_valid_after_utc.timestamp(),
    )
