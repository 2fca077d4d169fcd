"""Where the frames of a session go: to subscriptions, to waiting requests, to the counters."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Never, Protocol

from shipspeak.realtime.v1 import frame_pb2
from shipspeak_realtime.asking import Asking
from shipspeak_realtime.errors import InvalidRequestError, NetworkError
from shipspeak_realtime.pings import Pings
from shipspeak_realtime.presence import PresenceBook, is_about_presence
from shipspeak_realtime.quiet import QuietSubscription
from shipspeak_realtime.runs import Action
from shipspeak_realtime.wire import from_frame
from shipspeak_realtime.works import Works

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Callable

    from shipspeak.realtime.v1 import event_pb2
    from shipspeak_realtime.backoff import Backoff
    from shipspeak_realtime.clock import Clock
    from shipspeak_realtime.errors import RealtimeError
    from shipspeak_realtime.presence import PresenceReader
    from shipspeak_realtime.stats import Stats
    from shipspeak_realtime.subscription import Subscription
    from shipspeak_realtime.transport import SizedFrame

_log = logging.getLogger("shipspeak_realtime")


class Sender(Protocol):
    """What takes frames for the hub."""

    def send(self, frame: frame_pb2.ClientFrame) -> None:
        """Queue a frame."""
        ...


class Dispatcher:
    """All subscriptions of a client, over all its sessions.

    Args:
        stats: counts.
        clock: time.
        backoff: how long to wait before a topic that was refused for now is asked for again.
        on_progress: called when a subscription may have caught up or fallen behind.
        on_welcome: called at each Welcome.
        on_expiring: called when the hub asks for a new token.
    """

    def __init__(
        self,
        stats: Stats,
        clock: Clock,
        backoff: Backoff,
        *,
        on_progress: Callable[[], None],
        on_welcome: Callable[[frame_pb2.Welcome], None],
        on_expiring: Callable[[], None],
    ) -> None:
        self._stats, self._backoff = stats, backoff
        self._on_progress, self._on_welcome = on_progress, on_welcome
        self._on_expiring = on_expiring
        self._subscriptions: dict[str, Subscription] = {}
        self._asking = Asking(clock)
        self._pings = Pings(stats, clock)
        self.presence = PresenceBook()
        self._session: Sender | None = None
        self.works = Works(clock, self._next, self._send)
        self._last_request = 0

    # For the client

    def add(self, subscription: Subscription) -> None:
        """Start a subscription, now or with the next session.

        Raises:
            InvalidRequestError: ALREADY_SUBSCRIBED: a session carries a topic once.
        """
        topic = subscription.topic
        if isinstance(self._subscriptions.get(topic), QuietSubscription):
            # It makes room for one that is read.
            self._leave(topic)
        if topic in self._subscriptions:
            message = "this client reads the topic already: share that reader, or make a client"
            raise InvalidRequestError(message, reason="ALREADY_SUBSCRIBED", topic=topic)
        self._subscriptions[topic] = subscription
        self._subscribe(subscription)
        self.announce(topic)

    def remove(self, subscription: Subscription) -> None:
        """End a subscription."""
        if self._subscriptions.get(subscription.topic) is not subscription:
            return
        self._leave(subscription.topic)
        if self.presence.watched(subscription.topic):
            self.add(QuietSubscription(subscription.topic, self._stats))
        else:
            self.announce(subscription.topic)
        self._on_progress()

    def watch(self, reader: PresenceReader) -> None:
        """Start telling a reader the presence of its topic."""
        if not self.presence.add(reader):
            return
        subscription = self._subscriptions.get(reader.topic)
        if subscription is None:
            self.add(QuietSubscription(reader.topic, self._stats))
        else:
            self._resubscribe(subscription)

    def unwatch(self, reader: PresenceReader) -> None:
        """Stop telling it."""
        if not self.presence.remove(reader):
            return
        subscription = self._subscriptions.get(reader.topic)
        if isinstance(subscription, QuietSubscription):
            self.remove(subscription)
        elif subscription is not None:
            self._resubscribe(subscription)

    def announce(self, topic: str) -> None:
        """Say what is to be said of this client in a topic; an unsubscribe has taken it back."""
        if (wish := self.presence.wished(topic)) is not None:
            self._send(frame_pb2.ClientFrame(request_id=self._next(), presence=wish))

    @property
    def caught_up(self) -> bool:
        """Whether every subscription has what its log had at the last answer."""
        return not self._asking and all(
            subscription.caught_up for subscription in self._subscriptions.values()
        )

    def fail_all(self, error: RealtimeError) -> None:
        """End all subscriptions with an error."""
        for subscription in tuple(self._subscriptions.values()):
            subscription.fail(error)
        self._subscriptions.clear()
        self.works.fail_all(error)
        self.presence.fail_all(error)
        self.disconnected()

    def disconnected(self) -> None:
        """The session is over: nothing that was asked will be answered."""
        self._session = None
        self._asking.clear()
        self._pings.lost()
        self.works.disconnected()

    def ping(self) -> asyncio.Future[float]:
        """Send a Ping; the future gives the round trip in seconds.

        Raises:
            NetworkError: when there is no session.
        """
        if self._session is None:
            message = "not connected"
            raise NetworkError(message)
        nonce = self._next()
        self._send(frame_pb2.ClientFrame(ping=frame_pb2.Ping(nonce=nonce)))
        return self._pings.sent(nonce)

    def refresh_token(self, token: str) -> None:
        """Replace the session's token in place."""
        frame = frame_pb2.ClientFrame(request_id=self._next())
        frame.refresh_token.token = token
        self._send(frame)

    # For the session

    def welcome(self, welcome: frame_pb2.Welcome, session: Sender) -> None:
        """A session is open: subscribe all topics from where they stand."""
        self._session = session
        self._on_welcome(welcome)
        for wish in self.presence.wishes():
            self.announce(wish.topic)
        for subscription in self._subscriptions.values():
            self._subscribe(subscription)
        self.works.welcome()
        self._on_progress()

    def refuse(self, error: event_pb2.Error) -> Never:
        """The hub refused the session.

        Raises:
            RealtimeError: always.
        """
        raise from_frame(error)

    def received(self, sized: SizedFrame) -> None:
        """Count a frame."""
        self._stats.bytes_received += sized.size

    def control(self, frame: frame_pb2.ServerFrame) -> None:
        """Act on the statement of a frame."""
        match frame.WhichOneof("control"):
            case "subscribed":
                self._subscribed(frame.subscribed)
            case "unsubscribed":
                self._unsubscribed(frame.unsubscribed)
            case "error":
                self._error(frame.error)
            case "pong":
                self._pings.answered(frame.pong.nonce)
            case "presence":
                self.presence.take(frame.presence)
            case "session_expiring":
                self._on_expiring()
            case _:
                # Heartbeats live by having been heard; kinds of a later version are skipped.
                self.works.control(frame)

    def runs(self, frame: frame_pb2.ServerFrame) -> list[Subscription]:
        """Hand runs to their subscriptions; gives those whose queues are full now."""
        full = []
        for run in frame.runs:
            subscription = self._subscriptions.get(run.topic)
            if subscription is None or self._asking.waits(run.topic):
                # Left already, or the answer that says where we stand is still to come.
                continue
            if subscription.take(run) is Action.RESUBSCRIBE:
                self._stats.holes += 1
                _log.warning("hole in %s: subscribing again", run.topic)
                self._resubscribe(subscription)
            if subscription.full:
                full.append(subscription)
        if frame.runs:
            self._on_progress()
        return full

    # Inside

    def _next(self) -> int:
        self._last_request += 1
        return self._last_request

    def _send(self, frame: frame_pb2.ClientFrame) -> None:
        if self._session is not None:
            self._session.send(frame)

    def _subscribe(self, subscription: Subscription) -> None:
        if self._session is None:
            return
        request_id = self._next()
        self._asking.asked(subscription.topic, request_id)
        request = subscription.request()
        request.presence = self.presence.watched(subscription.topic)
        self._send(frame_pb2.ClientFrame(request_id=request_id, subscribe=request))

    def _resubscribe(self, subscription: Subscription) -> None:
        request = frame_pb2.Unsubscribe(topic=subscription.topic)
        self._send(frame_pb2.ClientFrame(request_id=self._next(), unsubscribe=request))
        self._subscribe(subscription)
        self.announce(subscription.topic)

    def _subscribed(self, answer: frame_pb2.Subscribed) -> None:
        subscription = self._subscriptions.get(answer.topic)
        asking, topic = self._asking, answer.topic
        replaced = asking.waits(topic) and not asking.is_latest(topic, answer.request_id)
        if subscription is None or replaced:
            # An answer to a question that a newer one has replaced.
            return
        asking.answered(topic)
        subscription.subscribed(answer)
        self._on_progress()

    def _unsubscribed(self, notice: frame_pb2.Unsubscribed) -> None:
        if not notice.HasField("error"):
            return
        subscription = self._subscriptions.get(notice.topic)
        if subscription is not None:
            self._fail(subscription, from_frame(notice.error))

    def _error(self, notice: event_pb2.Error) -> None:
        if notice.request_id and self.works.error(notice):
            return
        error = from_frame(notice)
        topic = notice.topic or self._asking.topic_of(notice.request_id)
        is_latest = self._asking.is_latest(topic, notice.request_id)
        subscription = self._subscriptions.get(topic)
        if is_about_presence(error) and not is_latest:
            # It answers what this client says of itself, or a token has taken the right.
            _log.warning("the presence in %s was refused: %s", topic, error)
            self.presence.forget(topic)
        elif subscription is None:
            _log.warning("the hub refused a request: %s", error)
        elif notice.request_id and not is_latest:
            # It answers a Subscribe that a newer one has replaced, or an Unsubscribe.
            _log.info("a request for %s was refused: %s", topic, error)
        else:
            self._fail(subscription, error)

    def _fail(self, subscription: Subscription, error: RealtimeError) -> None:
        """End a subscription, or ask again when the hub named a time for that."""
        topic = subscription.topic
        if is_about_presence(error) and self.presence.watched(topic):
            self.presence.fail(topic, error)
            if not isinstance(subscription, QuietSubscription):
                # Reading goes on without it.
                self._subscribe(subscription)
                return
        # Refused from the start, it is unknown to the hub; later on, that is not sure.
        ask = self._subscribe if self._asking.waits(topic) else self._resubscribe
        if error.reason == "CURSOR_INVALID" and subscription.forget_place():
            _log.warning("the hub cannot read its own cursor of %s any more: starting over", topic)
            ask(subscription)
            return
        if error.retry_after is None:
            self._drop(topic)
            self.presence.fail(topic, error)
            subscription.fail(error)
            self._on_progress()
            return
        if topic in self._asking.later:
            return
        delay = self._backoff.hint(error.retry_after)
        _log.info("%s is refused for now (%s), again in %.1f s", topic, error, delay)
        self._asking.again(topic, delay, lambda: ask(subscription))
        self._on_progress()

    def _leave(self, topic: str) -> None:
        self._drop(topic)
        request = frame_pb2.Unsubscribe(topic=topic)
        self._send(frame_pb2.ClientFrame(request_id=self._next(), unsubscribe=request))

    def _drop(self, topic: str) -> None:
        self._subscriptions.pop(topic, None)
        self._asking.forget(topic)
