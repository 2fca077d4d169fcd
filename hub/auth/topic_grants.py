"""Short tokens that let one user read one topic more: minted by whoever knows who may.

A back end gives its page such a token beside the session's own, so that a session token does not
have to name every document that its user will open.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from hub.errors import PermissionDenied, Unauthenticated
from hub.topics.namespaces import is_control
from hub.topics.patterns import matches
from shipspeak.realtime.v1 import error_reason_pb2 as reasons

if TYPE_CHECKING:
    from hub.auth.grants import Principal, TopicGrant
    from hub.auth.tokens import Authenticator


class TopicGrants:
    """Judges the right to read a topic: by the session's token, else by a grant for the topic.

    Args:
        authenticator: checks grants by the same issuers and keys as tokens.
    """

    def __init__(self, authenticator: Authenticator) -> None:
        self._authenticator = authenticator

    def right(self, principal: Principal, topic: str, grant: str) -> TopicGrant | None:
        """The grant that a principal may read a topic by; None = its own rights say so.

        Args:
            principal: of the session.
            topic: to read.
            grant: a JWT with the claims ``sub`` (the principal's) and ``topic`` (a pattern); empty
                = none was given.

        Raises:
            PermissionDenied: RIGHT_MISSING.
            Unauthenticated: TOKEN_*, or PRINCIPAL_MISMATCH for another user's grant.
            Unavailable: KEYS_UNAVAILABLE.
        """
        try:
            principal.require("subscribe", topic)
        except PermissionDenied:
            if not grant or is_control(topic):
                raise
        else:
            return None
        granted = self._authenticator.topic_grant(grant)
        if granted.subject != principal.subject:
            raise Unauthenticated(
                reasons.ERROR_REASON_PRINCIPAL_MISMATCH,
                "the grant is another user's; get one for this user",
                topic=topic,
            )
        if not matches(granted.pattern, topic, principal.subject):
            raise PermissionDenied(
                reasons.ERROR_REASON_RIGHT_MISSING,
                f"the grant is for {granted.pattern}",
                topic=topic,
                right="subscribe",
            )
        return granted

    def holds(self, grant: TopicGrant, now: float) -> bool:
        """Whether a grant has neither ended nor been revoked."""
        return now < grant.expires_at and not self._authenticator.revoked(grant)
