"""What the benchmark sends: sessions that subscribe one topic, and events that carry a marker.

The marker is ``@TS=``, 20 digits (CLOCK_MONOTONIC nanoseconds of the intended send), ``@SEQ=``, 12
digits and ``;``. An application payload begins with it and is filled up to the size asked for.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from google.protobuf.any_pb2 import Any

from benchmarks import wire
from shipspeak.realtime.v1 import event_pb2, frame_pb2, realtime_service_pb2

SERVICE = "/shipspeak.realtime.v1.RealtimeService"
VOLATILE_TOPIC = "signal/bench"
DURABLE_TOPIC = "meeting/bench"
PROTOCOL_VERSION = 1
MARKER = re.compile(rb"@TS=(\d{20})@SEQ=(\d{12});")

# Welcome and Subscribed: what a session gets before its first event, on both doors.
READY_MESSAGES = 2
# Key of ServerFrame.published on the wire: field 5, length-delimited.
ACK_TAG = frame_pb2.ServerFrame.DESCRIPTOR.fields_by_name["published"].number << 3 | 2

_TYPE_URL = "type.googleapis.com/shipspeak.bench.Filler"
_ID_DIGITS = 12
_PUBLISH_REQUEST_ID = 7


@dataclass(frozen=True, slots=True)
class Template:
    """One publish as one HTTP/2 frame, and where the generator writes the changing digits.

    Attributes:
        frame: the bytes.
        id_at: offset of the draft id's digits.
        id_width: how many digits.
        marker_at: offset of the marker.
    """

    frame: bytes
    id_at: int
    id_width: int
    marker_at: int


def marker(intended_ns: int, sequence: int) -> bytes:
    """The marker of one event."""
    return b"@TS=%020d@SEQ=%012d;" % (intended_ns, sequence)


def content(intended_ns: int, sequence: int, payload_bytes: int) -> event_pb2.Content:
    """Content with an application payload of ``payload_bytes`` that begins with the marker."""
    value = marker(intended_ns, sequence).ljust(payload_bytes, b".")
    return event_pb2.Content(other=Any(type_url=_TYPE_URL, value=value))


def sequence_of(event: event_pb2.Event) -> int:
    """The sequence number in an event.

    Raises:
        ValueError: the event carries no marker.
    """
    found = MARKER.match(event.content.other.value)
    if found is None:
        raise ValueError(f"event {event.id!r} carries no marker")
    return int(found[2])


@dataclass(frozen=True, slots=True)
class Workload:
    """One topic and the size of its events.

    Attributes:
        topic: name.
        payload_bytes: size of the application payload, at least the marker's 42.
        run_id: makes draft ids of one run different from those of another.
    """

    topic: str
    payload_bytes: int = 256
    run_id: str = "bench"

    def hello(self, client_id: str = "") -> frame_pb2.Hello:
        """Hello of a client that leaves flow control to the transport."""
        return frame_pb2.Hello(
            protocol_version=PROTOCOL_VERSION, client_id=client_id, sdk="bench/1", window_bytes=0
        )

    def subscribe(self) -> frame_pb2.Subscribe:
        """From now on."""
        return frame_pb2.Subscribe(topic=self.topic, at=frame_pb2.START_LATEST)

    def draft(self, intended_ns: int, sequence: int) -> event_pb2.Draft:
        """One event to publish."""
        draft_id = f"{self.run_id}-{sequence:0{_ID_DIGITS}d}"
        return event_pb2.Draft(
            id=draft_id,
            topic=self.topic,
            content=content(intended_ns, sequence, self.payload_bytes),
        )

    def connect_call(self, port: int) -> bytes:
        """Opens a Connect stream that subscribes the topic."""
        frames = (
            frame_pb2.ClientFrame(request_id=1, hello=self.hello()),
            frame_pb2.ClientFrame(request_id=2, subscribe=self.subscribe()),
        )
        bodies = [frame.SerializeToString() for frame in frames]
        return wire.h2_call(f"{SERVICE}/Connect", f"127.0.0.1:{port}", bodies)

    def publisher_call(self, port: int) -> bytes:
        """Opens a Connect stream that only publishes."""
        hello = frame_pb2.ClientFrame(request_id=1, hello=self.hello())
        return wire.h2_call(f"{SERVICE}/Connect", f"127.0.0.1:{port}", [hello.SerializeToString()])

    def listen_call(self, port: int) -> bytes:
        """Opens a Listen stream by grpc-web."""
        request = realtime_service_pb2.ListenRequest(
            hello=self.hello(), subscriptions=[self.subscribe()]
        )
        origin = f"http://127.0.0.1:{port}"
        return wire.h1_call(
            f"{SERVICE}/Listen", f"127.0.0.1:{port}", request.SerializeToString(), origin
        )

    def template(self) -> Template:
        """One publish of one event over the publisher's stream."""
        publish = frame_pb2.PublishRequest(drafts=[self.draft(0, 0)])
        frame = frame_pb2.ClientFrame(request_id=_PUBLISH_REQUEST_ID, publish=publish)
        data = wire.data_frame([frame.SerializeToString()])
        digits = data.index(f"{self.run_id}-{0:0{_ID_DIGITS}d}".encode()) + len(self.run_id) + 1
        return Template(data, digits, _ID_DIGITS, data.index(marker(0, 0)))
