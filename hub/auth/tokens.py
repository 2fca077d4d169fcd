"""JSON Web Tokens (RFC 7519) become principals.

An issuer's algorithms are pinned by the settings, and its tokens pass by its own keys only
(RFC 8725 sections 3.1 and 3.8).
"""

from __future__ import annotations

import time
import uuid
from typing import TYPE_CHECKING, Any

import jwt

from hub.auth.claims import is_text, is_time
from hub.auth.grants import ANONYMOUS_DEVELOPER, Grants, Principal, TopicGrant
from hub.auth.key_updates import KeyUpdates
from hub.auth.keysets import KeysPending, key_set
from hub.auth.revocations import Revocations
from hub.errors import ReasonValue, Unauthenticated, Unavailable
from shipspeak.realtime.v1 import error_reason_pb2 as reasons

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from hub.auth.keys import PublicKey
    from hub.auth.keysets import KeySet
    from hub.model.certificate import Certificate
    from hub.model.issuer import Issuer
    from hub.settings import Settings

# For clocks that run ahead of ours. A token's end has no leeway: rights end on time (G10).
LEEWAY_SECONDS = 30
_CACHE_SIZE = 10_000

# The first class that matches an error of the library names the reason.
_REASONS: tuple[tuple[type[jwt.PyJWTError], ReasonValue], ...] = (
    (jwt.ExpiredSignatureError, reasons.ERROR_REASON_TOKEN_EXPIRED),
    (jwt.ImmatureSignatureError, reasons.ERROR_REASON_TOKEN_NOT_YET_VALID),
    (jwt.InvalidAudienceError, reasons.ERROR_REASON_TOKEN_AUDIENCE_INVALID),
    (jwt.InvalidIssuerError, reasons.ERROR_REASON_TOKEN_ISSUER_INVALID),
    (jwt.InvalidSignatureError, reasons.ERROR_REASON_TOKEN_SIGNATURE_INVALID),
    (jwt.InvalidAlgorithmError, reasons.ERROR_REASON_TOKEN_SIGNATURE_INVALID),
    (jwt.PyJWTError, reasons.ERROR_REASON_TOKEN_MALFORMED),
)


class Authenticator:
    """Checks tokens against the keys of the issuers in the settings.

    Args:
        settings: issuers, dev.
        clock: seconds since the epoch.
        revocations: tokens that count no more.

    Attributes:
        key_updates: keeps the keys fresh; the hub starts and stops it.

    Raises:
        KeyUnusable: a key file of the settings cannot be used.
    """

    def __init__(
        self,
        settings: Settings,
        clock: Callable[[], float] = time.time,
        revocations: Revocations | None = None,
    ) -> None:
        self._clock = clock
        self._revocations = Revocations() if revocations is None else revocations
        self._open = settings.dev
        self._identities = {one.certificate: one for one in settings.tls_identities}
        self._verified: dict[str, Principal] = {}
        self.key_updates = KeyUpdates(
            lambda: [keys for _, keys in self._issuers.values()], self._verified.clear
        )
        self._issuers = {
            issuer.issuer: (issuer, key_set(issuer, clock, self.key_updates.wake))
            for issuer in settings.issuers
        }

    def authenticate(self, token: str, certificate: Certificate | None = None) -> Principal:
        """The principal of a token, else of a certificate, else, in development, the anonymous one.

        Raises:
            Unauthenticated: with the reason TOKEN_*.
            Unavailable: KEYS_UNAVAILABLE.
        """
        if not token:
            if certificate is not None and (known := self._identify(certificate)) is not None:
                return self._not_revoked(known)
            if self._open:
                return ANONYMOUS_DEVELOPER
            raise Unauthenticated(
                reasons.ERROR_REASON_TOKEN_MISSING,
                "no token: send `authorization: Bearer <JWT>` or Hello.token",
            )
        known = self._verified.get(token)
        if known is not None and self._clock() < known.expires_at:
            return self._not_revoked(known)
        principal = self._verify(token)
        if len(self._verified) >= _CACHE_SIZE:
            self._verified.clear()
        self._verified[token] = principal
        return self._not_revoked(principal)

    def _identify(self, certificate: Certificate) -> Principal | None:
        """The service that the settings know by one of a certificate's names."""
        for name in certificate.names:
            if (identity := self._identities.get(name)) is not None:
                return Principal(
                    identity.subject or name,
                    Grants(**identity.grants.model_dump()),
                    certificate.until,
                    issued_at=certificate.since,
                )
        return None

    def _not_revoked(self, principal: Principal) -> Principal:
        if self._revocations.covers(principal):
            raise revoked_error()
        return principal

    def topic_grant(self, token: str) -> TopicGrant:
        """Check a short token for one topic.

        Raises:
            Unauthenticated: with the reason TOKEN_*.
            Unavailable: KEYS_UNAVAILABLE.
        """
        claims = self._claims(token)
        subject, pattern = claims["sub"], claims.get("topic")
        if not (isinstance(subject, str) and isinstance(pattern, str) and pattern):
            raise Unauthenticated(
                reasons.ERROR_REASON_TOKEN_MALFORMED, "a grant needs the claims sub and topic"
            )
        grant = TopicGrant(
            subject,
            pattern,
            float(claims["exp"]),
            str(claims.get("jti", "")),
            float(claims.get("iat", 0)),
        )
        if self.revoked(grant):
            raise revoked_error()
        return grant

    def revoked(self, grant: TopicGrant) -> bool:
        """Whether a grant was revoked since it was checked."""
        bare = Principal(
            grant.subject, Grants(), token_id=grant.token_id, issued_at=grant.issued_at
        )
        return self._revocations.covers(bare)

    def _verify(self, token: str) -> Principal:
        claims = self._claims(token)
        subject = claims["sub"]
        if not isinstance(subject, str) or not subject:
            raise Unauthenticated(reasons.ERROR_REASON_TOKEN_MALFORMED, "the token's sub is empty")
        token_id = str(claims.get("jti", ""))
        if not (is_text(subject) and is_text(token_id)):
            raise Unauthenticated(
                reasons.ERROR_REASON_TOKEN_MALFORMED, "the token's sub or jti is no Unicode text"
            )
        return Principal(
            subject,
            Grants.from_claim(claims.get("grants", {})),
            float(claims["exp"]),
            token_id,
            float(claims.get("iat", 0)),
        )

    def _claims(self, token: str) -> dict[str, Any]:
        """The claims of a token whose signature, issuer, audience and times are good."""
        if not self._issuers:
            raise Unauthenticated(
                reasons.ERROR_REASON_TOKEN_SIGNATURE_INVALID,
                "this hub has no key to check tokens with; "
                "set RTHUB_AUTH_HS256_SECRET, or send no token",
            )
        try:
            issuer, keys = self._issuer_of(token)
            algorithm, key = _key_of(token, issuer, keys)
            claims: dict[str, Any] = jwt.decode(
                token,
                key,
                algorithms=[algorithm],
                issuer=issuer.issuer,
                audience=issuer.audience,
                options={
                    "require": ["exp", "iss", "aud", "sub"],
                    "verify_exp": False,
                    "verify_nbf": False,
                    "verify_iat": False,
                },
            )
            self._check_times(claims)
        except KeysPending as pending:
            raise Unavailable(
                reasons.ERROR_REASON_KEYS_UNAVAILABLE,
                "the keys of the token's issuer are being fetched; try again",
                retry_after=1.0,
            ) from pending
        except jwt.InvalidKeyError:
            raise  # the hub's key, not the token: no client can mend that
        except jwt.PyJWTError as error:
            reason = next(reason for kind, reason in _REASONS if isinstance(error, kind))
            raise Unauthenticated(
                reason, f"the token was refused ({error}); get a new one"
            ) from error
        return claims

    def _issuer_of(self, token: str) -> tuple[Issuer, KeySet]:
        """The issuer that a token names; nothing of it is believed yet but which keys to try."""
        if len(self._issuers) == 1:
            return next(iter(self._issuers.values()))
        named = jwt.decode(token, options={"verify_signature": False}).get("iss")
        if not isinstance(named, str) or named not in self._issuers:
            raise jwt.InvalidIssuerError("this hub trusts no such issuer")
        return self._issuers[named]

    def _check_times(self, claims: dict[str, Any]) -> None:
        """Judge exp and nbf by the injected clock (the library knows only the machine's)."""
        now = self._clock()
        expires, not_before = claims["exp"], claims.get("nbf", 0)
        if not (is_time(expires) and is_time(not_before) and is_time(claims.get("iat", 0))):
            raise jwt.DecodeError("exp, nbf or iat is not a time")
        if now >= expires:
            raise jwt.ExpiredSignatureError("it has expired")
        # A token from the future would outlive the revocation of all that was issued until now.
        if now < max(not_before, claims.get("iat", 0)) - LEEWAY_SECONDS:
            raise jwt.ImmatureSignatureError("it is not valid yet")


def _key_of(token: str, issuer: Issuer, keys: KeySet) -> tuple[str, PublicKey | str]:
    """The algorithm and the key to check a token with."""
    header = jwt.get_unverified_header(token)
    algorithm = str(header.get("alg", ""))
    if algorithm not in issuer.algorithms:
        raise jwt.InvalidAlgorithmError("its algorithm is none of its issuer's")
    key = keys.find(header.get("kid", ""), algorithm)
    if key is None:
        raise jwt.InvalidSignatureError("its issuer has no such key")
    return algorithm, key


def revoked_error() -> Unauthenticated:
    """The token's right has been taken back."""
    return Unauthenticated(
        reasons.ERROR_REASON_TOKEN_REVOKED, "the token has been revoked; sign in again"
    )


def mint(
    secret: str,
    *,
    subject: str,
    issuer: str,
    audience: str,
    lifetime: float,
    publish: Iterable[str] = (),
    subscribe: Iterable[str] = (),
    presence: Iterable[str] = (),
    work: Iterable[str] = (),
    admin: bool = False,
    token_id: str = "",
    clock: Callable[[], float] = time.time,
) -> str:
    """Make an HS256 development token that lives ``lifetime`` seconds.

    Its ``token_id`` (jti) is what it can be revoked by; empty = a new one.
    """
    now = clock()
    grants = {
        "publish": list(publish),
        "subscribe": list(subscribe),
        "presence": list(presence),
        "work": list(work),
        "admin": admin,
    }
    claims = {
        "sub": subject,
        "iss": issuer,
        "aud": audience,
        "iat": int(now),
        "jti": token_id or uuid.uuid4().hex,
        "exp": int(now + lifetime),
        "grants": grants,
    }
    return jwt.encode(claims, secret, algorithm="HS256")
