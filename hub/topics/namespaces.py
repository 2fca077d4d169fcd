"""Namespaces: the policy of every topic of one kind.

A namespace names its class (retention and durability), the payload types it allows, whether
conflation may drop superseded events for receivers that lag, and whether there is presence. An
unknown kind is an error, so that a typing mistake fails loudly.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from hub.errors import InvalidArgument, NotFound
from hub.topics.grammar import namespace_of
from shipspeak.realtime.v1 import error_reason_pb2

if TYPE_CHECKING:
    from collections.abc import Iterable

# Inboxes: user/<id> and what lies below is that one user's.
PERSONAL = "user"
# Dead letters: dead/<namespace of the event>.
DEAD = "dead"
# The hub's own books, which administrators alone read: revocations, the audit.
CONTROL = "control"
AUDIT = f"{CONTROL}/audit"
_DAY = 86_400.0


@dataclass(frozen=True, slots=True)
class TopicClass:
    """Retention and durability of topics.

    Attributes:
        name: of the class.
        durable: False = volatile: no log, no offsets, no resume.
        max_events: newest events promised per topic, unless they are older than ``max_age``;
            receipts do not count.
        max_age: seconds that an event is kept.
    """

    name: str
    durable: bool
    max_events: int
    max_age: float


LIVE = TopicClass("live", durable=True, max_events=10_000, max_age=7 * _DAY)
INBOX = TopicClass("inbox", durable=True, max_events=1_000, max_age=30 * _DAY)
# Nobody reads them until somebody looks: one bad deploy must not push out those of the last one.
DEAD_LETTERS = TopicClass("dead", durable=True, max_events=10_000, max_age=30 * _DAY)
# What the hub itself must know for as long as any token may live, and nobody says how long that is.
CONTROL_EVENTS = TopicClass(
    "control", durable=True, max_events=10_000_000, max_age=100 * 365 * _DAY
)
# Of the audit: with every call of an administrator in it, it cannot grow for ever.
AUDIT_EVENTS = TopicClass("audit", durable=True, max_events=100_000, max_age=400 * _DAY)
VOLATILE = TopicClass("volatile", durable=False, max_events=0, max_age=0)


@dataclass(frozen=True, slots=True)
class Namespace:
    """The policy of one kind of topics.

    Attributes:
        name: the kind.
        topic_class: retention and durability.
        payloads: names of the Content.payload fields that may be published.
        conflation: whether events with a key may supersede each other for a receiver that lags.
        hub_only: only the hub itself publishes there.
        presence: whether sessions can be seen in its topics.
        public: whether anybody may read its topics, without a token.
    """

    name: str
    topic_class: TopicClass
    payloads: frozenset[str]
    conflation: bool
    hub_only: bool = False
    presence: bool = True
    public: bool = False

    @property
    def personal(self) -> bool:
        """Whether its topics are each one user's own."""
        return self.name == PERSONAL


def is_control(topic: str) -> bool:
    """Whether a topic, or a pattern with a kind, is of the hub's own books."""
    return topic.startswith(f"{CONTROL}/")


DEFAULT_NAMESPACES = (
    Namespace("meeting", LIVE, frozenset({"meeting", "metrics", "other"}), conflation=True),
    Namespace("practice", LIVE, frozenset({"practice", "metrics", "other"}), conflation=True),
    Namespace(PERSONAL, INBOX, frozenset({"notification", "metrics", "other"}), conflation=False),
    Namespace("group", INBOX, frozenset({"notification", "other"}), conflation=False),
    # Everybody is in system/all: a crowd that nobody needs to see.
    Namespace(
        name="system",
        topic_class=LIVE,
        payloads=frozenset({"notification", "metrics", "other"}),
        conflation=False,
        presence=False,
    ),
    # For everybody, signed in or not: what a status page or a login page shows.
    Namespace(
        name="public",
        topic_class=LIVE,
        payloads=frozenset({"notification", "metrics", "other"}),
        conflation=True,
        presence=False,
        public=True,
    ),
    Namespace("signal", VOLATILE, frozenset({"practice", "metrics", "other"}), conflation=False),
    Namespace(
        name=DEAD,
        topic_class=DEAD_LETTERS,
        payloads=frozenset({"other"}),
        conflation=False,
        hub_only=True,
        presence=False,
    ),
    Namespace(
        name=CONTROL,
        topic_class=CONTROL_EVENTS,
        payloads=frozenset({"other"}),
        conflation=False,
        hub_only=True,
        presence=False,
    ),
)


class Namespaces:
    """All namespaces of a hub.

    Args:
        namespaces: all of them.
        inbox_events: newest events promised per inbox.
    """

    def __init__(
        self,
        namespaces: Iterable[Namespace] = DEFAULT_NAMESPACES,
        *,
        inbox_events: int = INBOX.max_events,
    ) -> None:
        inbox = replace(INBOX, max_events=inbox_events)
        self._by_name = {
            namespace.name: replace(namespace, topic_class=inbox)
            if namespace.topic_class is INBOX
            else namespace
            for namespace in namespaces
        }
        control = self._by_name.get(CONTROL)
        self._audit = control and replace(control, topic_class=AUDIT_EVENTS)

    def of(self, topic: str) -> Namespace:
        """The namespace of a topic.

        Raises:
            InvalidArgument: TOPIC_INVALID, for a name that breaks the grammar.
            NotFound: NAMESPACE_UNKNOWN.
        """
        if topic == AUDIT and self._audit is not None:
            return self._audit
        return self.named(namespace_of(topic), topic)

    def named(self, name: str, topic: str) -> Namespace:
        """A namespace by its name; ``topic`` is what the error is about.

        Raises:
            NotFound: NAMESPACE_UNKNOWN.
        """
        namespace = self._by_name.get(name)
        if namespace is None:
            raise NotFound(
                error_reason_pb2.ERROR_REASON_NAMESPACE_UNKNOWN,
                f"there is no namespace {name!r} here; "
                f"there are {', '.join(sorted(self._by_name))}",
                topic=topic,
                namespace=name,
            )
        return namespace

    def require_presence(self, topic: str) -> None:
        """Check that a topic has presence.

        Raises:
            InvalidArgument: TOPIC_INVALID, or PRESENCE_NOT_ALLOWED.
            NotFound: NAMESPACE_UNKNOWN.
        """
        namespace = self.of(topic)
        if not namespace.presence:
            raise InvalidArgument(
                error_reason_pb2.ERROR_REASON_PRESENCE_NOT_ALLOWED,
                f"{namespace.name} topics have no presence",
                topic=topic,
            )
