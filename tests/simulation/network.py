"""The network: delays, order within a connection and none between connections, and its mishaps.

A connection keeps order, as TCP does. It breaks (both ends are told), freezes (what is sent comes
later) or is half-open (nobody is told and nothing comes). Unary calls are delayed, lost, answered
to nobody, or carried out twice.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import grpc

from hub.errors import HubError
from hub.rpc.status import hub_error_of
from hub.session.sink import Caller
from shipspeak.realtime.v1 import realtime_service_pb2
from tests.guarantees.observed import Handed
from tests.simulation.link import Link
from tests.simulation.refusals import refusal, rpc_error

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine
    from random import Random

    from tests.guarantees.history import History
    from tests.simulation.hub import SimulatedHub
    from tests.simulation.kinds.watched import Watched
    from tests.simulation.loop import VirtualLoop
    from tests.simulation.plan import Plan
    from tests.simulation.stream import ClientCall
    from tests.simulation.trace import Trace

Metadata = tuple[tuple[str, str], ...]
_FATES = ("lost", "unanswered", "broken answer", "twice")
_SIGNS_OF_LIFE: dict[str, Any] = {
    "Touch": realtime_service_pb2.TouchRequest,
    "RefreshSession": realtime_service_pb2.RefreshSessionRequest,
}


class Network:
    """All connections between the people and the hub that is up now.

    Attributes:
        hub: None while no hub is up.
        calm: True = no mishap happens any more.
    """

    def __init__(
        self, plan: Plan, random: Random, loop: VirtualLoop, history: History, trace: Trace
    ) -> None:
        self.plan, self.random, self.loop = plan, random, loop
        self.history, self.trace = history, trace
        self.hub: SimulatedHub | None = None
        self.calm = False
        self.links: list[Link] = []
        self._numbers = 0

    def delay(self) -> float:
        """Seconds that one message is under way."""
        return self.plan.delay * self.random.uniform(0.2, 1.0)

    def next_number(self) -> int:
        """Names connections and calls."""
        self._numbers += 1
        return self._numbers

    def transport(self, client: Client) -> Transport:
        """What the SDK takes for its channel."""
        return Transport(self, client)

    def open_links(self) -> list[Link]:
        """Connections that somebody could still hurt."""
        self.links = [link for link in self.links if not link.over]
        return [link for link in self.links if not link.silent]

    async def unary(
        self,
        method: str,
        request: bytes,
        timeout: float,  # noqa: ASYNC109 - as gRPC's
        metadata: Metadata,
    ) -> bytes:
        """One unary call.

        Raises:
            AioRpcError: refused, or lost in one way or another.
        """
        try:
            async with asyncio.timeout(timeout):
                return await self._unary(method, request, Caller(dict(metadata), "sim", "grpc"))
        except TimeoutError:
            raise rpc_error(grpc.StatusCode.DEADLINE_EXCEEDED, "no answer in time") from None

    async def _unary(self, method: str, request: bytes, caller: Caller) -> bytes:
        faulty = not self.calm and self.random.random() < self.plan.unary_faults
        fate = self.random.choice(_FATES) if faulty else ""
        await asyncio.sleep(self.delay())
        hub = self.hub
        if hub is None:
            raise rpc_error(grpc.StatusCode.UNAVAILABLE, "nobody listens there")
        number = self.next_number()
        self.trace(f"call {number} {method} {fate}")
        if fate == "lost":
            await asyncio.Event().wait()
        if fate == "twice" and method == "Publish":
            _unheeded(hub.call(method, request, caller))
        answer = await _carry_out(hub, method, request, caller)
        if isinstance(answer, bytes):
            self._heard(method, request)
            if method == "Poll":
                self._note(number, request, answer)
        if fate == "unanswered":
            await asyncio.Event().wait()
        await asyncio.sleep(self.delay())
        if fate == "broken answer" or answer is None:
            raise rpc_error(grpc.StatusCode.UNAVAILABLE, "the connection broke")
        self.trace(f"answer {number} {type(answer).__name__}")
        if isinstance(answer, HubError):
            raise refusal(answer)
        return answer

    def _note(self, number: int, request: bytes, answer: bytes) -> None:
        """A poll's answer is given to its transport: to whom, and what."""
        who = realtime_service_pb2.PollRequest.FromString(request).hello.client_id
        now_ms = int(self.loop.wall() * 1000)
        frames = realtime_service_pb2.PollResponse.FromString(answer).frames
        # Expiry was judged when each of its frames was made, a little before.
        self.history.handed.extend(
            Handed(f"poll-{number}", run.topic, event.id, now_ms, principal=who)
            for frame in frames
            for run in frame.runs
            for event in run.events
        )

    def _heard(self, method: str, request: bytes) -> None:
        """A call that names a session is a sign of life of its client."""
        if method in _SIGNS_OF_LIFE:
            message = _SIGNS_OF_LIFE[method].FromString(request)
            for link in self.links:
                link.heard_by(message)


async def _carry_out(
    hub: SimulatedHub, method: str, request: bytes, caller: Caller
) -> bytes | HubError | None:
    """The hub's answer or refusal; None when it died before."""
    work = asyncio.ensure_future(hub.call(method, request, caller))
    try:
        both: list[asyncio.Future[Any]] = [work, hub.death]
        await asyncio.wait(both, return_when=asyncio.FIRST_COMPLETED)
        if not hub.alive:
            return None
        return work.result()
    except Exception as failure:  # noqa: BLE001 - as a door does: unknown ones are logged
        return hub_error_of(failure, f"call of {method}")
    finally:
        work.cancel()


def _unheeded(call: Coroutine[Any, Any, bytes]) -> None:
    """Carry out a copy of a request whose answer goes nowhere."""
    asyncio.ensure_future(call).add_done_callback(
        lambda done: None if done.cancelled() else done.exception() and None
    )


class Client:
    """Whoever has connections: a name, and what it has to say about claims.

    Attributes:
        name: of the client.
        on_claim: called with (topics of the session, complete_as_of in milliseconds).
        watch: told what passes between it and the hub; None = nobody wants to know.
    """

    def __init__(self, name: str, on_claim: Callable[[list[str], int], None]) -> None:
        self.name, self.on_claim = name, on_claim
        self.watch: Watched | None = None


class Transport:
    """The SDK's channel on this network."""

    def __init__(self, network: Network, client: Client) -> None:
        self.stub = _Stub(network)
        self.closed = False
        self._network, self._client = network, client

    def connect(self, metadata: Metadata) -> ClientCall:
        """Open a Connect stream."""
        return open_stream(self._network, self._client, metadata, None)

    def renew(self) -> None:
        """Each stream has a connection of its own here anyway."""

    async def close(self) -> None:
        """Nothing is held."""
        self.closed = True


def open_stream(
    network: Network, client: Client, metadata: Metadata, listen: bytes | None
) -> ClientCall:
    """Open a stream: Connect, or Listen with its serialized request."""
    link = Link(network, client, Caller(dict(metadata), "sim", "grpc"), listen)
    network.links.append(link)
    return link.call


class _Stub:
    """Unary calls by name, as generated stubs have them."""

    def __init__(self, network: Network) -> None:
        self._network = network

    def __getattr__(self, method: str) -> Callable[..., Coroutine[Any, Any, Any]]:
        response = getattr(realtime_service_pb2, f"{method}Response")

        async def call(request: Any, timeout: float, metadata: Metadata) -> Any:  # noqa: ASYNC109 - as gRPC's
            data = request.SerializeToString()
            return response.FromString(await self._network.unary(method, data, timeout, metadata))

        return call
