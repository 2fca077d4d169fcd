"""Prometheus metrics of one instance, in a registry of their own."""

from __future__ import annotations

from collections import Counter as Counts
from typing import TYPE_CHECKING

from prometheus_client import (
    CONTENT_TYPE_LATEST,
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    generate_latest,
)

from hub.telemetry.load import LoadFigures
from hub.telemetry.transports import SESSION_TRANSPORTS, TransportFigures

if TYPE_CHECKING:
    from collections.abc import Iterable


class Metrics:
    """All metrics; names begin with ``rthub_``."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.sessions = Gauge("rthub_sessions", "Open sessions.", registry=self.registry)
        self.sessions_now = Gauge(
            "rthub_sessions_now",
            "Open sessions by transport.",
            ["transport"],
            registry=self.registry,
        )
        self.topics = Gauge(
            "rthub_live_topics", "Topics with a ring on this instance.", registry=self.registry
        )
        self.ring_bytes = Gauge("rthub_ring_bytes", "Memory of all rings.", registry=self.registry)
        self.published = Counter(
            "rthub_publish_results",
            "Drafts by namespace and outcome.",
            ["namespace", "outcome"],
            registry=self.registry,
        )
        self.publish_seconds = Histogram(
            "rthub_publish_seconds",
            "Time from admission to the answer of one batch.",
            buckets=(0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1.0, 5.0),
            registry=self.registry,
        )
        self.subscribes = Counter(
            "rthub_subscribes", "Subscriptions by verdict.", ["verdict"], registry=self.registry
        )
        self.log_reads = Counter(
            "rthub_log_reads", "Reads of topics' logs.", registry=self.registry
        )
        self.refused = Counter(
            "rthub_refused", "Refusals by reason.", ["reason"], registry=self.registry
        )
        self.opened = Counter(
            "rthub_sessions_opened", "Sessions by transport.", ["transport"], registry=self.registry
        )
        self.public_polls = Counter(
            "rthub_public_polls",
            "Polls of public topics that reached the hub.",
            registry=self.registry,
        )
        self._authorizer = Counter(
            "rthub_authorizer_questions",
            "Questions to the authorizer by how they ended: allowed, denied, failed, skipped.",
            ["outcome"],
            registry=self.registry,
        )
        self.transports = TransportFigures(self.registry)
        self.load = LoadFigures(self.registry)
        self.work_handed_out = Counter(
            "rthub_work_handed_out",
            "Deliveries to members, by work subscription.",
            ["work"],
            registry=self.registry,
        )
        self.work_settled = Counter(
            "rthub_work_settled",
            "Rulings written down, by work subscription: done, back, dead.",
            ["work", "ruling"],
            registry=self.registry,
        )
        self.work_expired = Counter(
            "rthub_work_expired",
            "Events left out since they had expired, by work subscription.",
            ["work"],
            registry=self.registry,
        )
        self.work_receipts = Counter(
            "rthub_work_receipts",
            "Receipts passed over, which are no work, by work subscription.",
            ["work"],
            registry=self.registry,
        )
        self.dead_letters = Counter(
            "rthub_dead_letters", "Dead letters by reason.", ["reason"], registry=self.registry
        )

    def authorizer_asked(self, outcome: str) -> None:
        """A question to the authorizer has ended."""
        self._authorizer.labels(outcome).inc()

    def set_sessions(self, transports: Iterable[str]) -> None:
        """The sessions that are open now, by the transport of each."""
        counts = Counts(transports)
        for transport in SESSION_TRANSPORTS:
            self.sessions_now.labels(transport).set(counts[transport])
        self.sessions.set(counts.total())

    def render(self) -> tuple[bytes, str]:
        """The text exposition and its content type."""
        return generate_latest(self.registry), CONTENT_TYPE_LATEST
