"""The reference page: built files of one directory, hashed names cached long, a strict policy."""

from __future__ import annotations

import asyncio
import re
from pathlib import Path
from typing import TYPE_CHECKING

from web_bridge.asgi import Scope, Send, answer, answer_text, header
from web_bridge.coding import CODED, VARY, coded, reads_gzip, worth_coding

if TYPE_CHECKING:
    from collections.abc import Sequence

_TYPES = {
    ".html": b"text/html; charset=utf-8",
    ".js": b"text/javascript; charset=utf-8",
    ".mjs": b"text/javascript; charset=utf-8",
    ".css": b"text/css; charset=utf-8",
    ".json": b"application/json",
    ".map": b"application/json",
    ".webmanifest": b"application/manifest+json",
    ".svg": b"image/svg+xml",
    ".png": b"image/png",
    ".jpg": b"image/jpeg",
    ".webp": b"image/webp",
    ".ico": b"image/x-icon",
    ".woff2": b"font/woff2",
    ".txt": b"text/plain; charset=utf-8",
    ".vtt": b"text/vtt; charset=utf-8",
    ".srt": b"application/x-subrip; charset=utf-8",
    ".wasm": b"application/wasm",
}
_OTHER = b"application/octet-stream"
# Compressed already, or unknown.
_PACKED = frozenset({b"image/png", b"image/jpeg", b"image/webp", b"font/woff2", _OTHER})
# The build puts a hash of the content into these names, so a name's content never changes.
_HASHED = re.compile(r"assets/.+-[A-Za-z0-9_-]{8,}\.[a-z0-9]+$")
_FOREVER = b"public, max-age=31536000, immutable"
_MISSING = (
    "The page is not built, so there is nothing to show here.\n"
    "Build it with: make web\n"
    "The hub itself is running: see /healthz and /readyz.\n"
)
_ROOM = Path(__file__).parent


def reference_page() -> Path:
    """Return where the built page is: where the build leaves it, or, in a wheel, beside this file.

    In a tree without a built page this is the folder that ``make web`` will fill.
    """
    shipped, built = _ROOM / "static", _ROOM.parent / "clients/demo/dist"
    return shipped if shipped.is_dir() else built


class Page:
    """Static files.

    Args:
        directory: where the built page is; None or a missing one gives a notice at ``/``.
        connect_sources: origins beside the hub's own that the page may call, as in its policy.
    """

    def __init__(self, directory: Path | None, connect_sources: Sequence[str] = ()) -> None:
        self._root = None if directory is None else directory.resolve()
        policy = (
            "default-src 'none'",
            "script-src 'self'",
            "style-src 'self'",
            "img-src 'self' data:",
            "font-src 'self'",
            "manifest-src 'self'",
            "worker-src 'self'",
            "connect-src " + " ".join(("'self'", *connect_sources)),
            "base-uri 'none'",
            "form-action 'self'",
            "frame-ancestors 'none'",
        )
        self._fixed = [
            (b"content-security-policy", "; ".join(policy).encode("ascii")),
            (b"x-content-type-options", b"nosniff"),
            (b"referrer-policy", b"no-referrer"),
        ]

    async def serve(self, scope: Scope, send: Send) -> bool:
        """Answer a GET or HEAD for a file; False when there is no such file."""
        name = scope["path"].removeprefix("/") or "index.html"
        file = self._file(name)
        if file is None:
            if name == "index.html":
                await answer_text(send, 404, _MISSING)
                return True
            return False
        kind = _TYPES.get(file.suffix.lower(), _OTHER)
        content, tag = await asyncio.to_thread(_read, file)
        cache = _FOREVER if _HASHED.fullmatch(name) else b"no-cache"
        fields = [*self._fixed, (b"cache-control", cache)]
        packs = kind not in _PACKED and worth_coding(len(content))
        gzip = packs and reads_gzip(scope["headers"])
        if packs:
            fields.append(VARY)
        if gzip:
            # A tag belongs to one form of the file.
            tag = tag[:-1] + b'-gzip"'
        fields.append((b"etag", tag))
        if header(scope["headers"], b"if-none-match") == tag:
            await send({"type": "http.response.start", "status": 304, "headers": fields})
            await send({"type": "http.response.body", "body": b"", "more_body": False})
            return True
        fields.append((b"content-type", kind))
        if gzip:
            content = await coded(content)
            fields.append(CODED)
        await answer(send, 200, fields, content)
        return True

    def _file(self, name: str) -> Path | None:
        """The file of a request path, if it is one that may be served."""
        parts = name.split("/")
        if self._root is None or "\\" in name or "\0" in name:
            return None
        if any(part in ("", ".", "..") or part.startswith(".") for part in parts):
            return None
        # resolve() follows links, so a link out of the directory is seen too.
        file = self._root.joinpath(*parts).resolve()
        return file if file.is_relative_to(self._root) and file.is_file() else None


def _read(file: Path) -> tuple[bytes, bytes]:
    facts = file.stat()
    return file.read_bytes(), b'"%x-%x"' % (facts.st_mtime_ns, facts.st_size)
