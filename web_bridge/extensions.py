"""What our own protocol classes tell the application beyond ASGI, in the scope's extensions."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable

    from web_bridge.asgi import Scope
    from web_bridge.stepping import Direct

# Cuts the connection of a reader that does not read.
ABORT_EXTENSION: Final = "shipspeak.abort"
# The transport, for chunks that are shared by many responses.
DIRECT_EXTENSION: Final = "shipspeak.direct"


def abort_of(scope: Scope) -> Callable[[], None] | None:
    """How to cut the connection; None where the server cannot."""
    abort: Callable[[], None] | None = scope.get("extensions", {}).get(ABORT_EXTENSION)
    return abort


def direct_of(scope: Scope) -> Direct | None:
    """A way past the server's send; None where there is none."""
    direct: Direct | None = scope.get("extensions", {}).get(DIRECT_EXTENSION)
    return direct
