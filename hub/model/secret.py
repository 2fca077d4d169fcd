"""What is fit to be a shared secret of tokens."""

from __future__ import annotations

from typing import Final

MIN_SECRET_BYTES: Final = 32  # RFC 7518 section 3.2, for HS256


def check_secret(secret: str) -> None:
    """Check a shared secret of HS256 tokens.

    Raises:
        ValueError: it is too short, or a key of another kind.
    """
    size = len(secret.encode())
    if size < MIN_SECRET_BYTES:
        raise ValueError(
            f"the HS256 secret has {size} bytes; RFC 7518 section 3.2 wants {MIN_SECRET_BYTES} "
            "or more"
        )
    if secret.lstrip().startswith(("-----BEGIN", "ssh-")):
        raise ValueError(
            "the HS256 secret is a PEM or SSH key; "
            "name the file of a public key in RTHUB_AUTH_PUBLIC_KEY_FILE"
        )
