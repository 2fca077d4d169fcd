"""TLS of the browsers' door: a certificate that may be renewed while the hub runs."""

from __future__ import annotations

import logging
import ssl
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from hub.model.tls_files import TlsFiles

logger = logging.getLogger(__name__)


class RenewedContext:
    """A server's TLS context, whose certificate follows its files.

    Args:
        tls: its files.

    Attributes:
        context: TLS 1.2 and up; new connections use what was read last.

    Raises:
        OSError: a file cannot be read, or certificate and key do not fit.
    """

    def __init__(self, tls: TlsFiles) -> None:
        self._files = (tls.certificate, tls.key)
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.context.minimum_version = ssl.TLSVersion.TLSv1_2
        try:
            self.context.load_cert_chain(*self._files)
        except ssl.SSLError as error:
            raise OSError(
                f"{tls.certificate} and {tls.key} are no certificate and its key "
                f"({error.reason or error})"
            ) from error
        self.context.set_alpn_protocols(["http/1.1"])
        self._seen = self._stamp()

    def renew(self) -> bool:
        """Read files again that have changed; whether they had. What cannot be used is logged."""
        try:
            stamp = self._stamp()
            if stamp == self._seen:
                return False
            # A half-written pair is tried on a context of its own first.
            ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(*self._files)
            self.context.load_cert_chain(*self._files)
        except OSError as error:
            logger.warning("the certificate cannot be renewed, the old one is used on: %s", error)
            return False
        self._seen = stamp
        logger.info("the certificate was renewed")
        return True

    def _stamp(self) -> list[tuple[int, int]]:
        return [(file.stat().st_mtime_ns, file.stat().st_size) for file in self._files]
