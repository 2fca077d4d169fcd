"""What goes over a link, as messages: drafts, results, events, heads, refusals."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from hub.engine.contract import AppendResult, NotAttempted, Stored, TopicHead
from hub.errors import HubError, Internal
from hub.model.events import Append, StoredEvent
from hub.model.wire import delimited
from shipspeak.realtime.internal.v1 import peer_service_pb2 as peer

if TYPE_CHECKING:
    from collections.abc import Sequence

# LinkRequest.asks and LinkResponse.words: field 1, length-delimited.
_PART: Final = 0x0A
_BY_CODE: Final[dict[int, type[HubError]]] = {kind.code: kind for kind in HubError.__subclasses__()}


def part(message: peer.Ask | peer.Word) -> bytes:
    """A part of a link's message; parts are concatenated, and shared by several links."""
    return delimited(_PART, message.SerializeToString())


def append_message(append: Append) -> peer.Append:
    """A draft for its owner."""
    message = peer.Append(
        topic=append.topic,
        event_id=append.event_id,
        publisher=append.publisher,
        body=append.body,
        priority=append.priority,
        key=append.key,
        published_ms=append.published_ms,
        expires_ms=append.expires_ms,
        first_sent_ms=append.first_sent_ms,
        group=append.group,
    )
    if append.expected_offset is not None:
        message.expected_offset = append.expected_offset
    return message


def append_of(message: peer.Append) -> Append:
    """The inverse of ``append_message``."""
    return Append(
        message.topic,
        message.event_id,
        message.publisher,
        message.body,
        message.priority,
        message.key,
        message.published_ms,
        message.expires_ms,
        message.expected_offset if message.HasField("expected_offset") else None,
        message.first_sent_ms,
        message.group,
    )


def results_message(results: Sequence[AppendResult]) -> peer.AppendResults:
    """The outcomes of a publish."""
    return peer.AppendResults(results=[_result_message(result) for result in results])


def _result_message(result: AppendResult) -> peer.AppendResult:
    if isinstance(result, Stored):
        return peer.AppendResult(
            placed=peer.Placed(epoch=result.epoch, offset=result.offset, duplicate=result.duplicate)
        )
    if isinstance(result, NotAttempted):
        return peer.AppendResult()
    return peer.AppendResult(failure=failure_message(result))


def results_of(message: peer.AppendResults) -> list[AppendResult]:
    """The inverse of ``results_message``."""
    return [_result_of(result) for result in message.results]


def _result_of(message: peer.AppendResult) -> AppendResult:
    kind = message.WhichOneof("result")
    if kind == "placed":
        placed = message.placed
        return Stored(placed.epoch, placed.offset, placed.duplicate)
    return failure_of(message.failure) if kind == "failure" else NotAttempted()


def failure_message(error: HubError) -> peer.Failure:
    """A refusal."""
    message = peer.Failure(
        code=error.code,
        reason=error.reason,
        message=error.message,
        topic=error.topic,
        metadata=error.metadata,
    )
    if error.retry_after is not None:
        message.retry_after = error.retry_after
    return message


def failure_of(message: peer.Failure) -> HubError:
    """The inverse of ``failure_message``."""
    kind = _BY_CODE.get(message.code, Internal)
    # The number comes from the same enum of the same version.
    return kind(
        message.reason,  # type: ignore[arg-type]
        message.message,
        topic=message.topic,
        retry_after=message.retry_after if message.HasField("retry_after") else None,
        **dict(message.metadata),
    )


def event_message(event: StoredEvent) -> peer.StoredEvent:
    """An event for those who follow its topic."""
    return peer.StoredEvent(
        offset=event.offset,
        prev=event.prev,
        event_id=event.event_id,
        data=event.data,
        priority=event.priority,
        key=event.key,
        published_ms=event.published_ms,
        expires_ms=event.expires_ms,
    )


def event_of(message: peer.StoredEvent) -> StoredEvent:
    """The inverse of ``event_message``."""
    return StoredEvent(
        message.offset,
        message.prev,
        message.event_id,
        message.data,
        message.priority,
        message.key,
        message.published_ms,
        message.expires_ms,
    )


def head_message(head: TopicHead) -> peer.Head:
    """The state of a topic's log."""
    return peer.Head(
        epoch=head.epoch,
        head=head.head,
        floor=head.floor,
        oldest_ms=head.oldest_ms,
        floor_id=head.floor_id,
    )


def head_of(message: peer.Head) -> TopicHead:
    """The inverse of ``head_message``."""
    return TopicHead(
        message.epoch, message.head, message.floor, message.oldest_ms, message.floor_id
    )
