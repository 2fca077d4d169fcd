"""The connection manager: keeps one session open, for ever, by the table in states.py."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING

from shipspeak_realtime.changes import Changes, ConnectionChange
from shipspeak_realtime.dispatch import Dispatcher
from shipspeak_realtime.endings import Ending, wait_after
from shipspeak_realtime.errors import AuthError, ClosedError, NetworkError, RealtimeError
from shipspeak_realtime.session import Identity, Session
from shipspeak_realtime.states import Effect, Input, State, step
from shipspeak_realtime.transport import CONNECT_TIMEOUT_SECONDS, bearer

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from shipspeak.realtime.v1 import frame_pb2
    from shipspeak_realtime.backoff import Backoff
    from shipspeak_realtime.clock import Clock
    from shipspeak_realtime.presence import PresenceBook, PresenceReader
    from shipspeak_realtime.stats import Stats
    from shipspeak_realtime.subscription import Subscription
    from shipspeak_realtime.tokens import TokenSource
    from shipspeak_realtime.transport import Transport
    from shipspeak_realtime.work import Work
    from shipspeak_realtime.works import Works

_log = logging.getLogger("shipspeak_realtime")

_ENDED = frozenset({"TOKEN_EXPIRED", "SESSION_EXPIRED"})


class Connection:
    """Keeps a session open from the first need until close."""

    def __init__(
        self,
        transport: Transport,
        tokens: TokenSource,
        identity: Identity,
        *,
        stats: Stats,
        clock: Clock,
        backoff: Backoff,
    ) -> None:
        self._transport, self._tokens, self._identity = transport, tokens, identity
        self._stats, self._clock, self._backoff = stats, clock, backoff
        self._dispatcher = Dispatcher(
            stats,
            clock,
            backoff,
            on_progress=self._on_progress,
            on_welcome=self._on_welcome,
            on_expiring=self._on_expiring,
        )
        self.state = State.IDLE
        self.welcome: frame_pb2.Welcome | None = None
        self._error: RealtimeError | None = None
        self._delay = 0.0
        self._live_since: float | None = None
        self._token: str | None = None
        self._token_was_refused = False
        self._supervisor: asyncio.Task[None] | None = None
        self._refreshing: asyncio.Task[None] | None = None
        self._changes = Changes()
        self._sessions = 0

    # For the client

    def open(self, subscription: Subscription) -> None:
        """Start a subscription, and the connection where it is not running."""
        self._check_open()
        self._dispatcher.add(subscription)
        self.start()

    def _check_open(self) -> None:
        if self.state is State.CLOSED:
            message = "the client was closed"
            raise ClosedError(message)

    def open_work(self, work: Work) -> Works:
        """Start a membership, and the connection where it is not running.

        Raises:
            ClosedError: the client was closed.
            InvalidRequestError: ALREADY_SUBSCRIBED.
        """
        self._check_open()
        self._dispatcher.works.add(work)
        self.start()
        return self._dispatcher.works

    def forget(self, subscription: Subscription) -> None:
        """End a subscription."""
        self._dispatcher.remove(subscription)

    def watch(self, reader: PresenceReader) -> None:
        """Start telling a reader the presence of its topic."""
        self._check_open()
        self._dispatcher.watch(reader)
        self.start()

    def unwatch(self, reader: PresenceReader) -> None:
        """Stop telling it."""
        self._dispatcher.unwatch(reader)

    @property
    def presence(self) -> PresenceBook:
        """What this client says of itself."""
        return self._dispatcher.presence

    def announce(self, topic: str) -> None:
        """Say on the session what is to be said in a topic; the next session says it too."""
        self._check_open()
        self._dispatcher.announce(topic)
        self.start()

    @property
    def session_id(self) -> str:
        """Of the session that is open; empty when there is none."""
        if self.welcome is None or self.state not in (State.SYNCING, State.LIVE):
            return ""
        return self.welcome.session_id

    def start(self) -> None:
        """Connect, unless that is under way."""
        if self._supervisor is not None and not self._supervisor.done():
            return  # also where it needs a token: it asks again by itself
        if self.state in (State.IDLE, State.NEEDS_AUTH, State.FAILED):
            effect = self._step(Input.START)
            self._supervisor = asyncio.create_task(self._supervise(effect), name="realtime")

    async def ping(self) -> float:
        """One round trip in seconds.

        Raises:
            NetworkError: when not connected, or without an answer for 10 s.
        """
        try:
            async with asyncio.timeout(CONNECT_TIMEOUT_SECONDS):
                return await self._dispatcher.ping()
        except TimeoutError as error:
            message = "no answer to the ping"
            raise NetworkError(message) from error

    def changes(self) -> AsyncIterator[ConnectionChange]:
        """Every change of state from this call on; ends with the client."""
        return self._changes.listen(ended=self.state is State.CLOSED)

    async def close(self) -> None:
        """Say nothing more, end the stream and all subscriptions."""
        await self._dispatcher.works.left()
        self._step(Input.CLOSE)
        tasks = [task for task in (self._supervisor, self._refreshing) if task is not None]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        self._dispatcher.fail_all(ClosedError("the client was closed"))
        self._changes.end()

    # The supervisor

    async def _supervise(self, effect: Effect) -> None:
        try:
            await self._follow(effect)
        except Exception as error:  # noqa: BLE001 - logged, and told to all subscriptions
            _log.exception("the connection manager failed")
            fault = RealtimeError(f"a fault of the SDK: {error!r}")
            fault.__cause__ = error
            # A later subscription starts the connection again instead of waiting for nobody.
            self._step(Input.FATAL, fault)
            self._dispatcher.fail_all(fault)

    async def _follow(self, effect: Effect) -> None:
        while True:
            match effect:
                case Effect.GET_TOKEN:
                    effect = await self._get_token()
                case Effect.OPEN_STREAM:
                    effect = await self._hold_session()
                case Effect.WAIT:
                    await self._clock.sleep(self._delay)
                    effect = self._step(Input.TIMER)
                case Effect.FAIL_SUBSCRIPTIONS:
                    error = self._error or NetworkError("the connection failed")
                    _log.error("the connection gave up: %s", error)
                    self._dispatcher.fail_all(error)
                    return
                case _:
                    return

    async def _get_token(self) -> Effect:
        """A fresh token before every session: the old one may have run out meanwhile."""
        try:
            self._token = await self._tokens.renew()
        except AuthError as error:
            return self._step(Input.NO_TOKEN, error)
        except RealtimeError as error:
            _log.warning("no token: %s", error)
            self._delay = self._backoff.retry()
            return self._step(Input.TOKEN_FAILED, error)
        return self._step(Input.TOKEN)

    async def _hold_session(self) -> Effect:
        self._live_since = None
        call = self._transport.connect(bearer(self._token))
        session = Session(call, self._dispatcher, self._clock, self._backoff.spread)
        try:
            ending = await session.run(self._identity, token_was_refused=self._token_was_refused)
        finally:
            self._dispatcher.disconnected()
        if session.silent:
            self._transport.renew()
        return self._ended(ending)

    def _ended(self, ending: Ending) -> Effect:
        happened = ending.happened
        if happened is Input.TOKEN_REFUSED and not self._tokens.renewable:
            happened = Input.TOKEN_REFUSED_AGAIN
        elif happened is Input.TOKEN_REFUSED_AGAIN and _has_ended(ending):
            # A cache that lags behind the end of its token, or a clock that is wrong.
            happened = Input.TOKEN_ENDED_AGAIN
            self._delay = self._backoff.retry()
            _log.warning("%s; the next token in %.2f s", ending.error, self._delay)
        self._token_was_refused = happened in (Input.TOKEN_REFUSED, Input.TOKEN_ENDED_AGAIN)
        now = self._clock.monotonic()
        if happened in (Input.LOST, Input.GO_AWAY):
            live = None if self._live_since is None else now - self._live_since
            self._delay = wait_after(ending, self._backoff, live_seconds=live, now=now)
            _log.info("connection lost (%s), again in %.2f s", ending.error, self._delay)
        return self._step(happened, ending.error)

    # What the session tells

    def _on_welcome(self, welcome: frame_pb2.Welcome) -> None:
        self.welcome = welcome
        self._token_was_refused = False
        self._sessions += 1
        if self._sessions > 1:
            self._stats.reconnects += 1
        self._live_since = self._clock.monotonic()
        self._step(Input.WELCOME)

    def _on_progress(self) -> None:
        caught_up = self._dispatcher.caught_up
        if caught_up and self.state is State.SYNCING:
            self._step(Input.CAUGHT_UP)
        elif not caught_up and self.state is State.LIVE:
            self._step(Input.BEHIND)

    def _on_expiring(self) -> None:
        if not self._tokens.renewable:
            # The hub has this token already: it ends when it ends.
            return
        if self._refreshing is None or self._refreshing.done():
            self._refreshing = asyncio.create_task(self._refresh(), name="realtime-token")

    async def _refresh(self) -> None:
        try:
            token = await self._tokens.renew()
        except RealtimeError as error:
            # The session ends at its time, and the next one asks again.
            _log.warning("no new token for the running session: %s", error)
            return
        if token is not None:
            self._token = token
            self._dispatcher.refresh_token(token)

    def _step(self, happened: Input, error: RealtimeError | None = None) -> Effect:
        previous = self.state
        self.state, effect = step(previous, happened)
        if error is not None:
            self._error = error
        if self.state is not previous:
            retry_in = self._delay if effect is Effect.WAIT else None
            self._changes.tell(ConnectionChange(self.state, previous, error, retry_in))
        return effect


def _has_ended(ending: Ending) -> bool:
    """The token was good once: a newer one may be, too."""
    return ending.error is not None and ending.error.reason in _ENDED
