"""What single claims must be."""

from __future__ import annotations

# The end of the year 9999, which is as far as the contract's timestamps reach.
_LAST_TIME = 253_402_300_799


def is_time(claim: object) -> bool:
    """Whether a claim is a NumericDate (RFC 7519 section 2) that a calendar knows."""
    if isinstance(claim, bool) or not isinstance(claim, int | float):
        return False
    return 0 <= claim <= _LAST_TIME  # NaN is not


def is_text(claim: str) -> bool:
    """Whether a text has a UTF-8: JSON can write half a surrogate pair, and no message holds it."""
    try:
        claim.encode()
    except UnicodeEncodeError:
        return False
    return True
