"""Which tokens count no more, although their signature and their times are good."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from hub.auth.grants import Principal


class Revocations:
    """Tokens revoked by their id, by their user, or by the time when they were issued.

    Revocations are only ever added: whoever shall come back gets a new token.
    """

    def __init__(self) -> None:
        self._tokens: set[str] = set()
        self._users: dict[str, float] = {}
        self._before = -math.inf

    def add_token(self, token_id: str) -> None:
        """Revoke the token with this jti (RFC 7519 section 4.1.7)."""
        self._tokens.add(token_id)

    def add_user(self, user: str, until: float) -> None:
        """Revoke what a user was issued up to and including a time.

        Args:
            user: the tokens' sub.
            until: seconds since the epoch. Tokens tell whole seconds, so that one that is issued
                later in this same second is revoked as well.
        """
        self._users[user] = max(until, self._users.get(user, -math.inf))

    def add_issued_before(self, before: float) -> None:
        """Revoke every token issued before a time, in seconds since the epoch."""
        self._before = max(before, self._before)

    def covers(self, principal: Principal) -> bool:
        """Whether a principal's token is revoked; one that tells no iat is older than any time."""
        return (
            (principal.token_id != "" and principal.token_id in self._tokens)
            or principal.issued_at <= self._users.get(principal.subject, -math.inf)
            or principal.issued_at < self._before
        )
