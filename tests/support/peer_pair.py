"""Two instances of one store in one process: the one that a test has, and the one beside it."""

from __future__ import annotations

import asyncio
import secrets
from typing import TYPE_CHECKING

from hub.engine.sqlite.opening import check_store
from hub.engine.sqlite.peers import PeerEngine, PeerPlace, prepare_run_directory

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from hub.engine.sqlite import Retention
    from tests.contract.engine.harness import EngineMaker


class PairedEngine(PeerEngine):
    """Starts and stops another engine beside it.

    Args:
        other: the one beside it.
        owns_some: whether it owns shards of its own.
    """

    def __init__(
        self,
        data_dir: Path,
        place: PeerPlace,
        other: PeerEngine,
        *,
        owns_some: bool,
        clock: Callable[[], int],
        retention: Callable[[str], Retention],
        lifetime_s: float,
    ) -> None:
        super().__init__(
            data_dir,
            place,
            clock=clock,
            retention=retention,
            dedup_lifetime_s=lifetime_s,
            round_interval_s=0.02,
        )
        self.other = other
        self.owners.leaving = not owns_some

    async def start(self) -> None:
        """Both."""
        check_store(self._data_dir, self.shard_count, self.clock())
        prepare_run_directory(self.network.place.run_dir)
        await asyncio.gather(super().start(), self.other.start())

    async def stop(self) -> None:
        """Both; what this one has asked for is done before the other goes."""
        await super().stop()
        await self.other.stop()


def pair_maker(directory: Path, *, owns_some: bool) -> EngineMaker:
    """Makes pairs on one store."""
    data_dir = directory / "data"

    def make(
        clock: Callable[[], int], retention: Callable[[str], Retention], lifetime_s: float
    ) -> PairedEngine:
        places = [
            PeerPlace(worker, 2, secrets.token_hex(6), data_dir / "run") for worker in range(2)
        ]
        other = PeerEngine(
            data_dir,
            places[0],
            clock=clock,
            retention=retention,
            dedup_lifetime_s=lifetime_s,
            round_interval_s=0.02,
        )
        return PairedEngine(
            data_dir,
            places[1],
            other,
            owns_some=owns_some,
            clock=clock,
            retention=retention,
            lifetime_s=lifetime_s,
        )

    return make
