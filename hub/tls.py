"""The doors' TLS, as the settings say."""

from __future__ import annotations

import ssl
from typing import TYPE_CHECKING

from hub.server.tls import server_credentials
from web_bridge.tls import RenewedContext

if TYPE_CHECKING:
    import grpc

    from hub.settings import Settings


def grpc_credentials(settings: Settings) -> grpc.ServerCredentials | None:
    """Of the gRPC door; None = plain text.

    Raises:
        OSError: a file cannot be read.
    """
    if settings.tls_cert_file is None or settings.tls_key_file is None:
        return None
    return server_credentials(
        settings.tls_cert_file, settings.tls_key_file, settings.tls_client_ca_file
    )


def browser_certificate(settings: Settings) -> RenewedContext | None:
    """Of the browsers' door; None = plain text.

    Raises:
        OSError: a file cannot be read, or certificate and key do not fit.
    """
    if settings.tls_cert_file is None or settings.tls_key_file is None:
        return None
    try:
        return RenewedContext(settings.tls_cert_file, settings.tls_key_file)
    except ssl.SSLError as error:
        raise OSError(
            f"{settings.tls_cert_file} and {settings.tls_key_file} are no certificate and its key "
            f"({error.reason or error})"
        ) from error
