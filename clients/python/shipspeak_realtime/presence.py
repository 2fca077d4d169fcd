"""Who is in a topic: members, a watcher's merged state, and what this client says of itself."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Literal, Self, TypeAlias

from shipspeak.realtime.v1 import frame_pb2
from shipspeak_realtime.errors import ClosedError, RealtimeError
from shipspeak_realtime.loops import Loop

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Mapping

    from shipspeak.realtime.v1 import realtime_service_pb2

PresenceState: TypeAlias = Literal["online", "active", "away", "offline"]

_STATES: dict[PresenceState, frame_pb2.PresenceState.ValueType] = {
    "online": frame_pb2.PRESENCE_STATE_ONLINE,
    "active": frame_pb2.PRESENCE_STATE_ACTIVE,
    "away": frame_pb2.PRESENCE_STATE_AWAY,
    "offline": frame_pb2.PRESENCE_STATE_OFFLINE,
}
_NAMES: dict[int, PresenceState] = {number: name for name, number in _STATES.items()}


@dataclass(frozen=True, slots=True)
class Member:
    """One member of a topic.

    Attributes:
        user: who, as the hub authenticated it.
        client_id: of which running client.
        state: its own word; a state of a later version reads as "online".
        metadata: facts for display.
        since: present without a break since then.
    """

    user: str
    client_id: str
    state: PresenceState
    metadata: Mapping[str, str]
    since: datetime

    @classmethod
    def of(cls, message: frame_pb2.PresenceMember) -> Member:
        """From the contract's message."""
        return cls(
            message.user,
            message.client_id,
            _NAMES.get(message.state, "online"),
            dict(message.metadata),
            message.since.ToDatetime(UTC),
        )


@dataclass(frozen=True, slots=True)
class Members:
    """Who is in a topic at one moment.

    Attributes:
        topic: its name.
        members: all of them, by user and client_id; of `read_presence` those of one page.
        sessions: how many there are.
        users: distinct users.
        listed: False above 100 members, where a watcher is told the counts only.
        next_page: of `read_presence`: token of the next page; empty = the last one.
    """

    topic: str
    members: tuple[Member, ...] = ()
    sessions: int = 0
    users: int = 0
    listed: bool = True
    next_page: str = ""


def members_of_page(
    topic: str, answer: realtime_service_pb2.ReadPresenceResponse, *, counts_only: bool
) -> Members:
    """The answer of ReadPresence."""
    return Members(
        topic,
        tuple(Member.of(member) for member in answer.members),
        answer.sessions,
        answer.users,
        listed=not counts_only,
        next_page=answer.next_page,
    )


@dataclass(slots=True)
class Merged:
    """A topic's presence, put together from full states and changes."""

    topic: str
    _by_key: dict[tuple[str, str], Member] = field(default_factory=dict)

    def take(self, frame: frame_pb2.PresenceFrame) -> Members:
        """Apply a frame; the state behind it."""
        if frame.full:
            self._by_key.clear()
        for message in frame.members:
            key = (message.user, message.client_id)
            if message.state == frame_pb2.PRESENCE_STATE_OFFLINE:
                self._by_key.pop(key, None)
            else:
                self._by_key[key] = Member.of(message)
        listed = len(self._by_key) == frame.sessions
        members = tuple(self._by_key[key] for key in sorted(self._by_key)) if listed else ()
        return Members(self.topic, members, frame.sessions, frame.users, listed=listed)


class PresenceReader:
    """The presence of one topic, for ever; made by `RealtimeClient.presence`.

    `async for members in reader` gives the whole state after each change; states that nobody took
    in time are passed over. It goes on through lost connections. Iteration raises the hub's
    refusal, and `ClosedError` when the client is closed. Leaving the block or calling `close` ends
    it.
    """

    def __init__(
        self,
        topic: str,
        on_open: Callable[[PresenceReader], None],
        on_close: Callable[[PresenceReader], None],
    ) -> None:
        self.topic = topic
        self._on_open, self._on_close = on_open, on_close
        self._latest: Members | None = None
        self._error: RealtimeError | None = None
        self._changed = asyncio.Event()
        self._opened = self._closed = self._managed = False

    async def __aenter__(self) -> Self:
        """Start watching; the block's end stops it."""
        self._managed = True
        self._open()
        return self

    async def __aexit__(self, *_: object) -> None:
        self.close()

    def __aiter__(self) -> AsyncIterator[Members]:
        """The state, and again after each change.

        Raises:
            ClosedError: the reader has ended.
        """
        self._open()
        return Loop(self.next, None if self._managed else self.close)

    async def next(self) -> Members:
        """The state when it has changed.

        Raises:
            StopAsyncIteration: the reader was closed.
            RealtimeError: what ended it.
        """
        await self._changed.wait()
        self._changed.clear()
        if self._error is not None:
            self._changed.set()
            raise self._error
        if self._closed or self._latest is None:
            self._changed.set()
            raise StopAsyncIteration
        return self._latest

    def close(self) -> None:
        """Stop watching."""
        if self._closed:
            return
        self._closed = True
        self._latest = None
        self._changed.set()
        if self._opened:
            self._on_close(self)

    def _open(self) -> None:
        if self._error is not None:
            raise self._error
        if self._closed:
            message = "this reader of a topic's presence was closed"
            raise ClosedError(message, topic=self.topic)
        if not self._opened:
            self._on_open(self)
            self._opened = True

    # For the dispatcher

    def take(self, members: Members) -> None:
        """The topic's presence is this now."""
        if not self._closed:
            self._latest = members
            self._changed.set()

    def fail(self, error: RealtimeError) -> None:
        """It has ended by an error."""
        self._closed = True
        self._error = error
        self._changed.set()


class PresenceBook:
    """What a client says of itself, and who of it watches what; over all its sessions."""

    def __init__(self) -> None:
        self._wishes: dict[str, frame_pb2.SetPresence] = {}
        self._readers: dict[str, set[PresenceReader]] = {}
        self._merged: dict[str, Merged] = {}
        self._latest: dict[str, Members] = {}

    def wish(
        self, topic: str, state: PresenceState, metadata: Mapping[str, str] | None
    ) -> frame_pb2.SetPresence:
        """Keep what is said of this client until it is "offline"; ValueError for another state."""
        if state not in _STATES:
            message = f"presence is one of {', '.join(_STATES)}, and not {state!r}"
            raise ValueError(message)
        request = frame_pb2.SetPresence(topic=topic, state=_STATES[state], metadata=metadata or {})
        if state == "offline":
            self._wishes.pop(topic, None)
        else:
            self._wishes[topic] = request
        return request

    def wished(self, topic: str) -> frame_pb2.SetPresence | None:
        """What is to be said in a topic."""
        return self._wishes.get(topic)

    def wishes(self) -> list[frame_pb2.SetPresence]:
        """All that is to be said."""
        return list(self._wishes.values())

    def forget(self, topic: str) -> None:
        """The hub does not allow it: say it no more."""
        self._wishes.pop(topic, None)

    def watched(self, topic: str) -> bool:
        """Whether somebody watches a topic."""
        return topic in self._readers

    def add(self, reader: PresenceReader) -> bool:
        """A reader begins; whether it is the topic's first."""
        readers = self._readers.setdefault(reader.topic, set())
        readers.add(reader)
        if (latest := self._latest.get(reader.topic)) is not None:
            reader.take(latest)
        return len(readers) == 1

    def remove(self, reader: PresenceReader) -> bool:
        """A reader ends; whether it was the topic's last."""
        readers = self._readers.get(reader.topic)
        if readers is None or reader not in readers:
            return False
        readers.discard(reader)
        if readers:
            return False
        self._drop(reader.topic)
        return True

    def take(self, frame: frame_pb2.PresenceFrame) -> None:
        """Tell all who watch the topic."""
        readers = self._readers.get(frame.topic)
        if readers is None:
            return
        if not frame.full and frame.topic not in self._merged:
            # The full state comes first; this is of a subscription that has ended.
            return
        merged = self._merged.setdefault(frame.topic, Merged(frame.topic))
        latest = self._latest[frame.topic] = merged.take(frame)
        for reader in readers:
            reader.take(latest)

    def fail(self, topic: str, error: RealtimeError) -> None:
        """End all who watch a topic."""
        for reader in self._drop(topic):
            reader.fail(error)

    def fail_all(self, error: RealtimeError) -> None:
        """End all readers."""
        for topic in tuple(self._readers):
            self.fail(topic, error)

    def _drop(self, topic: str) -> set[PresenceReader]:
        self._merged.pop(topic, None)
        self._latest.pop(topic, None)
        return self._readers.pop(topic, set())


def is_about_presence(error: RealtimeError) -> bool:
    """Whether the hub refused the presence, and not the topic."""
    about_right = error.reason == "RIGHT_MISSING" and error.metadata.get("right") == "presence"
    return about_right or error.reason == "PRESENCE_NOT_ALLOWED"
