"""One connection with one stream on it: the client's end, the hub's end, and what lies between."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Any

from tests.simulation.hub_end import HubEnd
from tests.simulation.stream import ClientCall

if TYPE_CHECKING:
    from collections.abc import Callable

    from hub.session.sink import Caller
    from tests.simulation.network import Client, Network

BUFFERS = (16_384, 65_536, 1_048_576)
WRITE_SECONDS = 0.0005
TICK = 1e-6


class _Pipe:
    """One direction: in order, each message delayed on its own."""

    def __init__(self, link: Link, deliver: Callable[[Any], None]) -> None:
        self._link, self._deliver = link, deliver
        self._last = 0.0
        self.held: deque[Any] = deque()

    def send(self, message: Any) -> None:
        """Send one message."""
        network = self._link.network
        # Never at the same moment: timers of one moment have no order.
        self._last = max(self._last + TICK, network.loop.time() + network.delay())
        network.loop.call_at(self._last, self._arrive, message)

    def _arrive(self, message: Any) -> None:
        if self._link.over:
            return
        if self._link.silent or self._link.frozen or self.held:
            self.held.append(message)
        else:
            self._deliver(message)

    def thaw(self) -> None:
        """Deliver what was held back."""
        while self.held and not self._link.over:
            self._deliver(self.held.popleft())


class Link:
    """A connection.

    Attributes:
        call: the client's end.
        over: both ends know that it has ended.
        frozen: what is sent arrives later.
        silent: half-open: nothing arrives any more, and nobody is told.
        struck_at: when a mishap came over it first; None = none has.
    """

    def __init__(
        self, network: Network, client: Client, caller: Caller, listen: bytes | None
    ) -> None:
        self.network, self.client = network, client
        self.number = network.next_number()
        self.over = self.frozen = self.silent = False
        self.struck_at: float | None = None
        self.up = _Pipe(self, self._at_hub)
        self.down = _Pipe(self, self._at_client)
        self.call = ClientCall(self)
        self._caller, self._listen = caller, listen
        self._end: HubEnd | None = None
        self.up.send("open")

    # Mishaps

    def _struck(self) -> None:
        if self.struck_at is None:
            self.struck_at = self.network.loop.time()

    def hush(self) -> None:
        """Let it be half-open from here on."""
        self._struck()
        self.silent = True

    def cut(self) -> None:
        """Break it: each end is told after a while."""
        if self.over or self.silent:
            return
        self._struck()
        self.over = True
        loop = self.network.loop
        loop.call_later(self.network.delay(), self.call.broken)
        loop.call_later(self.network.delay(), self._hub_told)

    def freeze(self, seconds: float) -> None:
        """Hold everything back for a while."""
        self._struck()
        self.frozen = True
        self.network.loop.call_later(seconds, self._thaw)

    def _thaw(self) -> None:
        self.frozen = False
        if not self.silent:
            self.up.thaw()
            self.down.thaw()

    def left_by_client(self) -> None:
        """The client ended its call; the hub learns it, unless the connection is half-open."""
        if self.over:
            return
        if self.silent or self.frozen:
            # The hub's end lives on until the hub itself notices.
            return
        self.over = True
        self.network.loop.call_later(self.network.delay(), self._hub_told)

    def _hub_told(self) -> None:
        if self._end is not None:
            self._end.finish()

    # Between the ends

    def _at_hub(self, message: Any) -> None:
        if message == "open":
            self._open()
        elif self._end is not None:
            self._end.arrived(message)

    def _open(self) -> None:
        hub = self.network.hub
        if hub is None:
            self.over = True
            self.network.loop.call_later(self.network.delay(), self.call.broken)
            return
        self._end = HubEnd(self, self._caller)
        hub.on_death.append(self.cut)
        self._end.open(hub, self._listen)

    def _at_client(self, message: Any) -> None:
        kind, what = message
        self.network.trace(f"link {self.number} {self.client.name} {kind} {_size(what)}")
        if kind == "frame":
            self.call.arrived(what)
        else:
            self.over = True
            self.call.ended(what)

    def heard_by(self, message: Any) -> None:
        """A unary call that names a session reached the hub."""
        end = self._end
        session = None if end is None else end.sink.session
        if end is not None and session is not None and session.session_id == message.session_id:
            end.heard()
            if self.client.watch is not None:
                self.client.watch.called(self, message)

    def read_by_client(self) -> None:
        """The client has taken a frame out of its buffers."""
        if self._end is not None:
            self._end.sink.drained()


def _size(what: object) -> object:
    return len(what) if isinstance(what, bytes) else type(what).__name__
