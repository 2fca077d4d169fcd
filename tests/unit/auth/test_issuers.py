"""I1: several issuers, each bound to its own keys, which may be rotated while the hub runs."""

from __future__ import annotations

import json
from http.client import BadStatusLine
from typing import TYPE_CHECKING, Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from jwt.algorithms import ECAlgorithm, OKPAlgorithm, RSAAlgorithm
from pydantic import ValidationError

from hub.auth.keys import MAX_SET_BYTES, MAX_SET_KEYS, KeyUnusable, parse_key_set
from hub.auth.keysets import ASK_AGAIN_SECONDS, MAX_UNKNOWN, FetchedKeys, KeysPending
from hub.auth.tokens import LEEWAY_SECONDS, Authenticator
from hub.errors import HubError, Unavailable
from hub.model.issuer import Issuer
from hub.settings import Settings
from tests.support.manual_clock import ManualClock

if TYPE_CHECKING:
    from pathlib import Path

PRIVATE: dict[str, Any] = {
    "RS256": rsa.generate_private_key(public_exponent=65537, key_size=2048),
    "ES256": ec.generate_private_key(ec.SECP256R1()),
    "EdDSA": ed25519.Ed25519PrivateKey.generate(),
}
OTHER = ec.generate_private_key(ec.SECP256R1())
ADDRESS = "https://id.example/keys"
CLOCK = ManualClock()


def _entry(algorithm: str, key: Any = None, **more: Any) -> dict[str, Any]:
    make: dict[str, Any] = {"RS256": RSAAlgorithm, "ES256": ECAlgorithm, "EdDSA": OKPAlgorithm}
    key = key or PRIVATE[algorithm]
    return {**json.loads(make[algorithm].to_jwk(key.public_key())), **more}


def _document(*entries: Any) -> bytes:
    return json.dumps({"keys": entries}).encode()


def _token(algorithm: str, kid: str = "", key: Any = None, **claims: Any) -> str:
    return jwt.encode(
        {"sub": "alice", "iss": "one", "aud": "rt", "exp": CLOCK.now + 60, **claims},
        key or PRIVATE[algorithm],
        algorithm=algorithm,
        headers={"kid": kid} if kid else None,
    )


def _authenticator(*issuers: dict[str, Any]) -> Authenticator:
    made = tuple(Issuer(audience="rt", **issuer) for issuer in issuers)
    return Authenticator(Settings(auth_issuers=made), CLOCK)


def _reason(authenticator: Authenticator, token: str) -> str:
    with pytest.raises(HubError) as refused:
        authenticator.authenticate(token)
    return refused.value.reason_name


@pytest.mark.parametrize("algorithm", list(PRIVATE))
def test_a_key_set_checks_tokens_of_each_algorithm(tmp_path: Path, algorithm: str) -> None:
    file = tmp_path / "keys.json"
    file.write_bytes(_document(_entry(algorithm, kid="k1"), {"kty": "oct", "k": "c2VjcmV0"}))
    authenticator = _authenticator({"issuer": "one", "algorithms": (algorithm,), "jwks_file": file})
    assert authenticator.authenticate(_token(algorithm, "k1")).subject == "alice"
    assert authenticator.authenticate(_token(algorithm)).subject == "alice"
    assert _reason(authenticator, _token(algorithm, "k2")) == "TOKEN_SIGNATURE_INVALID"


def test_an_issuer_s_token_passes_by_its_own_keys_only(tmp_path: Path) -> None:
    """A tenant must not sign for another one."""
    files = {}
    for name, key in (("one", PRIVATE["ES256"]), ("two", OTHER)):
        files[name] = tmp_path / f"{name}.json"
        files[name].write_bytes(_document(_entry("ES256", key, kid="same")))
    authenticator = _authenticator(
        *(
            {"issuer": name, "algorithms": ("ES256",), "jwks_file": file}
            for name, file in files.items()
        )
    )
    assert authenticator.authenticate(_token("ES256", "same")).subject == "alice"
    by_two: dict[str, Any] = {"kid": "same", "key": OTHER}
    assert authenticator.authenticate(_token("ES256", iss="two", **by_two)).subject == "alice"
    assert _reason(authenticator, _token("ES256", iss="one", **by_two)) == "TOKEN_SIGNATURE_INVALID"
    assert _reason(authenticator, _token("ES256", iss="three")) == "TOKEN_ISSUER_INVALID"
    assert _reason(authenticator, _token("RS256", iss="one")) == "TOKEN_SIGNATURE_INVALID"


async def test_a_file_s_new_keys_count_and_its_old_ones_do_not(tmp_path: Path) -> None:
    file = tmp_path / "keys.json"
    file.write_bytes(_document(_entry("ES256", kid="old")))
    authenticator = _authenticator({"issuer": "one", "algorithms": ("ES256",), "jwks_file": file})
    old, new = _token("ES256", "old"), _token("ES256", "new", OTHER)
    authenticator.authenticate(old)
    file.write_bytes(_document(_entry("ES256", OTHER, kid="new"), {}))
    assert _reason(authenticator, new) == "TOKEN_SIGNATURE_INVALID"
    (keys,) = [keys for _, keys in authenticator._issuers.values()]
    assert await keys.update(authenticator.key_updates._bounded, due=False)
    assert not await keys.update(authenticator.key_updates._bounded, due=True)
    authenticator.authenticate(new)


async def test_fetched_keys_are_asked_for_and_cached_principals_fall_with_a_key() -> None:
    documents = [_document(_entry("ES256", kid="a")), _document(_entry("ES256", OTHER, kid="b"))]
    asked = list[str]()

    async def fetch(url: str) -> bytes:
        asked.append(url)
        return documents[0]

    clock = ManualClock()
    authenticator = Authenticator(
        Settings(
            auth_issuers=(
                Issuer(issuer="one", audience="rt", algorithms=("ES256",), jwks_url=ADDRESS),
            )
        ),
        clock,
    )
    authenticator.key_updates._fetch = fetch
    with pytest.raises(Unavailable) as pending:
        authenticator.authenticate(_token("ES256", "a"))
    assert pending.value.retry_after == 1.0
    await authenticator.key_updates.start()
    try:
        assert authenticator.authenticate(_token("ES256", "a")).subject == "alice"
        documents.pop(0)
        clock.advance(ASK_AGAIN_SECONDS)
        assert _reason(authenticator, _token("ES256", "b", OTHER)) == "KEYS_UNAVAILABLE"
        clock.advance(1)
        await authenticator.key_updates._round(fetch_all=False)
        assert authenticator.authenticate(_token("ES256", "b", OTHER)).subject == "alice"
        assert _reason(authenticator, _token("ES256", "a")) == "KEYS_UNAVAILABLE"
        clock.advance(1)
        await authenticator.key_updates._round(fetch_all=True)
        clock.advance(1)
        assert _reason(authenticator, _token("ES256", "a")) == "TOKEN_SIGNATURE_INVALID"
        assert set(asked) == {ADDRESS}
    finally:
        await authenticator.key_updates.stop()


def test_an_unknown_key_makes_the_hub_ask_once_in_a_while_only() -> None:
    """I3: whoever sends tokens with ever new kids does not make the hub a flood of its issuer."""
    woken = list[int]()
    clock = ManualClock()
    issuer = Issuer(issuer="one", audience="rt", algorithms=("ES256",), jwks_url=ADDRESS)
    keys = FetchedKeys(issuer, clock, lambda: woken.append(1))
    keys.take(_document(_entry("ES256", kid="a")))
    for number in range(5 * MAX_UNKNOWN):
        with pytest.raises(KeysPending):
            keys.find(f"k{number}", "ES256")
    assert len(woken) == 1
    assert len(keys._unknown) == MAX_UNKNOWN


def test_a_key_that_is_new_is_asked_for_also_behind_one_that_does_not_exist() -> None:
    """I1: no stranger's token makes an honest one's refusal final."""
    clock = ManualClock()
    issuer = Issuer(issuer="one", audience="rt", algorithms=("ES256",), jwks_url=ADDRESS)
    keys = FetchedKeys(issuer, clock, lambda: None)
    keys.take(_document(_entry("ES256", kid="a")))
    with pytest.raises(KeysPending):
        keys.find("nobody's", "ES256")
    clock.advance(1)
    keys.take(_document(_entry("ES256", kid="a")))
    clock.advance(1)
    assert keys.find("nobody's", "ES256") is None
    with pytest.raises(KeysPending):
        keys.find("b", "ES256")
    clock.advance(ASK_AGAIN_SECONDS)
    keys.take(_document(_entry("ES256", kid="a"), _entry("ES256", OTHER, kid="b")))
    assert keys.find("b", "ES256") is not None


async def test_a_key_that_is_wanted_during_a_fetch_is_asked_for_once_more() -> None:
    """I1: the answer under way may be older than the key."""
    clock = ManualClock()
    issuer = Issuer(issuer="one", audience="rt", algorithms=("ES256",), jwks_url=ADDRESS)
    keys = FetchedKeys(issuer, clock, lambda: None)
    documents = [
        _document(_entry("ES256", kid="a")),
        _document(_entry("ES256", kid="a"), _entry("ES256", OTHER, kid="b")),
    ]

    async def fetch(_url: str) -> bytes:
        if len(documents) == 2:
            with pytest.raises(KeysPending):
                keys.find("b", "ES256")
        return documents.pop(0)

    assert await keys.update(fetch, due=False)
    assert await keys.update(fetch, due=False)
    assert keys.find("b", "ES256") is not None
    assert not await keys.update(fetch, due=False)


async def test_an_issuer_that_answers_nonsense_ends_no_updates(tmp_path: Path) -> None:
    """The others' keys go on to be read."""
    file = tmp_path / "keys.json"
    file.write_bytes(_document(_entry("ES256", kid="old")))
    authenticator = _authenticator(
        {"issuer": "away", "algorithms": ("ES256",), "jwks_url": ADDRESS},
        {"issuer": "one", "algorithms": ("ES256",), "jwks_file": file},
    )

    async def fetch(_url: str) -> bytes:
        raise BadStatusLine("?")

    authenticator.key_updates._fetch = fetch
    await authenticator.key_updates.start()
    try:
        file.write_bytes(_document(_entry("ES256", OTHER, kid="new"), {}))
        await authenticator.key_updates._round(fetch_all=True)
        assert authenticator.authenticate(_token("ES256", "new", OTHER)).subject == "alice"
    finally:
        await authenticator.key_updates.stop()


def test_a_token_from_the_future_is_refused(tmp_path: Path) -> None:
    """It would outlive the revocation of all that its user was issued until now."""
    file = tmp_path / "keys.json"
    file.write_bytes(_document(_entry("ES256")))
    authenticator = _authenticator({"issuer": "one", "algorithms": ("ES256",), "jwks_file": file})
    authenticator.authenticate(_token("ES256", iat=CLOCK.now + LEEWAY_SECONDS))
    late = _token("ES256", iat=CLOCK.now + LEEWAY_SECONDS + 1)
    assert _reason(authenticator, late) == "TOKEN_NOT_YET_VALID"


async def test_an_issuer_that_is_away_stops_no_start_and_old_keys_stay() -> None:
    async def fetch(_url: str) -> bytes:
        raise OSError("no route")

    authenticator = _authenticator({"issuer": "one", "algorithms": ("ES256",), "jwks_url": ADDRESS})
    authenticator.key_updates._fetch = fetch
    await authenticator.key_updates.start()
    try:
        assert _reason(authenticator, _token("ES256", "a")) == "KEYS_UNAVAILABLE"
    finally:
        await authenticator.key_updates.stop()


@pytest.mark.parametrize(
    "document",
    [
        b"",
        b"[]",
        b"{}",
        b'{"keys": 1}',
        b'{"keys": []}',
        b'{"keys": [1, null, {"kty": "RSA"}, {"kty": "EC", "crv": "P-256", "x": "", "y": ""}]}',
        b"[" * 100_000,
        b" " * (MAX_SET_BYTES + 1),
        _document(*[_entry("ES256", kid=str(number)) for number in range(MAX_SET_KEYS + 1)]),
        _document(_entry("ES256", use="enc")),
        _document(_entry("RS256", alg="RS512")),
        _document(_entry("ES256", d="cHJpdmF0ZQ")),
    ],
)
def test_what_is_no_usable_key_set_is_refused(document: bytes) -> None:
    with pytest.raises(KeyUnusable):
        parse_key_set(document, ("RS256", "ES256", "EdDSA"), "a test")


@pytest.mark.parametrize(
    ("changes", "text"),
    [
        ({}, "give one of"),
        ({"jwks_url": ADDRESS, "public_key_file": "k.pem"}, "give one of"),
        ({"secret": "short"}, "32"),
        ({"secret": "0123456789abcdef0123456789abcdef"}, 'algorithms \\["HS256"'),
        ({"jwks_url": ADDRESS, "algorithms": ["RS256", "HS256"]}, "HS256 goes with a secret"),
        ({"jwks_url": "http://id.example/keys"}, "only https"),
        ({"jwks_url": "file:///etc/passwd"}, "only https"),
        ({"jwks_url": "https://u:p@id.example/keys"}, "password"),
        ({"public_key_file": "k.pem", "algorithms": ["RS256", "ES256"]}, "one algorithm"),
        ({"jwks_url": ADDRESS, "algorithms": ["none"]}, "Input should be"),
    ],
)
def test_an_issuer_that_cannot_be_trusted_is_refused_at_the_start(
    changes: dict[str, Any], text: str
) -> None:
    with pytest.raises(ValidationError, match=text):
        Issuer.model_validate({"issuer": "one", "audience": "rt", **changes})


def test_an_issuer_has_its_keys_in_one_place() -> None:
    issuer = Issuer(issuer="one", audience="rt", jwks_url=ADDRESS)
    with pytest.raises(ValidationError, match="named twice"):
        Settings(auth_issuers=(issuer, issuer))
