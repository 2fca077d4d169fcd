"""What a seed stands for: topics, policies, people and mishaps, all drawn from it."""

from __future__ import annotations

from dataclasses import dataclass
from random import Random

from hub.topics.namespaces import CONTROL, DEAD, PERSONAL, Namespace, TopicClass

_PAYLOADS = frozenset({"other", "notification"})
ROOMY = 10_000
AGES = (3600.0, 3600.0, 8.0)
PACES = (0.12, 0.35, 0.7)
# Lifetimes of tokens, and how much of that has gone when a client asks for a new one. Above 1 its
# cache lags, and it is without a right for longer than the hub may take to notice (G10).
TOKENS = (3600.0, 3600.0, 3600.0, 3.0)
KEPT = (0.3, 0.6, 4.0)
STARTS = ("earliest", "earliest", "latest", "snapshot", "snapshot")
POLL_PAUSES = (0.0, 0.2, 1.0)
RING_BYTES = (1 << 20, 1 << 16, 1 << 13)
HEARTBEATS = (1.0, 2.0, 4.0)
# What runs beside the streams; a seed has one of these, or two. So many read
# streams all the time; one more changes its transport, or polls.
KINDS = ("work", "presence", "schedule", "inbox", "removal")
READERS = (1, 2)
MISHAPS = (
    *("kill", "kill", "kill before commit", "kill after commit", "power loss"),
    *("cut", "cut", "freeze", "half-open", "half-open", "slow disk", "full disk"),
)


@dataclass(frozen=True, slots=True)
class Mishap:
    """Something goes wrong.

    Attributes:
        at: seconds after the beginning.
        kind: one of MISHAPS, or "lose a file".
        seconds: how long it lasts, where it lasts.
    """

    at: float
    kind: str
    seconds: float


@dataclass(frozen=True, slots=True)
class Reading:
    """How one reader reads.

    Attributes:
        name: of the reader.
        way: "connect" (the SDK), "listen", "poll", or "mover": each in turn.
        start: "earliest" or "latest"; of the SDK also "snapshot", where the namespace conflates.
        pause: seconds that the application takes for an event, at most.
        stall: it reads nothing between these seconds.
        conflate: where the namespace allows it.
        token_seconds: lifetime of its tokens.
        token_kept: the part of that after which it asks for a new one.
        poll_pause: seconds between two polls, at most.
    """

    name: str
    way: str
    start: str
    pause: float
    stall: tuple[float, float]
    conflate: bool
    token_seconds: float
    token_kept: float
    poll_pause: float


@dataclass(frozen=True, slots=True)
class Plan:
    """All choices of one simulation that are made beforehand.

    Attributes:
        kinds: of KINDS.
    """

    seed: int
    seconds: float
    heartbeat: float
    shards: int
    ring_bytes: int
    topics: tuple[str, ...]
    namespaces: tuple[Namespace, ...]
    writers: int
    writers_token: tuple[float, float]
    pace: float
    big: float
    readings: tuple[Reading, ...]
    mishaps: tuple[Mishap, ...]
    delay: float
    unary_faults: float
    kinds: tuple[str, ...]


def draw(seed: int) -> Plan:
    """The plan of a seed."""
    random = Random(seed)  # noqa: S311 - to be repeated, not to be secret
    seconds = random.uniform(6, 12)
    mishaps = [_mishap(random, seconds) for _ in range(random.randrange(2, 7))]
    if random.random() < 0.4:
        mishaps.append(Mishap(random.uniform(3, seconds), "lose a file", random.uniform(0.1, 1.5)))
    few = random.choice((4, 8, 15, 40))
    kinds = random.sample(KINDS, random.choice((1, 1, 1, 2)))
    if "work" in kinds:
        # With a shard's file goes its register: what was owed to workers then nobody can tell.
        mishaps = [mishap for mishap in mishaps if mishap.kind != "lose a file"]
    ways = random.sample(
        [("connect", "connect"), ("slow", "connect"), ("listen", "listen")], random.choice(READERS)
    )
    ways.append(("mover", random.choice(("mover", "poll"))))
    return Plan(
        seed,
        seconds,
        random.choice(HEARTBEATS),
        shards=2,
        ring_bytes=random.choice(RING_BYTES),
        topics=("meeting/1", "meeting/2", "brief/3", "inbox/4"),
        namespaces=(
            _namespace("meeting", ROOMY, random.choice(AGES), conflation=True),
            _namespace("brief", few, random.choice(AGES), conflation=True),
            _namespace("inbox", ROOMY, 3600.0, conflation=False),
            _namespace("work", ROOMY, 3600.0, conflation=False),
            _namespace(DEAD, ROOMY, 3600.0, conflation=False),
            _namespace(CONTROL, ROOMY, 3600.0, conflation=False),
            _namespace(PERSONAL, ROOMY, 3600.0, conflation=False),
        ),
        writers=2,
        writers_token=(random.choice(TOKENS), random.choice(KEPT)),
        pace=random.choice(PACES),
        big=random.choice((0.0, 0.1, 0.4)),
        readings=tuple(_reading(random, name, way, seconds) for name, way in ways),
        mishaps=tuple(sorted(mishaps, key=lambda mishap: mishap.at)),
        delay=random.choice((0.002, 0.02, 0.1)),
        unary_faults=random.choice((0.0, 0.05, 0.15)),
        kinds=tuple(kinds),
    )


def _mishap(random: Random, seconds: float) -> Mishap:
    at, kind = random.uniform(1, seconds), random.choice(MISHAPS)
    return Mishap(at, kind, random.choice((0.3, 1.0, 4.0)) * random.uniform(0.5, 1.5))


def _namespace(name: str, max_events: int, max_age: float, *, conflation: bool) -> Namespace:
    kept = TopicClass(name, durable=True, max_events=max_events, max_age=max_age)
    return Namespace(name, kept, _PAYLOADS, conflation=conflation)


def _reading(random: Random, name: str, way: str, seconds: float) -> Reading:
    begin = random.uniform(0, seconds)
    slow = name == "slow"
    length = random.uniform(2, 8) if slow else 0.0
    return Reading(
        name,
        way,
        random.choice(STARTS if way == "connect" else STARTS[:3]),
        random.choice((0.0, 0.05, 0.3)) if slow else 0.0,
        (begin, begin + length),
        conflate=slow and random.random() < 0.7,
        token_seconds=random.choice(TOKENS),
        token_kept=random.choice(KEPT),
        poll_pause=random.choice(POLL_PAUSES),
    )
