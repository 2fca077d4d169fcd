"""Figures about transports: what they carry, how soon, and why clients change them."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Final

from prometheus_client import Counter, Histogram
from prometheus_client.core import CounterMetricFamily

from shipspeak.realtime.v1 import frame_pb2

if TYPE_CHECKING:
    from collections.abc import Iterator

    from prometheus_client import CollectorRegistry
    from prometheus_client.metrics_core import Metric

# What a client may call a transport; anything else counts as "other", so that nobody can make
# series at will.
SESSION_TRANSPORTS: Final = ("grpc", "grpc-web", "websocket")
NAMES: Final = (*SESSION_TRANSPORTS, "poll", "adaptive-poll")
_OTHER: Final = "other"
_PREFIX: Final = "STEP_REASON_"


class TransportFigure:
    """Figures of one transport.

    Attributes:
        bytes: given to it so far; an attribute, since it is added to for every frame.
    """

    __slots__ = ("_first_event", "bytes")

    def __init__(self, first_event: Histogram) -> None:
        self.bytes = 0
        self._first_event = first_event

    def first_event(self, opened_at: float) -> None:
        """A session that was opened then, by `time.monotonic`, gets its first events."""
        self._first_event.observe(time.monotonic() - opened_at)


class TransportFigures:
    """Figures by transport.

    Args:
        registry: gets the metrics.
    """

    def __init__(self, registry: CollectorRegistry) -> None:
        self._figures: dict[str, TransportFigure] = {}
        self._steps = Counter(
            "rthub_transport_steps",
            "Changes of transport, as clients tell them.",
            ["left", "taken", "reason"],
            registry=registry,
        )
        self._first_event = Histogram(
            "rthub_first_event_seconds",
            "From the opening of a session to the first events that its transport was given.",
            ["transport"],
            buckets=(0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 60.0),
            registry=registry,
        )
        registry.register(self)

    def of(self, transport: str) -> TransportFigure:
        """The figures of a transport; the same object every time."""
        figure = self._figures.get(transport)
        if figure is None:
            figure = TransportFigure(self._first_event.labels(transport))
            self._figures[transport] = figure
        return figure

    def stepped(self, hello: frame_pb2.Hello, taken: str) -> None:
        """Count the change that a client tells of, if it tells of one."""
        if not hello.HasField("step"):
            return
        left = hello.step.left if hello.step.left in NAMES else _OTHER
        self._steps.labels(left, taken, _reason_name(hello.step.reason)).inc()

    def collect(self) -> Iterator[Metric]:
        """The bytes, for the exposition."""
        family = CounterMetricFamily(
            "rthub_transport_bytes",
            "Bytes of frames given to transports, with the transport's own framing.",
            labels=["transport"],
        )
        for transport, figure in self._figures.items():
            family.add_metric([transport], figure.bytes)
        yield family


def _reason_name(reason: int) -> str:
    known = frame_pb2.StepReason.values()
    value = frame_pb2.StepReason.ValueType(reason if reason in known else 0)
    return frame_pb2.StepReason.Name(value).removeprefix(_PREFIX)
