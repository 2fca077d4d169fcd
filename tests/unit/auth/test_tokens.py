"""Which tokens pass, and the reason given for each that does not."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from typing import TYPE_CHECKING, Any

import jwt
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from pydantic import SecretStr

from hub.auth.keysets import Secret
from hub.auth.tokens import LEEWAY_SECONDS, Authenticator, mint
from hub.errors import PermissionDenied, Unauthenticated
from hub.settings import Settings
from tests.support.manual_clock import ManualClock

if TYPE_CHECKING:
    from pathlib import Path

SECRET = "0123456789abcdef0123456789abcdef"
CLOCK = ManualClock()
CLAIMS: dict[str, Any] = {
    "sub": "alice",
    "iss": "shipspeak",
    "aud": "shipspeak-realtime",
    "exp": CLOCK.now + 60,
    "grants": {"publish": ["meeting/*"], "subscribe": ["user/{sub}"]},
}


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
def authenticator(clock: ManualClock) -> Authenticator:
    return Authenticator(Settings(auth_hs256_secret=SecretStr(SECRET)), clock)


def test_a_good_token_gives_its_principal(authenticator: Authenticator) -> None:
    principal = authenticator.authenticate(_token(jti="t1"))
    assert principal.subject == "alice"
    assert principal.grants.publish == ("meeting/*",)
    assert principal.grants.subscribe == ("user/{sub}",)
    assert not principal.grants.admin
    assert principal.expires_at == CLAIMS["exp"]
    assert principal.token_id == "t1"


@pytest.mark.parametrize("subject", ["*", "**", "{sub}", "spiffe://org/billing"])
def test_a_name_that_is_no_segment_is_let_in_and_has_no_topics_of_its_own(
    authenticator: Authenticator, subject: str
) -> None:
    """G10."""
    own = ["user/{sub}", "user/{sub}/**"]
    grants = {"subscribe": own, "work": own, "publish": ["meeting/*"]}
    principal = authenticator.authenticate(_token(sub=subject, grants=grants))
    principal.require("publish", "meeting/42")
    for pattern in (f"user/{subject}", "user/*", "user/**"):
        for right in ("subscribe", "work"):
            with pytest.raises(PermissionDenied, match="RIGHT_MISSING"):
                principal.require_pattern(right, pattern)


def test_what_mint_makes_passes(authenticator: Authenticator, clock: ManualClock) -> None:
    token = mint(
        SECRET,
        subject="bob",
        issuer="shipspeak",
        audience="shipspeak-realtime",
        lifetime=10,
        presence=["meeting/*"],
        admin=True,
        clock=clock,
    )
    principal = authenticator.authenticate(token)
    assert (principal.subject, principal.grants.admin) == ("bob", True)
    assert principal.grants.presence == ("meeting/*",)


def _without(name: str) -> dict[str, Any]:
    return {claim: value for claim, value in CLAIMS.items() if claim != name}


def _token(key: str = SECRET, algorithm: str = "HS256", **changes: Any) -> str:
    return jwt.encode({**CLAIMS, **changes}, key, algorithm=algorithm)


def _b64(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def _unsigned(algorithm: str) -> str:
    header = _b64(json.dumps({"alg": algorithm, "typ": "JWT"}).encode())
    return f"{header}.{_b64(json.dumps(CLAIMS).encode())}."


REFUSED: dict[str, tuple[str, str]] = {
    "none": (jwt.encode(CLAIMS, "", algorithm="none"), "TOKEN_SIGNATURE_INVALID"),
    "None": (_unsigned("None"), "TOKEN_SIGNATURE_INVALID"),
    "HS256 without a signature": (_unsigned("HS256"), "TOKEN_SIGNATURE_INVALID"),
    "another secret": (_token(key=SECRET[::-1]), "TOKEN_SIGNATURE_INVALID"),
    "another algorithm of the same key": (
        jwt.encode(CLAIMS, SECRET * 2, algorithm="HS512"),
        "TOKEN_SIGNATURE_INVALID",
    ),
    "expired": (_token(exp=CLOCK.now - 1), "TOKEN_EXPIRED"),
    "expires now": (_token(exp=CLOCK.now), "TOKEN_EXPIRED"),
    "not yet": (_token(nbf=CLOCK.now + LEEWAY_SECONDS + 1), "TOKEN_NOT_YET_VALID"),
    "another audience": (_token(aud="billing"), "TOKEN_AUDIENCE_INVALID"),
    "another issuer": (_token(iss="evil"), "TOKEN_ISSUER_INVALID"),
    "no sub": (jwt.encode(_without("sub"), SECRET), "TOKEN_MALFORMED"),
    "no iss": (jwt.encode(_without("iss"), SECRET), "TOKEN_MALFORMED"),
    "no aud": (jwt.encode(_without("aud"), SECRET), "TOKEN_MALFORMED"),
    "no exp": (jwt.encode(_without("exp"), SECRET), "TOKEN_MALFORMED"),
    "empty sub": (_token(sub=""), "TOKEN_MALFORMED"),
    "sub is no text": (_token(sub=7), "TOKEN_MALFORMED"),
    "sub is half a character": (_token(sub="a\ud800"), "TOKEN_MALFORMED"),
    "jti is half a character": (_token(jti="a\ud800"), "TOKEN_MALFORMED"),
    "exp is a word": (_token(exp="soon"), "TOKEN_MALFORMED"),
    "exp is nothing": (_token(exp=None), "TOKEN_MALFORMED"),
    "exp is true": (_token(exp=True), "TOKEN_MALFORMED"),
    "exp is endless": (_token(exp=float("inf")), "TOKEN_MALFORMED"),
    "exp is no number": (_token(exp=float("nan")), "TOKEN_MALFORMED"),
    "exp is beyond all calendars": (_token(exp=1e300), "TOKEN_MALFORMED"),
    "nbf is a word": (_token(nbf="later"), "TOKEN_MALFORMED"),
    "grants is a list": (_token(grants=["publish"]), "TOKEN_MALFORMED"),
    "patterns are a word": (_token(grants={"publish": "**"}), "TOKEN_MALFORMED"),
    "patterns hold a number": (_token(grants={"subscribe": [1]}), "TOKEN_MALFORMED"),
    "admin is a word": (_token(grants={"admin": "yes"}), "TOKEN_MALFORMED"),
    "a word": ("garbage", "TOKEN_MALFORMED"),
    "three words": ("a.b.c", "TOKEN_MALFORMED"),
    "no ascii": ("ä.ö.ü", "TOKEN_MALFORMED"),
    "a cut token": (_token()[:-40], "TOKEN_SIGNATURE_INVALID"),
    "a header nested too deep": (_b64(b"[" * 5000) + ".e30.e30", "TOKEN_MALFORMED"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_refused(authenticator: Authenticator, case: str) -> None:
    token, reason = REFUSED[case]
    error = _refusal(authenticator, token)
    assert error.reason_name == reason
    assert token not in error.message
    assert SECRET not in error.message


def test_no_token(authenticator: Authenticator) -> None:
    assert _refusal(authenticator, "").reason_name == "TOKEN_MISSING"


def test_a_claim_altered_after_signing(authenticator: Authenticator) -> None:
    header, _, signature = _token().split(".")
    claims = _b64(json.dumps({**CLAIMS, "sub": "bob"}).encode())
    error = _refusal(authenticator, f"{header}.{claims}.{signature}")
    assert error.reason_name == "TOKEN_SIGNATURE_INVALID"


def test_a_token_that_was_good_once_ends_on_time(
    authenticator: Authenticator, clock: ManualClock
) -> None:
    token = _token()
    clock.advance(59.9)
    assert authenticator.authenticate(token).subject == "alice"
    clock.advance(0.1)
    assert _refusal(authenticator, token).reason_name == "TOKEN_EXPIRED"


def test_a_young_token_passes_a_clock_that_is_a_little_behind(authenticator: Authenticator) -> None:
    assert authenticator.authenticate(_token(nbf=CLOCK.now + LEEWAY_SECONDS)).subject == "alice"


def test_in_development_a_token_is_not_needed_but_a_bad_one_is_refused() -> None:
    with_key = Authenticator(Settings(dev=True, auth_hs256_secret=SecretStr(SECRET)), CLOCK)
    assert with_key.authenticate("").grants.admin
    assert with_key.authenticate(_token()).subject == "alice"
    assert _refusal(with_key, _token(key="x" * 32)).reason_name == "TOKEN_SIGNATURE_INVALID"
    without_key = Authenticator(Settings(dev=True), CLOCK)
    assert _refusal(without_key, _token()).reason_name == "TOKEN_SIGNATURE_INVALID"


_KEYS: dict[str, Any] = {
    "RS256": lambda: rsa.generate_private_key(public_exponent=65537, key_size=2048),
    "ES256": lambda: ec.generate_private_key(ec.SECP256R1()),
    "EdDSA": ed25519.Ed25519PrivateKey.generate,
}


@pytest.fixture(params=list(_KEYS))
def key_pair(request: pytest.FixtureRequest, tmp_path: Path) -> tuple[str, Any, Path]:
    private = _KEYS[request.param]()
    public = private.public_key().public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    file = tmp_path / "public.pem"
    file.write_bytes(public)
    return request.param, private, file


def test_key_files(key_pair: tuple[str, Any, Path]) -> None:
    algorithm, private, file = key_pair
    authenticator = Authenticator(
        Settings(auth_public_key_file=file, auth_algorithm=algorithm), CLOCK
    )
    assert authenticator.authenticate(jwt.encode(CLAIMS, private, algorithm)).subject == "alice"
    stranger = jwt.encode(CLAIMS, _KEYS[algorithm](), algorithm)
    assert _refusal(authenticator, stranger).reason_name == "TOKEN_SIGNATURE_INVALID"
    unsigned = jwt.encode(CLAIMS, "", algorithm="none")
    assert _refusal(authenticator, unsigned).reason_name == "TOKEN_SIGNATURE_INVALID"


def test_a_public_key_is_no_shared_secret(key_pair: tuple[str, Any, Path]) -> None:
    """Key confusion: HS256 signed with the public key's text, which everyone has."""
    algorithm, _, file = key_pair
    signed = (
        _b64(json.dumps({"alg": "HS256", "typ": "JWT"}).encode())
        + "."
        + _b64(json.dumps(CLAIMS).encode())
    )
    forged = signed + "." + _b64(hmac.digest(file.read_bytes(), signed.encode(), hashlib.sha256))
    authenticator = Authenticator(
        Settings(auth_public_key_file=file, auth_algorithm=algorithm), CLOCK
    )
    assert _refusal(authenticator, forged).reason_name == "TOKEN_SIGNATURE_INVALID"


def test_a_fault_of_the_hubs_own_key_is_not_the_tokens(
    authenticator: Authenticator, monkeypatch: pytest.MonkeyPatch
) -> None:
    key = ed25519.Ed25519PrivateKey.generate().public_key()
    pem = key.public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    monkeypatch.setattr(Secret, "find", lambda *_: pem)
    with pytest.raises(jwt.InvalidKeyError):
        authenticator.authenticate(_token())


def _refusal(authenticator: Authenticator, token: str) -> Unauthenticated:
    with pytest.raises(Unauthenticated) as caught:
        authenticator.authenticate(token)
    return caught.value
