"""Makes the engine that the settings ask for, and what of its room is made with it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from hub.engine.sqlite import Retention, SqliteEngine, SqliteInbox, SqliteSchedule, SqliteSteward
from hub.engine.sqlite.peers import PeerEngine

if TYPE_CHECKING:
    from collections.abc import Callable

    from hub.engine.inbox import Inbox
    from hub.engine.sqlite.peers import Network, PeerPlace
    from hub.engine.steward import Steward
    from hub.settings import Settings
    from hub.telemetry.metrics import Metrics
    from hub.topics.namespaces import Namespaces


@dataclass(frozen=True, slots=True)
class Store:
    """An engine, and what it offers beside logs.

    Attributes:
        engine: to be started first and stopped last.
        schedule: to be started when the engine has, and stopped before it.
        inbox: receipts.
        steward: for operators.
        network: the links to the other instances; None = there are none.
        owner: the instance that owns a shard.
        on_moved: has a function called when shards have other owners.
    """

    engine: SqliteEngine
    schedule: SqliteSchedule
    inbox: Inbox
    steward: Steward
    network: Network | None
    owner: Callable[[int], str]
    on_moved: Callable[[Callable[[], None]], None]


def make_store(
    settings: Settings,
    namespaces: Namespaces,
    metrics: Metrics,
    clock: Callable[[], int],
    instance: str,
    place: PeerPlace | None,
) -> Store:
    """The store of one instance.

    Args:
        settings: where it is, and how it is kept.
        namespaces: tell how much of a topic is kept.
        metrics: reads are counted.
        clock: milliseconds since the epoch.
        instance: name of this instance.
        place: among several of this machine; None = it is alone.
    """

    def retention(topic: str) -> Retention:
        kept = namespaces.of(topic).topic_class
        return Retention(kept.max_events, kept.max_age)

    if place is None:
        engine = SqliteEngine(
            settings.data_dir,
            shards=settings.shards,
            clock=clock,
            retention=retention,
            dedup_lifetime_s=settings.dedup_lifetime,
            on_read=metrics.log_reads.inc,
            accept_lost_shards=settings.accept_lost_shards,
            sized=bool(settings.namespace_bytes),
        )
        network, owner = None, lambda _: instance
    else:
        engine = peers = PeerEngine(
            settings.data_dir,
            place,
            shards=settings.shards,
            clock=clock,
            retention=retention,
            dedup_lifetime_s=settings.dedup_lifetime,
            on_read=metrics.log_reads.inc,
            sized=bool(settings.namespace_bytes),
        )
        network, owner = peers.network, peers.owners.name
    schedule = SqliteSchedule(engine, clock)

    def on_moved(call: Callable[[], None]) -> None:
        if isinstance(engine, PeerEngine):
            engine.on_moved = call

    if isinstance(engine, PeerEngine):
        # What others have had scheduled here, or what a former owner has left.
        engine.on_scheduled = schedule.wake
    return Store(
        engine, schedule, SqliteInbox(engine), SqliteSteward(engine), network, owner, on_moved
    )
