"""What a run knows of presence: who was there, and what watchers were shown. Times in seconds."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Life:
    """One member in one topic, from its join to its end; a return within the grace goes on.

    Attributes:
        topic: where.
        member: its name.
        joined_at: when the hub had taken its word.
        states: (when, state) of each word, in order.
        left_at: when it left, or was last heard of; None = it is there.
        clean: it left by its own word; else it fell silent.
    """

    topic: str
    member: str
    joined_at: float
    states: tuple[tuple[float, str], ...]
    left_at: float | None = None
    clean: bool = True


@dataclass(frozen=True, slots=True)
class Shown:
    """What a watcher held from one moment on.

    Attributes:
        at: when.
        members: state by member; None = counts only.
        sessions: how many the hub said there are.
    """

    at: float
    members: dict[str, str] | None
    sessions: int


@dataclass(slots=True)
class Viewer:
    """One watcher of one topic, from its subscribe to its end.

    Attributes:
        name: of the watcher.
        topic: what it watched.
        began_at: when it subscribed.
        until: when it was looked at for the last time.
        shown: in order.
    """

    name: str
    topic: str
    began_at: float
    until: float
    shown: list[Shown] = field(default_factory=list)


@dataclass(slots=True)
class Presence:
    """All of a run.

    Attributes:
        heartbeat: seconds.
        prompt: seconds within which a word reaches watchers, with the grain of the hub's clock.
        lives: of members.
        viewers: of topics.
    """

    heartbeat: float = 20.0
    prompt: float = 1.0
    lives: list[Life] = field(default_factory=list)
    viewers: list[Viewer] = field(default_factory=list)
