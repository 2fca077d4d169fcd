"""Who may call from a page: an allow-list of origins.

Tokens travel in the authorization header and no cookie is read, so credentials mode is never
allowed: ``Access-Control-Allow-Credentials`` is not sent with any origin. Rules: Fetch standard,
CORS protocol.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from hub.model.origin import check_origin
from web_bridge.asgi import Headers, header

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

# Chromium honours at most two hours.
MAX_AGE_SECONDS = 7200
ANY = "*"

_EXPOSED = ("grpc-status", "grpc-message", "grpc-status-details-bin")
_TOKENS = re.compile(rb"[!#$%&'*+\-.^_`|~0-9A-Za-z, ]{1,1024}")


class CorsPolicy:
    """The allow-list.

    Args:
        allowed_origins: exact origins as browsers send them, ``https://app.example.com``;
            ``*`` allows every page and belongs in development only.

    Raises:
        ValueError: an entry that no browser can send, so that a typing error is seen at start.
    """

    def __init__(self, allowed_origins: Sequence[str]) -> None:
        for origin in allowed_origins:
            if origin != ANY:
                check_origin(origin)
        self._any = ANY in allowed_origins
        self._allowed = frozenset(origin.encode() for origin in allowed_origins if origin != ANY)

    def permits(self, headers: Headers) -> bool:
        """Whether a request may run: no origin (no page), the page's own, or an allowed one."""
        origin = header(headers, b"origin")
        if origin is None or self._any or origin in self._allowed:
            return True
        return _same_origin(headers, origin)

    def response_headers(
        self, headers: Headers, exposed: Iterable[str] = ()
    ) -> list[tuple[bytes, bytes]]:
        """CORS headers of an answer to a permitted request.

        Args:
            headers: of the request.
            exposed: names of initial metadata that the page may read.
        """
        fields = [(b"vary", b"origin")]
        allowed = self._allow_origin(headers)
        if allowed is not None:
            names = ", ".join((*_EXPOSED, *exposed)).encode()
            fields.append((b"access-control-allow-origin", allowed))
            fields.append((b"access-control-expose-headers", names))
        return fields

    def preflight(
        self, headers: Headers, methods: bytes = b"POST, OPTIONS"
    ) -> tuple[int, list[tuple[bytes, bytes]]]:
        """Status and headers of the answer to an OPTIONS request.

        The asked headers are named back, because the ``*`` wildcard never covers authorization.
        """
        vary = (
            b"vary",
            b"origin, access-control-request-method, access-control-request-headers",
        )
        fields = [vary, (b"allow", methods)]
        if not self.permits(headers):
            return 403, fields
        allowed = self._allow_origin(headers)
        if allowed is None or header(headers, b"access-control-request-method") is None:
            return 204, fields
        fields.append((b"access-control-allow-origin", allowed))
        fields.append((b"access-control-allow-methods", methods))
        fields.append((b"access-control-max-age", b"%d" % MAX_AGE_SECONDS))
        asked = header(headers, b"access-control-request-headers")
        if asked and _TOKENS.fullmatch(asked):
            fields.append((b"access-control-allow-headers", asked))
        return 204, fields

    def _allow_origin(self, headers: Headers) -> bytes | None:
        origin = header(headers, b"origin")
        if origin is None:
            return None
        if origin in self._allowed:
            return origin
        return b"*" if self._any else None


def _same_origin(headers: Headers, origin: bytes) -> bool:
    """Whether the page came from this very server.

    Browsers send Origin with same-origin POSTs too. Sec-Fetch-Site cannot be set by scripts; it
    is right behind a proxy that rewrites Host, and absent on plain http, where Host decides.
    """
    if header(headers, b"sec-fetch-site") == b"same-origin":
        return True
    host = header(headers, b"host")
    return host is not None and origin in (b"http://" + host, b"https://" + host)
