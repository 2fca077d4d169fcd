"""TLS of the gRPC door: certificates renewed while the hub runs, and clients' ones asked for."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import grpc
import structlog

if TYPE_CHECKING:
    from pathlib import Path

    from hub.model.tls_files import TlsFiles

log = structlog.get_logger(__name__)


def server_credentials(tls: TlsFiles) -> grpc.ServerCredentials:
    """Credentials that read the files again for each new connection, where they have changed.

    Raises:
        OSError: a file cannot be read.
    """
    certificate, key, client_ca = tls.certificate, tls.key, tls.client_ca
    files = [certificate, key, *([client_ca] if client_ca else [])]

    def stamp() -> list[tuple[int, int]]:
        return [(status.st_mtime_ns, status.st_size) for status in map(_stat, files)]

    def load() -> grpc.ServerCertificateConfiguration:
        return grpc.ssl_server_certificate_configuration(
            [(key.read_bytes(), certificate.read_bytes())],
            client_ca.read_bytes() if client_ca else None,
        )

    seen = stamp()

    def fetch() -> grpc.ServerCertificateConfiguration | None:
        nonlocal seen
        try:
            now = stamp()
            if now == seen:
                return None
            fresh = load()
        except OSError as error:
            # The connection is made with what was good until now.
            log.warning("certificate_unreadable", door="grpc", error=str(error))
            return None
        seen = now
        log.info("certificate_changed", door="grpc")
        return fresh

    return grpc.dynamic_ssl_server_credentials(
        load(),
        fetch,  # type: ignore[arg-type]  # None says that nothing has changed
        require_client_authentication=client_ca is not None,
    )


def _stat(path: Path) -> Any:
    return path.stat()
