"""A register whose calls are done when a test says so, in any order, and may fail."""

from __future__ import annotations

import asyncio
import dataclasses
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from hub.engine.work import Backlog, DeadLetter, OpenItem, Ruling, Settlement, Taken, WorkSpec
from hub.errors import NotFound, Unavailable
from hub.work.items import Take
from shipspeak.realtime.v1 import error_reason_pb2 as reasons
from shipspeak.realtime.v1 import event_pb2
from tests.unit.work.register import Logged, Register

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from hub.engine.work import WorkWatcher

SHARDS = 2
SPAN = 6


@dataclass(slots=True)
class Call:
    """One call that waits to be done."""

    kind: str
    shard: int
    do: Callable[[int], Any]
    answer: asyncio.Future[Any]


class HeldStore:
    """A WorkStore of one work subscription; what is committed is seen in ``registers``.

    Attributes:
        calls: those that wait.
        life: rises with every move and making: what was done before may come again.
        done_in: by event, in which life it was settled as done.
        exhausted: events that died of too many attempts, in this life.
    """

    def __init__(self, clock: Callable[[], float]) -> None:
        self.registers = [Register(SPAN) for _ in range(SHARDS)]
        self.calls: list[Call] = []
        self.life = 0
        self.done_in: dict[str, int] = {}
        self.exhausted: set[str] = set()
        self.watcher: WorkWatcher | None = None
        self.spec: WorkSpec | None = None
        self._clock = clock

    # As the engine

    shard_count = SHARDS

    def shard_of(self, topic: str) -> int:
        return int(topic[-1]) % SHARDS

    def publish(self, topic: str, expires_ms: int) -> None:
        shard = self.shard_of(topic)
        logged = self.registers[shard].publish(topic)
        logged.expires_ms = expires_ms
        if self.watcher is not None:
            self.watcher.on_stored(shard)

    # As the test

    def do(self, which: int, fit: int, *, works: bool) -> None:
        """Commit a call and answer it, or let it fail."""
        call = self.calls.pop(which % len(self.calls))
        if call.answer.done():
            return  # its caller was cancelled
        if not works:
            reason = reasons.ERROR_REASON_STORAGE_FAILED
            call.answer.set_exception(Unavailable(reason, "the disk is full", retry_after=1.0))
        elif self.spec is None and call.kind != "create":
            reason = reasons.ERROR_REASON_WORK_UNKNOWN
            call.answer.set_exception(NotFound(reason, "it is gone"))
        else:
            call.answer.set_result(call.do(fit))

    def event(self, shard: int, ref: int) -> str:
        logged = self.registers[shard].of(ref)
        return f"{logged.topic}#{logged.offset}"

    def check_open(self, topic: str, event: str, *, ordered: bool) -> None:
        """An event that is handed out is open, in time, and in its turn."""
        log = [one for one in self.registers[self.shard_of(topic)].log if one.topic == topic]
        (logged,) = (one for one in log if event == f"{topic}#{one.offset}")
        assert logged.state == "open"
        assert not 0 < logged.expires_ms <= self._clock() * 1000, "it comes too late"
        if ordered:
            assert not any(one.state in ("behind", "open") for one in log[: logged.offset - 1])

    @property
    def unsettled(self) -> list[Logged]:
        return [
            one
            for register in self.registers
            for one in register.log
            if one.state in ("behind", "open")
        ]

    # As the register

    def watch(self, spec: WorkSpec, watcher: WorkWatcher) -> None:
        self.watcher = watcher

    def unwatch(self, name: str) -> None:
        self.watcher = None

    async def specs(self) -> list[WorkSpec]:
        return [] if self.spec is None else [self.spec]

    async def create(self, spec: WorkSpec) -> None:
        def create(_fit: int) -> None:
            self.spec = spec
            self._restart("past")

        await self._held("create", -1, create)

    async def remove(self, name: str) -> None:
        def remove(_fit: int) -> None:
            self.spec = None

        await self._held("remove", -1, remove)

    async def open_items(self, name: str, shard: int) -> list[OpenItem]:
        items: list[OpenItem] = await self._held(
            "open_items", shard, lambda _fit: self.registers[shard].items()
        )
        return items

    async def take(
        self,
        name: str,
        shard: int,
        *,
        again: Sequence[int],
        fresh: int,
        hand_out: bool,
        uncounted: Sequence[int] = (),
    ) -> Taken:
        for call in self.calls:
            assert (call.kind, call.shard) != ("take", shard), "two at a time"
        take = Take(shard, tuple(again), fresh, hand_out, tuple(uncounted))
        register = self.registers[shard]

        def do(fit: int) -> Taken:
            taken = register.take(take, fit, int(self._clock() * 1000))
            events = [
                (item, event_pb2.Event(id=data.decode()).SerializeToString())
                for item, data in taken.handed_out
            ]
            return dataclasses.replace(taken, handed_out=events)

        answer: Taken = await self._held("take", shard, do)
        return answer

    async def settle(self, name: str, shard: int, settlements: Sequence[Settlement]) -> list[bool]:
        def settle(_fit: int) -> list[bool]:
            answers = self.registers[shard].settle(tuple(settlements))
            for one, kept in zip(settlements, answers, strict=True):
                event = self.event(shard, one.ref)
                if kept and one.ruling is Ruling.DONE:
                    self.done_in[event] = self.life
                if kept and one.reason == reasons.ERROR_REASON_ATTEMPTS_EXHAUSTED:
                    self.exhausted.add(event)
            return answers

        answers: list[bool] = await self._held("settle", shard, settle)
        return answers

    async def seek_time(self, name: str, time_ms: int) -> None:
        def seek(_fit: int) -> None:
            assert all(call.kind not in ("take", "settle") for call in self.calls)
            self._restart("past" if time_ms else "behind")

        await self._held("seek", -1, seek)

    async def seek_offset(self, name: str, topic: str, offset: int) -> None:
        raise NotImplementedError

    async def backlog(self, spec: WorkSpec, shard: int) -> Backlog:
        raise NotImplementedError

    async def dead(self, shard: int, limit: int) -> list[DeadLetter]:
        raise NotImplementedError

    async def exhume(self, shard: int, limit: int) -> list[DeadLetter]:
        raise NotImplementedError

    async def bury(self, shard: int, refs: Sequence[int]) -> None:
        raise NotImplementedError

    async def was_purged(self, topic: str, offset: int) -> bool:
        raise NotImplementedError

    async def replayed(self, topic: str) -> set[int]:
        raise NotImplementedError

    async def mark_replayed(self, topic: str, offsets: Sequence[int]) -> None:
        raise NotImplementedError

    def _restart(self, state: str) -> None:
        self.life += 1
        self.exhausted.clear()
        for register in self.registers:
            for one in register.log:
                one.state, one.attempts, one.not_before_ms = state, 0, 0

    async def _held(self, kind: str, shard: int, do: Callable[[int], Any]) -> Any:
        call = Call(kind, shard, do, asyncio.get_running_loop().create_future())
        self.calls.append(call)
        return await call.answer
