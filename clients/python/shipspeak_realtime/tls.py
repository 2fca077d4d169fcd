"""TLS credentials from PEM files."""

from __future__ import annotations

from pathlib import Path

import grpc

Credentials = grpc.ChannelCredentials


def tls_credentials(
    ca_file: str | Path | None = None,
    cert_file: str | Path | None = None,
    key_file: str | Path | None = None,
) -> Credentials:
    """Credentials for `RealtimeClient`, `AdminClient` and `check_health`.

    Args:
        ca_file: PEM authorities to trust; None = those that gRPC brings.
        cert_file: PEM certificate to be known by (mTLS), with ``key_file``.
        key_file: PEM private key of it.

    Raises:
        OSError: a file cannot be read.
        ValueError: only one of certificate and key was given.
    """
    if (cert_file is None) != (key_file is None):
        raise ValueError("give both cert_file and key_file, or neither")
    ca, key, certificate = (
        None if file is None else Path(file).read_bytes() for file in (ca_file, key_file, cert_file)
    )
    return grpc.ssl_channel_credentials(ca, key, certificate)
