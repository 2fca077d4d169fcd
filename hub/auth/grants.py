"""What a principal may do."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

from hub.errors import PermissionDenied, Unauthenticated
from hub.topics.namespaces import is_control
from hub.topics.patterns import covers, matches
from shipspeak.realtime.v1 import error_reason_pb2

RIGHTS = ("publish", "subscribe", "presence", "work")


@dataclass(frozen=True, slots=True)
class Grants:
    """Patterns per right, and the admin right. An empty tuple grants nothing."""

    publish: tuple[str, ...] = ()
    subscribe: tuple[str, ...] = ()
    presence: tuple[str, ...] = ()
    work: tuple[str, ...] = ()
    admin: bool = False

    @classmethod
    def from_claim(cls, claim: object) -> Grants:
        """Read the ``grants`` claim: {"publish": [patterns], ..., "admin": bool}.

        Raises:
            Unauthenticated: TOKEN_MALFORMED when the claim has another shape.
        """
        if not isinstance(claim, Mapping):
            raise _malformed("the grants claim is not an object")
        patterns: dict[str, tuple[str, ...]] = {}
        for right in RIGHTS:
            given = claim.get(right, [])
            if not isinstance(given, list) or not all(isinstance(item, str) for item in given):
                raise _malformed(f"grants.{right} is not a list of patterns")
            patterns[right] = tuple(given)
        admin = claim.get("admin", False)
        if not isinstance(admin, bool):
            raise _malformed("grants.admin is not true or false")
        return cls(**patterns, admin=admin)


EVERYTHING = Grants(("**",), ("**",), ("**",), ("**",), admin=True)


@dataclass(frozen=True, slots=True)
class Principal:
    """An authenticated caller.

    Attributes:
        subject: the token's sub; empty = anonymous (development only).
        grants: what it may do.
        expires_at: end of the token, seconds since the epoch; infinity = never.
        token_id: the token's jti, or empty.
        issued_at: the token's iat, seconds since the epoch; 0 = it tells none.
    """

    subject: str
    grants: Grants
    expires_at: float = math.inf
    token_id: str = ""
    issued_at: float = 0.0

    def require(self, right: str, topic: str) -> None:
        """Check one right on one topic.

        Raises:
            PermissionDenied: RIGHT_MISSING.
        """
        if not self.allows(right, topic):
            raise PermissionDenied(
                error_reason_pb2.ERROR_REASON_RIGHT_MISSING,
                f"{self.subject or 'anonymous'} has no {right} right on {topic}",
                topic=topic,
                right=right,
            )

    def allows(self, right: str, topic: str) -> bool:
        """Whether it has one right on one topic."""
        patterns: tuple[str, ...] = getattr(self.grants, right)
        return self._may_know(topic) and any(
            matches(pattern, topic, self.subject) for pattern in patterns
        )

    def require_pattern(self, right: str, pattern: str) -> None:
        """Check one right on all topics of a pattern, which one granted pattern must cover.

        Raises:
            PermissionDenied: RIGHT_MISSING.
        """
        patterns: tuple[str, ...] = getattr(self.grants, right)
        if not self._may_know(pattern) or not any(
            covers(granted, pattern, self.subject) for granted in patterns
        ):
            raise PermissionDenied(
                error_reason_pb2.ERROR_REASON_RIGHT_MISSING,
                f"{self.subject or 'anonymous'} has no {right} right on all of {pattern}",
                topic=pattern,
                right=right,
            )

    def _may_know(self, topic: str) -> bool:
        """The hub's own books are for administrators alone, whatever a token's patterns say."""
        return self.grants.admin or not is_control(topic)

    def require_admin(self) -> None:
        """Check the admin right.

        Raises:
            PermissionDenied: RIGHT_MISSING.
        """
        if not self.grants.admin:
            raise PermissionDenied(
                error_reason_pb2.ERROR_REASON_RIGHT_MISSING,
                f"{self.subject or 'anonymous'} has no admin right",
                right="admin",
            )


@dataclass(frozen=True, slots=True)
class TopicGrant:
    """The right of one user to read the topics of one pattern.

    Attributes:
        subject: the user.
        pattern: of the topics.
        expires_at: seconds since the epoch.
        token_id, issued_at: of the token, as in Principal.
        asked: the authorizer has allowed it, and is asked again before it ends.
    """

    subject: str
    pattern: str
    expires_at: float
    token_id: str = ""
    issued_at: float = 0.0
    asked: bool = False


ANONYMOUS_DEVELOPER = Principal("", EVERYTHING)
# Whoever has not said yet who it is.
NOBODY = Principal("", Grants())


def _malformed(problem: str) -> Unauthenticated:
    return Unauthenticated(
        error_reason_pb2.ERROR_REASON_TOKEN_MALFORMED, f"{problem}; mint a token with `rthub token`"
    )
