"""Publish: drafts in, one result each, after commit."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from hub.engine.contract import AppendResult, Engine, NotAttempted, Stored
from hub.engine.schedule import Scheduled, ScheduledDraft
from hub.errors import Aborted, HubError, InvalidArgument
from hub.model.events import NORMAL, Append, StoredEvent
from hub.pipeline.batch import Batch
from hub.pipeline.drafts import check_draft
from hub.pipeline.schedule import deliver_ms, first_sent_ms
from hub.session.frames import error_message, timestamp_ms
from shipspeak.realtime.v1 import error_reason_pb2 as reasons
from shipspeak.realtime.v1 import event_pb2, frame_pb2

if TYPE_CHECKING:
    from collections.abc import Callable

    from hub.auth.authorizer import Authorizer
    from hub.auth.grants import Principal
    from hub.engine.schedule import Schedule
    from hub.fanout.registry import TopicRegistry
    from hub.limits.rates import Rates
    from hub.limits.storage import StorageCaps
    from hub.telemetry.metrics import Metrics
    from hub.topics.namespaces import Namespace, Namespaces


@dataclass(frozen=True, slots=True)
class PublishLimits:
    """Sizes in bytes and drafts."""

    max_event_bytes: int
    max_batch_events: int
    max_batch_bytes: int


class Publisher:
    """Admits drafts and hands them to the engine, or, for volatile topics, straight to the readers.

    Args:
        engine: stores durable topics.
        registry: live topics of this instance.
        namespaces: policies.
        limits: sizes.
        metrics: counted by outcome.
        clock: seconds since the epoch.
        schedule: keeps drafts for later; None = the engine has none.
        rates: how fast users and topics may be; None = as fast as they can.
        storage: how much namespaces may keep; None = as much as there is.
        authorizer: decides what tokens do not allow; None = nobody does.

    Attributes:
        on_passed: called with events of volatile topics, for the readers of other instances.
    """

    def __init__(
        self,
        engine: Engine,
        registry: TopicRegistry,
        namespaces: Namespaces,
        limits: PublishLimits,
        metrics: Metrics,
        clock: Callable[[], float],
        schedule: Schedule | None = None,
        rates: Rates | None = None,
        storage: StorageCaps | None = None,
        authorizer: Authorizer | None = None,
    ) -> None:
        self._engine = engine
        self._registry = registry
        self._namespaces = namespaces
        self._limits = limits
        self._metrics = metrics
        self._clock = clock
        self._schedule = schedule
        self._rates = rates
        self._storage = storage
        self.on_passed: Callable[[str, StoredEvent], None] | None = None
        self._authorizer = authorizer

    async def publish(
        self, request: frame_pb2.PublishRequest, principal: Principal, device: str
    ) -> list[frame_pb2.PublishResult]:
        """Store a validated batch; a refused draft is a result, a refused batch an error.

        All up to the engine's queue happens before the first await: streams keep their order, but
        for what the authorizer has to be asked about first.

        Raises:
            InvalidArgument: BATCH_TOO_LARGE, or BATCH_TOPICS_MIXED.
        """
        started = time.perf_counter()
        self._check_batch(request)
        if self._authorizer is not None and principal.subject:
            topics = dict.fromkeys(draft.topic for draft in request.drafts)
            asked = [topic for topic in topics if not principal.allows("publish", topic)]
            await self._authorizer.prepare(principal.subject, "publish", asked)
        batch = self._sort(request, principal, device)
        for index, append in batch.passed_on:
            self._pass_on(append)
            batch.results[index] = Stored(0, 0)
        if batch.appends:
            appends = [append for _, append in batch.appends]
            batch.settle(batch.appends, await self._engine.publish(appends))
            batch.stop_failed_topics()
            if request.all_or_nothing and batch.came_to_nothing:
                self._give_back(request, batch, principal)
        if batch.later and self._schedule is not None:
            later = [draft for _, draft in batch.later]
            batch.settle(batch.later, await self._schedule.schedule(later))
        self._metrics.publish_seconds.observe(time.perf_counter() - started)
        return [
            self._result(draft, result or NotAttempted())
            for draft, result in zip(request.drafts, batch.results, strict=True)
        ]

    def _sort(self, request: frame_pb2.PublishRequest, principal: Principal, device: str) -> Batch:
        """Judge each draft as far as this instance can."""
        now_ms = int(self._clock() * 1000)
        batch = Batch([None] * len(request.drafts))
        failed_topics: set[str] = set()
        together = request.all_or_nothing
        for index, draft in enumerate(request.drafts):
            if draft.topic in failed_topics:
                batch.results[index] = NotAttempted()
                continue
            try:
                # Whole or not at all: all are counted with the first.
                count = 1 if not together else 0 if index else len(request.drafts)
                namespace = self._admit(draft, principal, count)
                batch.counted += count
                check_draft(draft, namespace, self._limits.max_event_bytes)
                durable = namespace.topic_class.durable
                later_ms = deliver_ms(
                    draft,
                    now_ms,
                    durable=durable,
                    together=together,
                    offered=self._schedule is not None,
                )
                append = self._append(
                    draft, principal, device, now_ms, later_ms, group=int(together)
                )
            except HubError as error:
                batch.results[index] = error
                failed_topics.add(draft.topic)
                continue
            if later_ms is not None:
                batch.later.append((index, ScheduledDraft(append, later_ms)))
            elif durable:
                batch.appends.append((index, append))
            else:
                batch.passed_on.append((index, append))
        if together and failed_topics:
            self._give_back(request, batch, principal)
            return Batch(batch.results)
        return batch

    def _check_batch(self, request: frame_pb2.PublishRequest) -> None:
        size = request.ByteSize()
        if (
            len(request.drafts) > self._limits.max_batch_events
            or size > self._limits.max_batch_bytes
        ):
            raise InvalidArgument(
                reasons.ERROR_REASON_BATCH_TOO_LARGE,
                f"the batch has {len(request.drafts)} drafts in {size} bytes; send smaller batches",
                max_events=self._limits.max_batch_events,
                max_bytes=self._limits.max_batch_bytes,
            )
        if request.all_or_nothing and len({draft.topic for draft in request.drafts}) > 1:
            raise InvalidArgument(
                reasons.ERROR_REASON_BATCH_TOPICS_MIXED,
                "an all_or_nothing batch must name one topic; split it",
            )
        if request.all_or_nothing and self._rates is not None:
            self._rates.check_together(request.drafts[0].topic, len(request.drafts))

    def _admit(self, draft: event_pb2.Draft, principal: Principal, count: int) -> Namespace:
        """Where a draft belongs, if its publisher may and the rates allow ``count`` drafts now."""
        namespace = self._namespaces.of(draft.topic)
        if self._authorizer is None or not principal.subject:
            principal.require("publish", draft.topic)
        elif not principal.allows("publish", draft.topic):
            self._authorizer.require(principal.subject, "publish", draft.topic)
        if self._storage is not None:
            self._storage.check(namespace.name, draft.topic)
        if self._rates is not None:
            self._rates.draft(
                principal.subject,
                draft.topic,
                priority=draft.content.priority,
                durable=namespace.topic_class.durable,
                count=count,
            )
        return namespace

    def _give_back(
        self, request: frame_pb2.PublishRequest, batch: Batch, principal: Principal
    ) -> None:
        """Nothing came of a batch that is stored whole or not at all."""
        if self._rates is not None and batch.counted:
            self._rates.give_back(principal.subject, request.drafts[0].topic, batch.counted)

    def _append(
        self,
        draft: event_pb2.Draft,
        principal: Principal,
        device: str,
        now_ms: int,
        later_ms: int | None,
        *,
        group: int,
    ) -> Append:
        expires_ms = 0
        if draft.HasField("ttl"):
            expires_ms = (later_ms or now_ms) + draft.ttl.ToMilliseconds()
        event = event_pb2.Event(
            id=draft.id,
            content=draft.content,
            # A draft for later gets it with its place in the log.
            published_at=None if later_ms else timestamp_ms(now_ms),
            publisher=principal.subject,
            publisher_device=device,
        )
        if expires_ms:
            event.expires_at.CopyFrom(timestamp_ms(expires_ms))
        return Append(
            topic=draft.topic,
            event_id=draft.id,
            publisher=principal.subject,
            body=event.SerializeToString(),
            priority=draft.content.priority or NORMAL,
            key=draft.content.key,
            published_ms=now_ms,
            expires_ms=expires_ms,
            expected_offset=draft.expected_offset if draft.HasField("expected_offset") else None,
            first_sent_ms=first_sent_ms(draft),
            group=group,
        )

    def _pass_on(self, append: Append) -> None:
        live = self._registry.live(append.topic)
        if live is None and self.on_passed is None:
            return
        event = StoredEvent(
            0,
            0,
            append.event_id,
            append.body,
            append.priority,
            append.key,
            append.published_ms,
            append.expires_ms,
        )
        if live is not None:
            live.on_events((event,))
        if self.on_passed is not None:
            self.on_passed(append.topic, event)

    def hear(self, topic: str, event: StoredEvent) -> None:
        """Another instance has passed on an event of a volatile topic, for the readers here."""
        live = self._registry.live(topic)
        if live is not None and live.volatile:
            live.on_events((event,))

    def _result(
        self, draft: event_pb2.Draft, result: AppendResult | Scheduled
    ) -> frame_pb2.PublishResult:
        message = frame_pb2.PublishResult(id=draft.id)
        if isinstance(result, Stored):
            volatile = not result.epoch
            message.outcome = frame_pb2.OUTCOME_ACCEPTED if volatile else frame_pb2.OUTCOME_STORED
            message.duplicate = result.duplicate
            message.epoch = result.epoch
            message.offset = result.offset
        elif isinstance(result, Scheduled):
            message.outcome = frame_pb2.OUTCOME_SCHEDULED
            message.duplicate = result.duplicate
        elif isinstance(result, NotAttempted):
            message.outcome = frame_pb2.OUTCOME_NOT_ATTEMPTED
            earlier = Aborted(
                reasons.ERROR_REASON_EARLIER_DRAFT_FAILED,
                "an earlier draft of this topic and batch failed; send this one again",
                topic=draft.topic,
                retry_after=0.0,
            )
            message.error.CopyFrom(error_message(earlier))
        else:
            unknown = result.reason == reasons.ERROR_REASON_OUTCOME_UNKNOWN
            message.outcome = frame_pb2.OUTCOME_UNKNOWN if unknown else frame_pb2.OUTCOME_REFUSED
            message.error.CopyFrom(error_message(result, topic=draft.topic))
        namespace = draft.topic.partition("/")[0] if isinstance(result, Stored | Scheduled) else "-"
        self._metrics.published.labels(namespace, frame_pb2.Outcome.Name(message.outcome)).inc()
        return message
