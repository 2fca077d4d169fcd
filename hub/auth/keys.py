"""Public keys that tokens are checked with: from PEM files and JSON Web Key Sets (RFC 7517)."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Final

import jwt
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, EllipticCurvePublicKey
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.serialization import load_pem_public_key

if TYPE_CHECKING:
    from collections.abc import Collection
    from pathlib import Path

MIN_RSA_BITS: Final = 2048  # RFC 7518 section 3.3, for RS256
MAX_SET_BYTES: Final = 262_144
MAX_SET_KEYS: Final = 100

PublicKey = RSAPublicKey | EllipticCurvePublicKey | Ed25519PublicKey
Keys = dict[tuple[str, str], PublicKey]
"""(kid, algorithm) -> key."""


class KeyUnusable(ValueError):
    """A key, or a set of keys, of the settings cannot be used."""


def algorithm_of(key: object) -> str | None:
    """The one algorithm that a key may be used with; None = it is fit for none."""
    if isinstance(key, RSAPublicKey) and key.key_size >= MIN_RSA_BITS:
        return "RS256"
    if isinstance(key, EllipticCurvePublicKey) and isinstance(key.curve, SECP256R1):
        return "ES256"
    return "EdDSA" if isinstance(key, Ed25519PublicKey) else None


def load_public_key(path: Path, algorithm: str) -> PublicKey:
    """Read the PEM public key of a token issuer.

    Args:
        path: of the PEM file.
        algorithm: RS256, ES256 or EdDSA.

    Raises:
        KeyUnusable: the file cannot be read, holds no public key, or one that does not fit.
    """
    try:
        key = load_pem_public_key(read_key_file(path))
    except (ValueError, UnsupportedAlgorithm) as error:
        if isinstance(error, KeyUnusable):
            raise
        raise KeyUnusable(f"{path} holds no PEM public key") from error
    if algorithm_of(key) != algorithm or not isinstance(key, PublicKey):
        raise KeyUnusable(
            f"the key in {path} is not for {algorithm}: RS256 needs RSA of {MIN_RSA_BITS} bits or "
            "more, ES256 a P-256 key, EdDSA an Ed25519 key"
        )
    return key


def read_key_file(path: Path) -> bytes:
    """The bytes of a key file.

    Raises:
        KeyUnusable: it cannot be read, or is larger than any set of keys may be.
    """
    try:
        with path.open("rb") as file:
            data = file.read(MAX_SET_BYTES + 1)
    except OSError as error:
        raise KeyUnusable(f"the key file {path} cannot be read: {error.strerror}") from error
    if len(data) > MAX_SET_BYTES:
        raise KeyUnusable(f"the key file {path} has over {MAX_SET_BYTES} bytes")
    return data


def parse_key_set(document: bytes, algorithms: Collection[str], source: str) -> Keys:
    """The keys of a JSON Web Key Set that an issuer may sign with.

    Keys of other kinds and uses are left out: sets hold what others need, too.

    Args:
        document: JSON.
        algorithms: of the issuer.
        source: its file or address, for the error's text.

    Raises:
        KeyUnusable: it is no key set, too large, or holds no key that can be used.
    """
    if len(document) > MAX_SET_BYTES:
        raise KeyUnusable(f"the key set of {source} has over {MAX_SET_BYTES} bytes")
    try:
        listed = json.loads(document)["keys"]
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise KeyUnusable(f"{source} holds no JSON Web Key Set") from error
    if not isinstance(listed, list) or len(listed) > MAX_SET_KEYS:
        raise KeyUnusable(f"the key set of {source} has no keys, or over {MAX_SET_KEYS}")
    keys: Keys = {}
    for entry in listed:
        if (found := _key_of(entry)) is not None and found[0][1] in algorithms:
            keys[found[0]] = found[1]
    if not keys:
        raise KeyUnusable(
            f"the key set of {source} has no public key for {', '.join(sorted(algorithms))}"
        )
    return keys


def _key_of(entry: object) -> tuple[tuple[str, str], PublicKey] | None:
    """A key with its kid and its algorithm; None where it is not for checking signatures."""
    if not isinstance(entry, dict) or entry.get("use", "sig") != "sig" or "d" in entry:
        return None
    try:
        key = jwt.PyJWK.from_dict(entry).key
    except (jwt.PyJWTError, ValueError, TypeError, KeyError, UnsupportedAlgorithm):
        return None
    algorithm = algorithm_of(key)
    if algorithm is None or not isinstance(key, PublicKey):
        return None
    if entry.get("alg", algorithm) != algorithm:
        return None
    return (str(entry.get("kid", "")), algorithm), key
