"""What the contract names and this hub does not offer yet."""

from __future__ import annotations

from hub.errors import Unimplemented
from shipspeak.realtime.v1 import error_reason_pb2 as reasons


def unoffered(feature: str) -> Unimplemented:
    """The refusal of a frame, a call or a field of that feature."""
    return Unimplemented(
        reasons.ERROR_REASON_FEATURE_UNAVAILABLE,
        f"this hub does not offer {feature} yet",
        feature=feature,
    )
