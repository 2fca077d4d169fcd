"""What gzip at the browsers' door saves and costs: bytes and server CPU of one poll, by its size.

A real hub holds the progress of a meeting, as the Python SDK publishes it. Pages of so many events
are polled over HTTP/1.1, in turns as they are and in gzip. `web_bridge/coding.py` takes its
smallest size from here.

    python -m benchmarks.coding [--polls 200]
"""

from __future__ import annotations

import argparse
import asyncio
import http.client
from dataclasses import dataclass

from benchmarks import noise
from benchmarks.procstat import cpu_seconds
from benchmarks.servers import Server, our_hub
from benchmarks.wire import grpc_message
from benchmarks.workload import PROTOCOL_VERSION
from shipspeak.realtime.v1 import frame_pb2, meeting_pb2, realtime_service_pb2
from shipspeak_realtime import RealtimeClient, make_content, make_draft

TOPIC = "meeting/coding"
SIZES = (1, 2, 4, 8, 16, 64, 256)
_PATH = "/shipspeak.realtime.v1.RealtimeService/Poll"
_ROW = "{:>7} {:>12} {:>11} {:>8} {:>12} {:>11}"


@dataclass(frozen=True, slots=True)
class Cost:
    """Of one poll: bytes of the body, CPU microseconds of the server."""

    body_bytes: int
    cpu_us: float


async def fill(server: Server, events: int) -> None:
    """Publish the progress of one meeting."""
    async with RealtimeClient(f"127.0.0.1:{server.grpc_port}") as hub:
        drafts = [
            make_draft(TOPIC, make_content(_progress(number, events))) for number in range(events)
        ]
        await hub.publish_many(drafts)


def _progress(number: int, events: int) -> meeting_pb2.MeetingUpdate:
    stage = meeting_pb2.StageProgress(
        stage="transcribe", fraction=number / events, detail=f"{number * 7} of {events * 7} s heard"
    )
    return meeting_pb2.MeetingUpdate(stage_progress=stage)


def poll_body(events: int) -> bytes:
    """A poll of so many events from the beginning."""
    request = realtime_service_pb2.PollRequest(
        hello=frame_pb2.Hello(protocol_version=PROTOCOL_VERSION), max_events=events
    )
    request.subscriptions.add(topic=TOPIC, at=frame_pb2.START_EARLIEST)
    return grpc_message(request.SerializeToString())


def measure(server: Server, events: int, polls: int, coding: str) -> Cost:
    """Poll one size so many times on one connection."""
    body = poll_body(events)
    headers = {"content-type": "application/grpc-web+proto", "accept-encoding": coding}
    connection = http.client.HTTPConnection("127.0.0.1", server.http_port, timeout=30)
    before, received = cpu_seconds(server.pid), 0
    for _ in range(polls):
        connection.request("POST", _PATH, body, headers)
        answer = connection.getresponse()
        received = len(answer.read())
        if answer.status != http.HTTPStatus.OK:
            msg = f"the hub answered {answer.status}"
            raise SystemExit(msg)
    connection.close()
    return Cost(received, (cpu_seconds(server.pid) - before) / polls * 1e6)


def main() -> None:
    """Print one row a size."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--polls", type=int, default=200, help="polls of each kind (default: 200)")
    polls = parser.parse_args().polls
    floor = noise.measure()
    print(f"noise floor: p50 {floor.p50_ms:.2f} ms, p99 {floor.p99_ms:.2f} ms")
    print(
        _ROW.format("events", "plain bytes", "gzip bytes", "ratio", "plain cpu us", "gzip cpu us")
    )
    with our_hub() as server:
        asyncio.run(fill(server, max(SIZES)))
        for events in SIZES:
            plain = measure(server, events, polls, "identity")
            coded = measure(server, events, polls, "gzip")
            ratio = f"{coded.body_bytes / plain.body_bytes:.2f}"
            print(
                _ROW.format(
                    events,
                    plain.body_bytes,
                    coded.body_bytes,
                    ratio,
                    f"{plain.cpu_us:.0f}",
                    f"{coded.cpu_us:.0f}",
                )
            )


if __name__ == "__main__":
    main()
