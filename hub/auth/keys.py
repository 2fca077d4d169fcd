"""The key that tokens are checked with: read at start, of the kind its algorithm needs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, EllipticCurvePublicKey
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.serialization import load_pem_public_key

if TYPE_CHECKING:
    from pathlib import Path

MIN_RSA_BITS: Final = 2048  # RFC 7518 section 3.3, for RS256

PublicKey = RSAPublicKey | EllipticCurvePublicKey | Ed25519PublicKey


class KeyUnusable(ValueError):
    """The key file of the settings cannot be used."""


def load_public_key(path: Path, algorithm: str) -> PublicKey:
    """Read the PEM public key of a token issuer.

    Args:
        path: of the PEM file.
        algorithm: RS256, ES256 or EdDSA.

    Raises:
        KeyUnusable: the file cannot be read, holds no public key, or one that does not fit.
    """
    try:
        key = load_pem_public_key(path.read_bytes())
    except OSError as error:
        raise KeyUnusable(f"the public key file {path} cannot be read: {error.strerror}") from error
    except (ValueError, UnsupportedAlgorithm) as error:
        raise KeyUnusable(f"{path} holds no PEM public key") from error
    fits = {
        "RS256": isinstance(key, RSAPublicKey) and key.key_size >= MIN_RSA_BITS,
        "ES256": isinstance(key, EllipticCurvePublicKey) and isinstance(key.curve, SECP256R1),
        "EdDSA": isinstance(key, Ed25519PublicKey),
    }
    if not fits[algorithm] or not isinstance(key, PublicKey):
        raise KeyUnusable(
            f"the key in {path} is not for {algorithm}: RS256 needs RSA of {MIN_RSA_BITS} bits or "
            "more, ES256 a P-256 key, EdDSA an Ed25519 key"
        )
    return key
