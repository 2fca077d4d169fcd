"""Admin methods on topics: list, purge, delete one event, erase a user."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hub.errors import PermissionDenied, event_unknown
from hub.rpc.admin import AdminMethod, page_size
from hub.rpc.decode import decode
from hub.session.frames import timestamp_ms
from hub.topics.grammar import namespace_of
from hub.topics.namespaces import CONTROL
from hub.topics.patterns import matches
from shipspeak.realtime.v1 import admin_service_pb2
from shipspeak.realtime.v1 import error_reason_pb2 as reasons

if TYPE_CHECKING:
    from hub.engine.contract import TopicHead
    from hub.engine.steward import Steward
    from hub.fanout.registry import TopicRegistry


class TopicAdmin:
    """Looks into logs and removes from them.

    Args:
        steward: of the engine.
        registry: tells who reads.
    """

    def __init__(self, steward: Steward, registry: TopicRegistry) -> None:
        self._steward = steward
        self._registry = registry

    def table(self) -> dict[str, AdminMethod]:
        """RPC name -> method."""
        return {
            "ListTopics": self.list_topics,
            "PurgeTopic": self.purge_topic,
            "DeleteEvent": self.delete_event,
            "EraseUser": self.erase_user,
        }

    async def list_topics(self, request: bytes) -> bytes:
        """ListTopics: those that have a log, and those that somebody reads here."""
        message = decode(admin_service_pb2.ListTopicsRequest, request)
        limit, after = page_size(message.page), message.page.token
        page = await self._steward.list_topics(message.pattern, after, limit)
        infos = {name: self._stored(name, state) for name, state in page.topics}
        for name in self._registry.names():
            in_page = after < name and (not page.after or name <= page.after)
            wanted = not message.pattern or matches(message.pattern, name)
            if in_page and wanted and name not in infos:
                infos[name] = self._read_only(name)
        names = sorted(infos)[:limit]
        more = len(infos) > limit or page.after
        return admin_service_pb2.ListTopicsResponse(
            topics=[infos[name] for name in names],
            next_page=(names[-1] if len(infos) > limit else page.after) if more else "",
        ).SerializeToString()

    def _stored(self, name: str, state: TopicHead) -> admin_service_pb2.TopicInfo:
        info = admin_service_pb2.TopicInfo(
            topic=name,
            epoch=state.epoch,
            head=state.head,
            depth=state.head - state.floor,
            readers=self._registry.readers(name),
        )
        if state.oldest_ms:
            info.oldest_at.CopyFrom(timestamp_ms(state.oldest_ms))
        return info

    def _read_only(self, name: str) -> admin_service_pb2.TopicInfo:
        """A topic that was never written, or keeps nothing."""
        live = self._registry.live(name)
        epoch = live.ring.epoch if live is not None else 0
        return admin_service_pb2.TopicInfo(
            topic=name, epoch=epoch, readers=self._registry.readers(name)
        )

    async def purge_topic(self, request: bytes) -> bytes:
        """PurgeTopic."""
        message = decode(admin_service_pb2.PurgeTopicRequest, request)
        # A namespace that the configuration knows no more can still be emptied.
        _check_removable(message.topic)
        removed = await self._steward.purge(message.topic)
        return admin_service_pb2.PurgeTopicResponse(removed=removed).SerializeToString()

    async def delete_event(self, request: bytes) -> bytes:
        """DeleteEvent."""
        message = decode(admin_service_pb2.DeleteEventRequest, request)
        _check_removable(message.topic)
        if not await self._steward.withdraw(
            message.topic, message.event_id, message.offset, message.publisher
        ):
            raise event_unknown(message.topic, message.event_id)
        return admin_service_pb2.DeleteEventResponse().SerializeToString()

    async def erase_user(self, request: bytes) -> bytes:
        """EraseUser."""
        message = decode(admin_service_pb2.EraseUserRequest, request)
        removed = await self._steward.erase(message.user)
        return admin_service_pb2.EraseUserResponse(removed=removed).SerializeToString()


def _check_removable(topic: str) -> None:
    """Check that a topic's events may be removed: what the hub itself goes by may not."""
    if namespace_of(topic) == CONTROL:
        raise PermissionDenied(
            reasons.ERROR_REASON_RIGHT_MISSING,
            f"{topic} is the hub's own book: what was revoked stays revoked",
            topic=topic,
            right="admin",
        )
