"""A register of open events in memory, as an engine keeps it, for the queue's tests."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from hub.engine.work import OpenItem, Ruling, Settlement, Taken

if TYPE_CHECKING:
    from hub.work.items import Take


@dataclass
class Logged:
    """One event of the shard's log."""

    ref: int
    topic: str
    offset: int
    attempts: int = 0
    not_before_ms: int = 0
    state: str = "behind"  # the place; then open, done, dead, expired; past = before the place
    expires_ms: int = 0


@dataclass
class Register:
    """One shard."""

    span: int = 1_000
    log: list[Logged] = field(default_factory=list)

    def publish(self, topic: str) -> Logged:
        offset = 1 + sum(one.topic == topic for one in self.log)
        logged = Logged(len(self.log) + 1, topic, offset)
        self.log.append(logged)
        return logged

    def of(self, ref: int) -> Logged:
        return self.log[ref - 1]

    def items(self) -> list[OpenItem]:
        return [_item(one) for one in self.log if one.state == "open"]

    def take(self, take: Take, fit: int = 1_000, now_ms: int = 0) -> Taken:
        """Answer a Take; at most ``fit`` events are handed out."""
        open_refs = [one.ref for one in self.log if one.state == "open"]
        behind = [one for one in self.log if one.state == "behind"]
        newest = max((one.ref for one in self.log if one.state != "behind"), default=0)
        room = self.span - (newest - open_refs[0] + 1 if open_refs else 0)
        fresh = behind[: min(take.fresh, max(0, room))]
        for one in fresh:
            one.state = "open"
        asked = [self.of(ref) for ref in take.again] + (fresh if take.hand_out else [])
        handed_out = []
        expired = [one for one in asked if one.state == "open" and 0 < one.expires_ms <= now_ms]
        for one in expired:
            one.state = "expired"
        for one in asked[:fit]:
            if one.state == "open":
                one.attempts += one.ref not in take.uncounted
                handed_out.append((_item(one), f"{one.topic}#{one.offset}".encode()))
        out = {item.ref for item, _ in handed_out}
        full = bool(take.fresh) and len(fresh) < min(take.fresh, len(behind))
        return Taken(
            handed_out,
            [_item(one) for one in fresh if one.ref not in out and one.state == "open"],
            [ref for ref in take.again if self.of(ref).state != "open"],
            len(expired),
            bool(take.fresh) and len(fresh) < len(behind),
            full,
        )

    def settle(self, settlements: tuple[Settlement, ...]) -> list[bool]:
        return [self._settle(one) for one in settlements]

    def _settle(self, settlement: Settlement) -> bool:
        logged = self.of(settlement.ref)
        if logged.state != "open":
            return False
        if settlement.ruling in (Ruling.BACK, Ruling.GIVEN_BACK):
            logged.attempts -= settlement.ruling is Ruling.GIVEN_BACK
            logged.not_before_ms = settlement.not_before_ms
        else:
            logged.state = "done" if settlement.ruling is Ruling.DONE else "dead"
        return True


def _item(one: Logged) -> OpenItem:
    return OpenItem(one.ref, one.topic, one.offset, one.attempts, one.not_before_ms, one.expires_ms)
