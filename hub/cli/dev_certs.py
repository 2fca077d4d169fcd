"""``rthub dev-certs``: an authority, a server's certificate and clients', for development."""

from __future__ import annotations

import ipaddress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated, Final

import typer
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

_AUTHORITY: Final = "rthub development authority"
_PRIVATE_MODE: Final = 0o600


def dev_certs(
    folder: Annotated[Path, typer.Argument(help="Where the files go; made where it is missing.")],
    host: Annotated[
        list[str] | None,
        typer.Option(help="Name or address of the server; repeat. Default: localhost, 127.0.0.1."),
    ] = None,
    client: Annotated[
        list[str] | None,
        typer.Option(help="Also a certificate for a service of this name (mTLS); repeat."),
    ] = None,
    days: Annotated[int, typer.Option(min=1, max=825, help="How long they hold.")] = 30,
) -> None:
    """Make certificates for development: ca.pem, server.pem, server.key, NAME.pem, NAME.key.

    Serve with RTHUB_TLS_CERT_FILE and RTHUB_TLS_KEY_FILE; clients trust ca.pem. The authority's key
    is forgotten at the end, so that nobody can make more.
    """
    folder.mkdir(parents=True, exist_ok=True)
    authority_key = ec.generate_private_key(ec.SECP256R1())
    authority = _sign(_AUTHORITY, authority_key, _AUTHORITY, authority_key, days, ())
    (folder / "ca.pem").write_bytes(_pem(authority))
    names = tuple(host or ("localhost", "127.0.0.1"))
    _write(folder, "server", names[0], authority_key, days, names)
    for name in client or ():
        _write(folder, name, name, authority_key, days, ())
    typer.echo(f"made ca.pem and certificates for {', '.join([*names, *(client or ())])}")


def _write(
    folder: Path,
    file: str,
    name: str,
    authority_key: ec.EllipticCurvePrivateKey,
    days: int,
    hosts: tuple[str, ...],
) -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    certificate = _sign(name, key, _AUTHORITY, authority_key, days, hosts)
    path = folder / f"{file}.key"
    path.touch(mode=_PRIVATE_MODE)
    path.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    (folder / f"{file}.pem").write_bytes(_pem(certificate))


def _sign(
    name: str,
    key: ec.EllipticCurvePrivateKey,
    issuer: str,
    issuer_key: ec.EllipticCurvePrivateKey,
    days: int,
    hosts: tuple[str, ...],
) -> x509.Certificate:
    """A certificate: the authority's where it signs itself, a server's with hosts, a client's."""
    now = datetime.now(UTC)
    is_authority = name == issuer
    builder = (
        x509.CertificateBuilder()
        .subject_name(_named(name))
        .issuer_name(_named(issuer))
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        # Clocks of machines differ.
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(days=days))
        .add_extension(x509.BasicConstraints(ca=is_authority, path_length=None), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer_key.public_key()),
            critical=False,
        )
    )
    if not is_authority:
        use = ExtendedKeyUsageOID.SERVER_AUTH if hosts else ExtendedKeyUsageOID.CLIENT_AUTH
        alternative = [_host(host) for host in hosts] or [x509.DNSName(name)]
        builder = builder.add_extension(x509.ExtendedKeyUsage([use]), critical=False)
        builder = builder.add_extension(x509.SubjectAlternativeName(alternative), critical=False)
    return builder.sign(issuer_key, hashes.SHA256())


def _named(name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])


def _host(host: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(host))
    except ValueError:
        return x509.DNSName(host)


def _pem(certificate: x509.Certificate) -> bytes:
    return certificate.public_bytes(serialization.Encoding.PEM)
