"""Subscribed frames: the answer to Subscribe, and the notices that come unasked in mid-stream."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hub.engine.contract import TopicHead
from hub.session import frames
from shipspeak.realtime.v1 import frame_pb2

if TYPE_CHECKING:
    from hub.fanout.ring import Ring


def subscribed_frame(
    topic: str,
    state: TopicHead,
    verdict: frame_pb2.Verdict.ValueType,
    *,
    position: int,
    cursor: bytes,
    request_id: int = 0,
    lost: int | None = None,
) -> bytes:
    """ServerFrame{subscribed}: the verdict and where the receiver stands."""
    subscribed = frame_pb2.Subscribed(
        request_id=request_id,
        topic=topic,
        verdict=verdict,
        head=state.head,
        epoch=state.epoch,
        lost=lost,
    )
    subscribed.position.cursor = cursor
    subscribed.position.handled_offset = position
    if state.oldest_ms:
        subscribed.oldest_at.CopyFrom(frames.timestamp_ms(state.oldest_ms))
    return frame_pb2.ServerFrame(subscribed=subscribed).SerializeToString()


def gap_frame(ring: Ring, offset: int, cursor: bytes, lost: int, *, oldest_ms: int) -> bytes:
    """Subscribed{GAP} in mid-stream: a reader lost history to trimming and goes on at offset.

    ``oldest_ms``: when the oldest kept event was published; 0 = none is kept.
    """
    return subscribed_frame(
        ring.topic,
        TopicHead(ring.epoch, ring.head, offset, oldest_ms),
        frame_pb2.VERDICT_GAP,
        position=offset,
        cursor=cursor,
        lost=lost,
    )


def lost_frame(topic: str, lost: int) -> bytes:
    """Subscribed{GAP} of a topic without a log (epoch 0): a slow reader was left behind."""
    return subscribed_frame(
        topic, TopicHead(0, 0, 0), frame_pb2.VERDICT_GAP, position=0, cursor=b"", lost=lost
    )
