"""Which tokens count no more, although their signature and their times are good."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from hub.auth.grants import Principal


# How far the clock of who issues tokens may be ahead of the hub's.
_SKEW_SECONDS: Final = 86_400.0


class Revocations:
    """Tokens revoked by their id, by their user, or by the time when they were issued.

    Nothing takes a revocation back: whoever shall come back gets a new token. One is dropped only
    when a time of issue covers all that it covered.
    """

    def __init__(self) -> None:
        # By when they were revoked, or up to when their tokens were issued.
        self._tokens: dict[str, float] = {}
        self._users: dict[str, float] = {}
        self._before = -math.inf

    @property
    def named(self) -> int:
        """How many tokens and users are named one by one."""
        return len(self._tokens) + len(self._users)

    def names(self, *, token_id: str = "", user: str = "") -> bool:
        """Whether this token, or this user, is named already."""
        return token_id in self._tokens or user in self._users

    def add_token(self, token_id: str, at: float) -> None:
        """Revoke the token with this jti (RFC 7519 section 4.1.7).

        Args:
            token_id: of the token.
            at: the time of the revocation, seconds since the epoch: the token was issued before.
        """
        if not self._is_covered(at):
            self._tokens.setdefault(token_id, at)

    def add_user(self, user: str, until: float) -> None:
        """Revoke what a user was issued up to and including a time.

        Args:
            user: the tokens' sub.
            until: seconds since the epoch. Tokens tell whole seconds, so that one that is issued
                later in this same second is revoked as well.
        """
        if not self._is_covered(until):
            self._users[user] = max(until, self._users.get(user, -math.inf))

    def add_issued_before(self, before: float) -> None:
        """Revoke every token issued before a time, in seconds since the epoch."""
        self._before = max(before, self._before)
        for named in (self._tokens, self._users):
            for name, at in tuple(named.items()):
                if self._is_covered(at):
                    del named[name]

    def _is_covered(self, at: float) -> bool:
        return at + _SKEW_SECONDS < self._before

    def covers(self, principal: Principal) -> bool:
        """Whether a principal's token is revoked; one that tells no iat is older than any time."""
        return (
            (principal.token_id != "" and principal.token_id in self._tokens)
            or principal.issued_at <= self._users.get(principal.subject, -math.inf)
            or principal.issued_at < self._before
        )
