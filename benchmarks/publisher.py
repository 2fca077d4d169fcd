"""A publisher on the stock grpcio client: one ``Connect`` stream, closed loop or paced.

Runs as a process of its own (``python -m benchmarks.publisher``) and prints one JSON object. Every
answer is checked: one result a draft, none a duplicate, offsets rising in each topic.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import subprocess
import sys
import time
from collections import deque
from dataclasses import asdict, dataclass, field
from statistics import quantiles
from typing import TYPE_CHECKING

import grpc.aio
import uvloop

from benchmarks.workload import Workload
from shipspeak.realtime.v1 import frame_pb2, realtime_service_pb2_grpc

if TYPE_CHECKING:
    _Call = grpc.aio.StreamStreamCall[frame_pb2.ClientFrame, frame_pb2.ServerFrame]

_DONE = (frame_pb2.OUTCOME_STORED, frame_pb2.OUTCOME_ACCEPTED)
_PERCENT = 100
_EXIT_SLACK = 30.0


class PublishRefusedError(Exception):
    """The hub answered otherwise than STORED or ACCEPTED, or broke the order of offsets."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What to publish.

    Attributes:
        port: of the gRPC door.
        topics: the drafts go round these.
        in_flight: drafts sent and not yet answered, at most.
        batch: drafts in one request; divides ``in_flight``.
        seconds: how long to publish.
        payload_bytes: size of each payload.
        rate: requests per second; 0 = as fast as the answers allow.
    """

    port: int
    topics: tuple[str, ...]
    in_flight: int = 1
    batch: int = 1
    seconds: float = 3.0
    payload_bytes: int = 256
    rate: float = 0.0


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of it.

    Attributes:
        published: drafts answered.
        seconds: from the first request to the last answer.
        p50_ms: median time from sending a request to its answer.
        p99_ms: 99th percentile of it.
        cpu_seconds: this client's own.
    """

    published: int
    seconds: float
    p50_ms: float
    p99_ms: float
    cpu_seconds: float


@dataclass(slots=True)
class _Progress:
    slots: asyncio.Semaphore
    waiting: deque[tuple[float, int]] = field(default_factory=deque)
    waits: list[float] = field(default_factory=list)
    offsets: dict[str, int] = field(default_factory=dict)
    published: int = 0


async def publish(plan: Plan) -> Outcome:
    """Carries out the plan.

    Raises:
        PublishRefusedError: an answer is not what a sound hub gives.
    """
    progress = _Progress(asyncio.Semaphore(plan.in_flight // plan.batch))
    started = time.perf_counter()
    async with grpc.aio.insecure_channel(f"127.0.0.1:{plan.port}") as channel:
        call = realtime_service_pb2_grpc.RealtimeServiceStub(channel).Connect()
        async with asyncio.TaskGroup() as tasks:
            reader = tasks.create_task(_read(call, plan, progress))
            await _write(call, plan, progress)
            ended = time.perf_counter()
            reader.cancel()
        call.cancel()
    cuts = quantiles(progress.waits, n=_PERCENT)
    return Outcome(
        progress.published,
        ended - started,
        cuts[_PERCENT // 2 - 1] * 1e3,
        cuts[_PERCENT - 2] * 1e3,
        time.process_time(),
    )


async def _write(call: _Call, plan: Plan, progress: _Progress) -> None:
    workloads = [Workload(topic, plan.payload_bytes, "client") for topic in plan.topics]
    hello = workloads[0].hello("bench-publisher")
    await call.write(frame_pb2.ClientFrame(request_id=1, hello=hello))
    sent = 0
    started = time.perf_counter()
    while time.perf_counter() - started < plan.seconds:
        if plan.rate:
            due = started + sent / plan.batch / plan.rate
            await asyncio.sleep(max(0.0, due - time.perf_counter()))
        await progress.slots.acquire()
        drafts = [
            workloads[number % len(workloads)].draft(time.monotonic_ns(), number)
            for number in range(sent, sent + plan.batch)
        ]
        progress.waiting.append((time.perf_counter(), sent))
        sent += plan.batch
        request = frame_pb2.PublishRequest(drafts=drafts)
        await call.write(frame_pb2.ClientFrame(request_id=sent, publish=request))
    for _ in range(plan.in_flight // plan.batch):  # all answers are in when every slot is free
        await progress.slots.acquire()


async def _read(call: _Call, plan: Plan, progress: _Progress) -> None:
    async for frame in call:
        _check(frame, plan, progress)
    if progress.waiting:
        raise PublishRefusedError("the hub ended the stream")


def _check(frame: frame_pb2.ServerFrame, plan: Plan, progress: _Progress) -> None:
    if frame.HasField("error"):
        raise PublishRefusedError(str(frame.error))
    if not frame.HasField("published"):
        return
    sent_at, first = progress.waiting.popleft()
    progress.waits.append(time.perf_counter() - sent_at)
    if frame.published.request_id != first + plan.batch:
        raise PublishRefusedError(f"answer {frame.published.request_id} is out of turn")
    if len(frame.published.results) != plan.batch:
        raise PublishRefusedError(f"{len(frame.published.results)} results, not {plan.batch}")
    for number, result in enumerate(frame.published.results, first):
        _check_result(result, plan.topics[number % len(plan.topics)], progress)
    progress.published += plan.batch
    progress.slots.release()


def _check_result(result: frame_pb2.PublishResult, topic: str, progress: _Progress) -> None:
    if result.outcome not in _DONE or result.duplicate:
        raise PublishRefusedError(str(result))
    if result.outcome == frame_pb2.OUTCOME_STORED:
        if result.offset <= progress.offsets.get(topic, 0):
            raise PublishRefusedError(f"offset {result.offset} of {topic} does not rise")
        progress.offsets[topic] = result.offset


def run_apart(plan: Plan) -> Outcome:
    """Carries out the plan in a process of its own.

    Raises:
        PublishRefusedError: as ``publish``.
    """
    command = [sys.executable, "-m", "benchmarks.publisher", json.dumps(asdict(plan))]
    done = subprocess.run(
        command, capture_output=True, text=True, check=False, timeout=plan.seconds + _EXIT_SLACK
    )
    if done.returncode:
        raise PublishRefusedError(done.stderr)
    return Outcome(**json.loads(done.stdout))


def main() -> None:
    """Reads the plan, prints the outcome."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("plan", help="JSON of Plan")
    values = json.loads(parser.parse_args().plan)
    plan = Plan(**{**values, "topics": tuple(values["topics"])})
    print(json.dumps(asdict(uvloop.run(publish(plan)))))


if __name__ == "__main__":
    main()
