"""Admin methods on all instances: asked of any, they tell of every one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from hub.errors import HubError, InvalidArgument, NotFound
from hub.rpc.admin import AdminMethod, page_size
from hub.rpc.decode import decode
from hub.rpc.elsewhere import Others, ask_all, ask_one
from shipspeak.realtime.v1 import admin_service_pb2 as messages
from shipspeak.realtime.v1 import error_reason_pb2 as reasons

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

_OF_WORK: Final = ("ListWork", "SeekWork", "DeleteWork", "ReplayDeadLetters")


class EverywhereAdmin:
    """Merges what the instances say.

    Args:
        here: the methods on this instance.
        others: the other instances.
        leader: the instance that leads work subscriptions.
    """

    def __init__(
        self, here: Mapping[str, AdminMethod], others: Others, leader: Callable[[], str]
    ) -> None:
        self._here = here
        self._others = others
        self._leader = leader

    def table(self) -> dict[str, AdminMethod]:
        """RPC name -> method; those that concern one log are the same everywhere."""
        return {
            **self._here,
            **{name: self._by_leader(name) for name in _OF_WORK},
            "ListSessions": self.list_sessions,
            "Disconnect": self.disconnect,
            "Drain": self.drain,
        }

    def _by_leader(self, name: str) -> AdminMethod:
        async def call(request: bytes) -> bytes:
            leader = self._leader()
            if leader in ("", self._others.instance):
                return await self._here[name](request)
            return await ask_one(self._others, leader, name, request)

        return call

    async def list_sessions(self, request: bytes) -> bytes:
        """ListSessions, in the order of their ids."""
        message = decode(messages.ListSessionsRequest, request)
        pages = [
            messages.ListSessionsResponse.FromString(answer)
            for answer in await self._ask("ListSessions", request)
            if isinstance(answer, bytes)
        ]
        sessions = sorted(
            (one for page in pages for one in page.sessions), key=lambda one: one.session_id
        )
        size = page_size(message.page)
        more = len(sessions) > size or any(page.next_page for page in pages)
        # Each page is complete up to its last one: up to the least of them so is the whole.
        bound = min((page.next_page for page in pages if page.next_page), default="")
        if bound:
            sessions = [one for one in sessions if one.session_id <= bound]
        sessions = sessions[:size]
        return messages.ListSessionsResponse(
            sessions=sessions,
            next_page=sessions[-1].session_id if more and sessions else "",
        ).SerializeToString()

    async def disconnect(self, request: bytes) -> bytes:
        """Disconnect, wherever the sessions are."""
        decode(messages.DisconnectRequest, request)
        answers = await self._ask("Disconnect", request)
        done = [
            messages.DisconnectResponse.FromString(answer)
            for answer in answers
            if isinstance(answer, bytes)
        ]
        if not done:
            raise next(one for one in answers if isinstance(one, BaseException))
        return messages.DisconnectResponse(
            closed=sum(one.closed for one in done)
        ).SerializeToString()

    async def drain(self, request: bytes) -> bytes:
        """Drain: this instance, or the one that is named."""
        message = decode(messages.DrainRequest, request)
        others = self._others
        if message.instance in ("", others.instance):
            return await self._here["Drain"](request)
        if message.instance not in others.names():
            raise InvalidArgument(
                reasons.ERROR_REASON_FIELD_INVALID,
                f"there is no instance {message.instance}; ListShards and ListSessions name them",
                field="instance",
            )
        return await ask_one(others, message.instance, "Drain", request)

    async def _ask(self, method: str, request: bytes) -> list[bytes | BaseException]:
        answers = await ask_all(self._others, method, request)
        try:
            answers.insert(0, await self._here[method](request))
        except NotFound as error:
            answers.append(error)
        for answer in answers:
            if isinstance(answer, BaseException) and not isinstance(answer, HubError):
                raise answer
        return answers
