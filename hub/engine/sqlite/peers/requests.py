"""Publishing and operating at the owner of a shard, whoever that is when it is done.

What surely was not done, or may be done twice without harm, is tried again for a while: an owner
that dies is replaced within a second. What may have been done and must not be repeated ends as
OUTCOME_UNKNOWN, as a commit in doubt does.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final, TypeVar

from hub.engine.sqlite.failures import outcome_unknown, shard_unavailable
from hub.engine.sqlite.peers.calls import LinkLost, NotOwner
from hub.engine.sqlite.peers.codec import from_value, to_value
from hub.engine.sqlite.peers.link import checked
from hub.engine.sqlite.peers.wire import append_message, results_of
from hub.engine.sqlite.removal import NotePurge, Purge, Withdraw
from hub.engine.sqlite.requests import doubt_all, refuse_all
from hub.engine.sqlite.scheduled import AddScheduled
from hub.engine.sqlite.shard import Shard
from hub.engine.sqlite.work_place import (
    Create,
    MarkRemoved,
    MarkReplayed,
    Remove,
    SeekOffset,
    SeekPlace,
)
from hub.engine.sqlite.work_settle import Bury, Exhume
from shipspeak.realtime.internal.v1 import peer_service_pb2 as peer

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Coroutine, Sequence

    from hub.engine.contract import AppendResult
    from hub.engine.sqlite.operation import Operation
    from hub.engine.sqlite.peers.link import Link
    from hub.engine.sqlite.peers.owners import Owners
    from hub.errors import HubError
    from hub.model.events import Append

# Longer than the supervisor takes to notice a frozen owner, and to have it replaced.
PATIENCE_S: Final = 10.0
RETRY_S: Final = 0.02
# Run again, they change nothing more, and answer the same or less.
_REPEATABLE: Final[tuple[type[object], ...]] = (
    *(NotePurge, Purge, Withdraw, AddScheduled, Create, MarkRemoved, MarkReplayed, Remove),
    *(SeekOffset, SeekPlace, Bury, Exhume),
)

_T = TypeVar("_T")


class Requests:
    """Asks owners.

    Args:
        owners: knows them.
        clock: milliseconds since the epoch.
    """

    def __init__(self, owners: Owners, clock: Callable[[], int]) -> None:
        self._owners = owners
        self._clock = clock
        self._pending = 0
        self._idle = asyncio.Event()
        self._idle.set()

    async def finish(self, seconds: float) -> None:
        """Wait for what others were asked, so long at most."""
        try:
            async with asyncio.timeout(seconds):
                await self._idle.wait()
        except TimeoutError:
            pass

    def _count(self, asked: asyncio.Future[peer.Answer]) -> asyncio.Future[peer.Answer]:
        self._pending += 1
        self._idle.clear()
        asked.add_done_callback(self._answered)
        return asked

    def publish(
        self, shard: int, appends: Sequence[Append]
    ) -> Coroutine[object, object, list[AppendResult]]:
        """Put drafts in the owner's queue, or on the way to it, now; then wait for the commit."""
        return self._published(shard, appends, self._begin(shard, appends))

    def _answered(self, _: object) -> None:
        self._pending -= 1
        if not self._pending:
            self._idle.set()

    def _begin(
        self, shard: int, appends: Sequence[Append]
    ) -> Awaitable[list[AppendResult]] | asyncio.Future[peer.Answer] | None:
        owner = self._owners.owner(shard)
        if owner is None:
            return None
        if isinstance(owner, Shard):
            return owner.publish(appends)
        messages = [append_message(append) for append in appends]
        return self._count(
            owner.request(
                lambda number: peer.Ask(
                    publish=peer.Publish(id=number, shard=shard, appends=messages)
                )
            )
        )

    async def _published(
        self,
        shard: int,
        appends: Sequence[Append],
        begun: Awaitable[list[AppendResult]] | asyncio.Future[peer.Answer] | None,
    ) -> list[AppendResult]:
        until = asyncio.get_running_loop().time() + PATIENCE_S
        doubt = False
        while True:
            try:
                async with asyncio.timeout_at(until):
                    if begun is not None:
                        answer = await begun
                        if isinstance(answer, list):
                            return answer
                        return results_of(checked(answer).results)
            except TimeoutError:
                return doubt_all(appends, lambda topic: _in_doubt(shard, topic))
            except LinkLost:
                # The id says whether it is stored: whoever owns the shard next looks it up.
                doubt = True
            except NotOwner:
                pass
            if not await self._wait(shard, until):
                if doubt:
                    return doubt_all(appends, lambda topic: _in_doubt(shard, topic))
                return refuse_all(appends, lambda topic: _no_owner(shard, topic))
            begun = self._begin(shard, appends)

    async def operate(self, shard: int, operation: Operation[_T]) -> _T:
        """Run an operation in line with the commits of a shard, at its owner.

        Raises:
            HubError: refused, or nobody owns the shard, or OUTCOME_UNKNOWN.
        """
        until = asyncio.get_running_loop().time() + PATIENCE_S
        while True:
            owner = self._owners.owner(shard)
            if isinstance(owner, Shard):
                return await owner.operate(operation)
            if owner is not None:
                try:
                    value: _T = await self._asked(owner, shard, operation, until)
                except LinkLost:
                    if not isinstance(operation, _REPEATABLE):
                        raise _in_doubt(shard, "") from None
                except NotOwner:
                    pass
                else:
                    return value
            if not await self._wait(shard, until):
                raise _no_owner(shard, "")

    async def _asked(self, owner: Link, shard: int, operation: Operation[_T], until: float) -> _T:
        operate = peer.Operate(shard=shard, operation=to_value(operation))

        def ask(number: int) -> peer.Ask:
            operate.id = number
            return peer.Ask(operate=operate)

        if not owner.up:
            # Nothing has gone out: it is as if it had said so.
            raise NotOwner
        try:
            async with asyncio.timeout_at(until):
                answer = checked(await self._count(owner.request(ask)))
        except TimeoutError:
            raise _in_doubt(shard, "") from None
        value: _T = from_value(answer.value, self._clock)
        return value

    async def _wait(self, shard: int, until: float) -> bool:
        """Wait for another owner; False when the time is over."""
        loop = asyncio.get_running_loop()
        if self._owners.owner(shard) is not None:
            # Its word and its standing cross each other.
            await asyncio.sleep(RETRY_S)
            return loop.time() < until
        while self._owners.owner(shard) is None:
            if not await self._owners.change(until):
                return False
        return True


def _in_doubt(shard: int, topic: str) -> HubError:
    return outcome_unknown(shard, "its owner ended in the middle", topic)


def _no_owner(shard: int, topic: str) -> HubError:
    return shard_unavailable(shard, "nobody owns it now; try again", topic=topic)
