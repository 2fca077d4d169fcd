"""How a WebSocket ends: close codes for the errors of a session (RFC 6455 section 7.4).

A session's own end has the code 4000 + its canonical code, in the range that applications may use;
1000 is a proper end. The other codes below 4000 are the transport's.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from hub.errors import HubError

NORMAL: Final = 1000
# A text message came: frames are binary.
NOT_BINARY: Final = 1003
_APPLICATION: Final = 4000


def close_code(error: HubError | None) -> int:
    """The close code of a session that ended with an error; 1000 for None."""
    return NORMAL if error is None else _APPLICATION + error.code


def close_reason(error: HubError | None) -> str:
    """The close reason: the contract's name of the reason, so far below the 123 bytes allowed."""
    return "" if error is None else error.reason_name
