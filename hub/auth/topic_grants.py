"""Short tokens that let one user read one topic more: minted by whoever knows who may.

A back end gives its page such a token beside the session's own, so that a session token does not
have to name every document that its user will open.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from hub.auth.grants import TopicGrant
from hub.errors import PermissionDenied, Unauthenticated, Unavailable
from hub.topics.namespaces import is_control
from hub.topics.patterns import matches
from shipspeak.realtime.v1 import error_reason_pb2 as reasons

if TYPE_CHECKING:
    from hub.auth.authorizer import Authorizer
    from hub.auth.grants import Principal
    from hub.auth.tokens import Authenticator


class TopicGrants:
    """Judges the right to read a topic: by the session's token, else by a grant for the topic.

    Where there is neither, the authorizer decides, if there is one.

    Args:
        authenticator: checks grants by the same issuers and keys as tokens.
        authorizer: None = only tokens and grants count.
    """

    def __init__(self, authenticator: Authenticator, authorizer: Authorizer | None = None) -> None:
        self._authenticator = authenticator
        self._authorizer = authorizer

    async def prepare(self, principal: Principal, topic: str, grant: str) -> None:
        """Have the authorizer asked, where `right` will want its answer."""
        if self._authorizer is None or grant or not principal.subject:
            return
        if not principal.allows("subscribe", topic):
            await self._authorizer.prepare(principal.subject, "subscribe", (topic,))

    async def renewed(self, grant: TopicGrant, topic: str) -> TopicGrant | None:
        """Have the authorizer asked again about what it has allowed.

        Returns:
            The grant from now on; None = it is no more; the same one when nobody knows.
        """
        if self._authorizer is None:
            return grant
        await self._authorizer.prepare(grant.subject, "subscribe", (topic,), again=True)
        try:
            until = self._authorizer.require(grant.subject, "subscribe", topic)
        except PermissionDenied:
            return None
        except Unavailable:
            return grant
        return replace(grant, expires_at=until)

    def due(self, grant: TopicGrant, now: float) -> bool:
        """Whether the authorizer is to be asked again: a third before its answer ends."""
        keep = self._authorizer.keep if self._authorizer is not None else 0.0
        return grant.asked and grant.expires_at - now < keep / 3

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
            Unavailable: KEYS_UNAVAILABLE, AUTHORIZER_UNAVAILABLE.
        """
        try:
            principal.require("subscribe", topic)
        except PermissionDenied:
            if is_control(topic):
                raise
            if not grant:
                if self._authorizer is None or not principal.subject:
                    raise
                until = self._authorizer.require(principal.subject, "subscribe", topic)
                return TopicGrant(
                    *(principal.subject, topic, until, principal.token_id, principal.issued_at),
                    asked=True,
                )
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
