"""The calling end of a link to one other instance: dials until it answers, and again when it ends.

Whoever is asked while the link is down hears LinkLost at once; the host is told when it comes up
and when it ends, and decides what becomes of the shards.
"""

from __future__ import annotations

import asyncio
import itertools
from typing import TYPE_CHECKING, Final, Protocol

import grpc
import structlog

from hub.engine.sqlite.peers.calls import LinkLost, NotOwner
from hub.engine.sqlite.peers.outbox import Outbox
from hub.engine.sqlite.peers.wire import failure_of, part
from hub.telemetry.unheard import hear
from shipspeak.realtime.internal.v1 import peer_service_pb2 as peer

if TYPE_CHECKING:
    from collections.abc import Callable

    from hub.engine.sqlite.peers.place import PeerPlace

_logger: Final = structlog.get_logger(__name__)

_Stream = grpc.aio.StreamStreamCall[bytes, bytes]

METHOD: Final = (
    f"/{peer.DESCRIPTOR.services_by_name['PeerService'].full_name}/"
    f"{peer.DESCRIPTOR.services_by_name['PeerService'].methods[0].name}"
)
KEY_METADATA: Final = "x-peer-key"
REDIAL_S: Final = 0.05
OPTIONS: Final = (
    ("grpc.max_receive_message_length", -1),
    ("grpc.max_send_message_length", -1),
    ("grpc.enable_http_proxy", 0),
    # A Unix socket's path is no name that a header may have.
    ("grpc.default_authority", "localhost"),
    # No two links share a connection, and no dialling waits for the one before it.
    ("grpc.use_local_subchannel_pool", 1),
)


class LinkHost(Protocol):
    """Hears of a link."""

    def on_word(self, link: Link, word: peer.Word) -> None:
        """Something was told, in order. Must not block."""

    def on_link_up(self, link: Link) -> None:
        """The other instance has said what it is."""

    def on_link_down(self, link: Link) -> None:
        """The other instance is gone, or was never there."""


class Link:
    """One other instance, seen from here.

    Args:
        place: of this instance.
        worker: number of the other.
        host: hears of it.

    Attributes:
        up: whether it answers.
        instance: its name; "" = it is not up.
        leaving: it is about to end.
        shards: those that it owns -> whether they take reads and writes.
    """

    def __init__(self, place: PeerPlace, worker: int, host: LinkHost) -> None:
        self.worker = worker
        self.up = False
        self.instance = ""
        self.leaving = False
        self.shards: dict[int, bool] = {}
        self._place = place
        self._host = host
        self._outbox = Outbox()
        self._numbers = itertools.count(1)
        self._answers: dict[int, asyncio.Future[peer.Answer]] = {}

    def tell(self, ask: peer.Ask) -> None:
        """Tell it something that is not answered; nothing happens while it is not up."""
        if self.up:
            self._outbox.put(part(ask))

    def request(self, make: Callable[[int], peer.Ask]) -> asyncio.Future[peer.Answer]:
        """Ask something, now; the answer comes, or LinkLost.

        Args:
            make: gets the number that the answer will have.
        """
        future: asyncio.Future[peer.Answer] = asyncio.get_running_loop().create_future()
        if not self.up:
            future.set_exception(LinkLost())
            return future
        number = next(self._numbers)
        self._answers[number] = future
        self._outbox.put(part(make(number)))
        return future

    async def run(self) -> None:
        """Dial until cancelled."""
        while True:
            try:
                await self._dial()
            except grpc.aio.AioRpcError as error:
                if error.code() is not grpc.StatusCode.UNAVAILABLE:
                    _logger.warning("peer_refused", worker=self.worker, why=error.details())
            except (OSError, grpc.aio.UsageError, asyncio.InvalidStateError):
                # How a stream of grpc.aio ends depends on what was under way.
                pass
            except Exception:
                _logger.exception("link_failed", worker=self.worker)
            finally:
                self._down()
            await asyncio.sleep(REDIAL_S)

    async def _dial(self) -> None:
        path = self._place.socket(self.worker)
        if not path.exists():
            return
        async with grpc.aio.insecure_channel(f"unix:{path}", options=OPTIONS) as channel:
            stream: _Stream = channel.stream_stream(METHOD)(
                metadata=((KEY_METADATA, self._place.key()),)
            )
            self._outbox = Outbox()
            hello = peer.Hello(instance=self._place.instance, worker=self._place.worker)
            self._outbox.put(part(peer.Ask(hello=hello)))
            writer = asyncio.get_running_loop().create_task(self._write(stream))
            try:
                while True:
                    data = await stream.read()
                    if not isinstance(data, bytes):
                        break
                    for word in peer.LinkResponse.FromString(data).words:
                        self._take(word)
                # Raises what ended it.
                await stream.code()
            finally:
                writer.cancel()
                stream.cancel()
                # Not awaited itself: its end must not be taken for this one's, nor swallow it.
                await asyncio.wait([writer])
                hear(writer)

    async def _write(self, stream: _Stream) -> None:
        while True:
            await stream.write(await self._outbox.take())

    def _take(self, word: peer.Word) -> None:
        kind = word.WhichOneof("word")
        if kind == "answer":
            future = self._answers.pop(word.answer.id, None)
            if future is not None and not future.done():
                future.set_result(word.answer)
        elif kind == "standing":
            self._stand(word.standing)
        else:
            self._host.on_word(self, word)

    def _stand(self, standing: peer.Standing) -> None:
        self.instance, self.leaving = standing.instance, standing.leaving
        self.shards = {
            **dict.fromkeys(standing.serving, True),
            **dict.fromkeys(standing.failing, False),
        }
        self.up = True
        self._host.on_link_up(self)

    def _down(self) -> None:
        if not self.up:
            return
        self.up, self.instance, self.shards, self.leaving = False, "", {}, False
        answers, self._answers = self._answers, {}
        for future in answers.values():
            if not future.done():
                future.set_exception(LinkLost())
                # Whoever asked may have been cancelled.
                future.exception()
        self._host.on_link_down(self)


def checked(answer: peer.Answer) -> peer.Answer:
    """An answer that is one.

    Raises:
        NotOwner: nothing was done.
        HubError: it was refused.
    """
    kind = answer.WhichOneof("answer")
    if kind == "not_owner":
        raise NotOwner
    if kind == "failure":
        raise failure_of(answer.failure)
    return answer
