"""Leases and members: what one session holds, and what others see of it."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import NamedTuple

from shipspeak.realtime.v1 import frame_pb2


class Holder(NamedTuple):
    """Who holds a lease: a session is known by its instance and its id."""

    instance: str
    session: str


class MemberKey(NamedTuple):
    """Who is seen: sessions of one user with the same client_id are one member."""

    user: str
    client_id: str

    def digest(self) -> str:
        """Where the member stands in pages; the same on every instance, and tells nothing."""
        return hashlib.sha256(f"{self.user}\0{self.client_id}".encode()).hexdigest()[:32]


@dataclass(frozen=True, slots=True)
class Lease:
    """One session's presence in one topic.

    Attributes:
        holder: the session.
        key: the member that it makes visible.
        state: never OFFLINE and never UNSPECIFIED.
        metadata: facts for display, sorted by key.
        set_at: milliseconds since the epoch; of several leases of one member the latest is seen.
    """

    holder: Holder
    key: MemberKey
    state: frame_pb2.PresenceState.ValueType
    metadata: tuple[tuple[str, str], ...]
    set_at: int

    def same(self, other: Lease) -> bool:
        """Whether others see no difference but the time."""
        mine = (self.key, self.state, self.metadata)
        return mine == (other.key, other.state, other.metadata)


@dataclass(frozen=True, slots=True)
class Member:
    """One member as others see it.

    Attributes:
        key: who.
        state: as in the lease.
        metadata: as in the lease.
        since_ms: present without a break since then, milliseconds since the epoch.
    """

    key: MemberKey
    state: frame_pb2.PresenceState.ValueType
    metadata: tuple[tuple[str, str], ...]
    since_ms: int

    def message(self) -> frame_pb2.PresenceMember:
        """As the contract has it."""
        message = frame_pb2.PresenceMember(
            user=self.key.user,
            client_id=self.key.client_id,
            state=self.state,
            metadata=dict(self.metadata),
        )
        message.since.FromMilliseconds(self.since_ms)
        return message


def departed(key: MemberKey) -> frame_pb2.PresenceMember:
    """A member that has left, as a delta tells it."""
    return frame_pb2.PresenceMember(
        user=key.user, client_id=key.client_id, state=frame_pb2.PRESENCE_STATE_OFFLINE
    )
