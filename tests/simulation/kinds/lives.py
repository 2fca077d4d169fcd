"""Lives of members, put together from what the hub heard on each of their connections."""

from __future__ import annotations

from dataclasses import dataclass, field
from math import inf
from typing import TypeAlias

from shipspeak.realtime.v1 import frame_pb2
from tests.guarantees.presence import Life
from tests.guarantees.validators.present import HEARTBEATS

GRACE_SECONDS = 5.0
# A return so near to the end of the grace may be seen as one or the other.
EDGE_SECONDS = 0.02
State: TypeAlias = frame_pb2.PresenceState.ValueType
_NAMES = {
    frame_pb2.PRESENCE_STATE_UNSPECIFIED: "online",
    frame_pb2.PRESENCE_STATE_ONLINE: "online",
    frame_pb2.PRESENCE_STATE_ACTIVE: "active",
    frame_pb2.PRESENCE_STATE_AWAY: "away",
}


@dataclass
class _Stay:
    """One member by one connection, from its first word to its leave, or to the end."""

    link: int
    hub: int
    states: list[tuple[float, str]] = field(default_factory=list)
    left_at: float | None = None
    clean: bool = False
    over_at: float = inf

    def lingers(self, silence: float) -> float:
        """Until when the hub may hold it for present."""
        if self.left_at is None:
            return inf
        if self.clean:
            return self.left_at
        return min(self.over_at + GRACE_SECONDS, self.left_at + silence)


class Book:
    """What the hub heard of all members of one topic."""

    def __init__(self) -> None:
        self._stays: dict[str, list[_Stay]] = {}
        self._hubs: list[object] = []

    def meets(self, hub: object) -> bool:
        """Whether this hub is another than the last one."""
        new = not self._hubs or self._hubs[-1] is not hub
        if new:
            self._hubs.append(hub)
        return new

    def died(self, at: float) -> None:
        """The hub has; nobody is there any more."""
        for stays in self._stays.values():
            for stay in stays:
                if stay.left_at is None:
                    stay.left_at = stay.over_at = at

    def word(self, member: str, link: int, at: float, state: State) -> None:
        """The hub has taken a word of a member."""
        stays = self._stays.setdefault(member, [])
        stay = next((s for s in stays if s.link == link and s.left_at is None), None)
        if state == frame_pb2.PRESENCE_STATE_OFFLINE:
            if stay is not None:
                stay.left_at = stay.over_at = at
                stay.clean = True
            return
        if stay is None:
            stay = _Stay(link, len(self._hubs))
            stays.append(stay)
        if not stay.states or stay.states[-1][1] != _NAMES[state]:
            stay.states.append((at, _NAMES[state]))

    def over(self, member: str, link: int, at: float, heard_at: float) -> None:
        """The hub's end of a connection is over; it heard of the member last at that time."""
        for stay in self._stays.get(member, ()):
            if stay.link == link and stay.left_at is None:
                stay.left_at, stay.over_at = heard_at, at

    def lives(self, topic: str, heartbeat: float) -> list[Life]:
        """Of all members; who comes back within the grace goes on with the life it had."""
        silence = HEARTBEATS * heartbeat
        return [
            Life(
                *(topic, member, stay.states[0][0], tuple(stay.states)),
                left_at=stay.left_at,
                clean=stay.clean,
            )
            for member, stays in self._stays.items()
            for stay in _joined(stays, silence)
        ]


def _joined(stays: list[_Stay], silence: float) -> list[_Stay]:
    found: list[_Stay] = []
    for stay in stays:
        others = [one for one in stays if one is not stay and one.hub == stay.hub]
        left, back_at = stay.left_at or inf, stay.states[0][0]
        if stay.clean and any(
            one.states[0][0] < left < one.lingers(silence) and one.over_at > back_at
            for one in others
        ):
            # Another connection of it is still held for alive: it is shown for as long as that.
            stay.clean = False
        last = found[-1] if found else None
        if (
            last is not None
            and last.hub == stay.hub
            and not last.clean
            and back_at < last.lingers(silence) - EDGE_SECONDS
        ):
            last.states += stay.states[stay.states[0][1] == last.states[-1][1] :]
            last.left_at, last.clean, last.over_at = stay.left_at, stay.clean, stay.over_at
        else:
            found.append(stay)
    return found
