"""Prometheus metrics of one instance, in a registry of their own."""

from __future__ import annotations

from prometheus_client import (
    CONTENT_TYPE_LATEST,
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    generate_latest,
)


class Metrics:
    """All metrics; names begin with ``rthub_``."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.sessions = Gauge("rthub_sessions", "Open sessions.", registry=self.registry)
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
            "rthub_log_reads", "Reads of the shard files.", registry=self.registry
        )
        self.refused = Counter(
            "rthub_refused", "Refusals by reason.", ["reason"], registry=self.registry
        )
        self.opened = Counter(
            "rthub_sessions_opened", "Sessions by transport.", ["transport"], registry=self.registry
        )

    def render(self) -> tuple[bytes, str]:
        """The text exposition and its content type."""
        return generate_latest(self.registry), CONTENT_TYPE_LATEST
