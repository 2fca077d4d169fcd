"""The server that the wire checks run against: uvicorn, or granian with TLS (`--http-server`)."""

from __future__ import annotations

import datetime
import ipaddress
import ssl
from typing import TYPE_CHECKING

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from hub.model.tls_files import TlsFiles

if TYPE_CHECKING:
    from pathlib import Path

# Set for granian: what it shows, and what the raw client trusts.
tls: TlsFiles | None = None
trust: ssl.SSLContext | None = None

_PEM = serialization.Encoding.PEM


def make_certificate(folder: Path) -> TlsFiles:
    """A certificate for 127.0.0.1, signed by itself, and its key."""
    private = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])
    now = datetime.datetime.now(datetime.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(private.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(
            x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]),
            critical=False,
        )
        .sign(private, hashes.SHA256())
    )
    shown, secret = folder / "certificate.pem", folder / "key.pem"
    shown.write_bytes(made.public_bytes(_PEM))
    secret.write_bytes(
        private.private_bytes(_PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    return TlsFiles(shown, secret)


def choose_granian(folder: Path) -> None:
    """Run the checks against granian with TLS from now on."""
    global tls, trust  # noqa: PLW0603 - one choice for the whole run
    tls = make_certificate(folder)
    trust = ssl.create_default_context(cafile=str(tls.certificate))
