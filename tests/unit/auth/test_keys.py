"""A key file that cannot check any token is refused when the hub starts."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from cryptography.hazmat.primitives.asymmetric import ed25519, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from hub.auth.keys import KeyUnusable, load_public_key

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize(
    ("content", "text"),
    [
        (None, "cannot be read: No such file"),
        (b"garbage", "holds no PEM public key"),
        (
            b"-----BEGIN PUBLIC KEY-----\nYWJj\n-----END PUBLIC KEY-----\n",
            "holds no PEM public key",
        ),
    ],
)
def test_a_key_file_without_a_key_is_refused(
    tmp_path: Path, content: bytes | None, text: str
) -> None:
    file = tmp_path / "key.pem"
    if content is not None:
        file.write_bytes(content)
    assert text in _refused(file)


def test_a_key_of_another_algorithm_is_refused(tmp_path: Path) -> None:
    file = _key_file(tmp_path, ed25519.Ed25519PrivateKey.generate().public_key())
    assert "is not for RS256" in _refused(file)
    assert isinstance(load_public_key(file, "EdDSA"), ed25519.Ed25519PublicKey)


def test_a_short_rsa_key_is_refused(tmp_path: Path) -> None:
    short = rsa.generate_private_key(public_exponent=65537, key_size=1024)  # noqa: S505 - refused
    assert "2048 bits" in _refused(_key_file(tmp_path, short.public_key()))


def _key_file(folder: Path, key: ed25519.Ed25519PublicKey | rsa.RSAPublicKey) -> Path:
    file = folder / "key.pem"
    file.write_bytes(key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo))
    return file


def _refused(file: Path) -> str:
    with pytest.raises(KeyUnusable) as caught:
        load_public_key(file, "RS256")
    return str(caught.value)
