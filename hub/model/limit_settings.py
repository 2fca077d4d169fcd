"""The settings that say how much: sizes, numbers, rates, and where overload begins."""

from __future__ import annotations

from pydantic import Field, field_validator
from pydantic_settings import BaseSettings

from hub.topics.namespaces import DEFAULT_NAMESPACES, INBOX


class LimitSettings(BaseSettings):
    """Part of ``hub.settings.Settings``; sizes in bytes and times in seconds."""

    # Limits
    max_event_bytes: int = Field(
        default=262_144, ge=1024, description="Largest content of one event."
    )
    max_batch_events: int = Field(
        default=500, ge=1, le=500, description="Most drafts in one batch."
    )
    max_batch_bytes: int = Field(default=1_048_576, ge=65_536, description="Largest batch.")
    max_subscriptions: int = Field(
        default=1000, ge=1, le=1000, description="Most subscriptions of one session."
    )
    max_sessions: int = Field(default=50_000, ge=1, description="Most sessions of this instance.")
    max_sessions_per_user: int = Field(
        default=1000,
        ge=0,
        description="Most sessions of one user here, polls under way included; 0 = any.",
    )
    namespace_bytes: dict[str, int] = Field(
        default={},
        description="Most bytes of events that a namespace keeps, as JSON by its name, `*` for "
        "each of the others; what is beyond is refused. Where it is set, each start counts all.",
    )
    ring_bytes: int = Field(
        default=268_435_456,
        ge=1_048_576,
        description="Memory for the latest events of all topics; a quarter more for pages of logs.",
    )
    inbox_events: int = Field(
        default=INBOX.max_events, ge=100, description="Newest events of an inbox, beside receipts."
    )
    dedup_lifetime: float = Field(
        default=86_400.0, ge=60, description="How long ids of drafts are remembered."
    )

    # Rates: what is beyond one is refused with a time to come back, or read later
    rate_drafts_per_user: float = Field(
        default=50_000, ge=0, description="Drafts a second that one user may publish; 0 = any."
    )
    rate_drafts_per_topic: float = Field(
        default=20_000, ge=0, description="Drafts a second that one topic takes; 0 = any."
    )
    rate_presence_per_session: float = Field(
        default=10, ge=0, description="Changes of presence a second of one session; 0 = any."
    )
    rate_frames_per_connection: float = Field(
        default=20_000, ge=0, description="Frames a second read from one connection; 0 = any."
    )
    rate_connects_per_address: float = Field(
        default=2_000, ge=0, description="Sessions a second opened from one address; 0 = any."
    )
    rate_handshakes: float = Field(
        default=5_000, ge=0, description="Sessions a second opened from everywhere; 0 = any."
    )
    rate_calls_per_address: float = Field(
        default=10_000, ge=0, description="Unary calls a second from one address; 0 = any."
    )

    # Overload: new work is refused with a time to come back, so that what is under way goes on
    overload_lag: float = Field(
        default=0.5,
        ge=0,
        le=60,
        description="Seconds that the event loop may be late, for 2 s on end, before new work is "
        "refused; at twice as much nearly all is. 0 = it is not watched.",
    )
    overload_memory_bytes: int = Field(
        default=0,
        ge=0,
        description="Resident memory from which new work is refused, for 2 s on end; at a tenth "
        "more nearly all is. 0 = 85 % of what the machine or its container has.",
    )

    @field_validator("namespace_bytes")
    @classmethod
    def _check_namespaces(cls, caps: dict[str, int]) -> dict[str, int]:
        known = {namespace.name for namespace in DEFAULT_NAMESPACES}
        for name, most in caps.items():
            if name not in known | {"*"}:
                raise ValueError(f"there is no namespace {name}; there are {sorted(known)}, and *")
            if most < 1:
                raise ValueError(f"{name} must be allowed to keep something")
        return caps
