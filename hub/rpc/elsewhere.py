"""Calls that another instance must do: those of a session that lives there, and an operator's.

A client's calls reach any instance. What concerns one session is passed on to the one that has it,
which a session's id begins with; the caller's token goes along and is checked there again.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Protocol, TypeAlias

from google.protobuf.message import DecodeError

from hub.errors import Unimplemented
from hub.session.sink import Caller
from shipspeak.realtime.v1 import error_reason_pb2 as reasons
from shipspeak.realtime.v1 import realtime_service_pb2 as messages

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

    from hub.rpc.admin import AdminMethod
    from hub.rpc.unary import UnaryMethod

# RPCs that name a session, and their requests.
_OfSession: TypeAlias = (
    type[messages.UpdateSubscriptionsRequest]
    | type[messages.TouchRequest]
    | type[messages.RefreshSessionRequest]
)
_OF_SESSIONS: Final[dict[str, _OfSession]] = {
    "UpdateSubscriptions": messages.UpdateSubscriptionsRequest,
    "Touch": messages.TouchRequest,
    "RefreshSession": messages.RefreshSessionRequest,
}
INSTANCE_CHARACTERS: Final = 12
_ADMIN: Final = "admin/"
_NOBODY: Final = Caller()


class Others(Protocol):
    """The other instances of this hub.

    Attributes:
        instance: name of this one.
    """

    instance: str

    def names(self) -> list[str]:
        """Of those that live."""

    async def call(self, instance: str, method: str, request: bytes, caller: Caller) -> bytes:
        """Have another instance do a call. Raises: HubError: as it says, or it is gone."""


def led(methods: Mapping[str, UnaryMethod], others: Others) -> dict[str, UnaryMethod]:
    """The same methods; those of a session are done where it lives."""
    return {
        name: _led(name, method, others) if name in _OF_SESSIONS else method
        for name, method in methods.items()
    }


def _led(name: str, method: UnaryMethod, others: Others) -> UnaryMethod:
    request_type = _OF_SESSIONS[name]

    async def call(request: bytes, caller: Caller) -> bytes:
        try:
            session_id = request_type.FromString(request).session_id
        except DecodeError:
            session_id = ""
        instance = session_id[:INSTANCE_CHARACTERS]
        if instance in others.names():
            return await others.call(instance, name, request, caller)
        return await method(request, caller)

    return call


class Errands:
    """Does what other instances pass on.

    Args:
        methods: RPC name -> method of RealtimeService, done here.
        admin: RPC name -> method of AdminService, done for this instance alone; whoever passes
            them on has checked the caller's right.
    """

    def __init__(
        self, methods: Mapping[str, UnaryMethod], admin: Mapping[str, AdminMethod]
    ) -> None:
        self._methods = {name: methods[name] for name in _OF_SESSIONS}
        self._admin = dict(admin)

    async def run(self, method: str, request: bytes, caller: Caller) -> bytes:
        """Do one.

        Raises:
            HubError: refused.
        """
        if method.startswith(_ADMIN) and method.removeprefix(_ADMIN) in self._admin:
            return await self._admin[method.removeprefix(_ADMIN)](request)
        if method not in self._methods:
            raise _unknown_call(method)
        return await self._methods[method](request, caller)


async def ask_all(others: Others, method: str, request: bytes) -> list[bytes | BaseException]:
    """What each other instance says to an operator's call; one that is gone, why."""
    answers: list[bytes | BaseException] = []
    for ask in [_ask(others, name, method, request) for name in others.names()]:
        try:
            answers.append(await ask())
        except Exception as error:  # noqa: BLE001 - whoever asked decides
            answers.append(error)
    return answers


def _ask(
    others: Others, instance: str, method: str, request: bytes
) -> Callable[[], Awaitable[bytes]]:
    return lambda: others.call(instance, f"{_ADMIN}{method}", request, _NOBODY)


async def ask_one(others: Others, instance: str, method: str, request: bytes) -> bytes:
    """What one other instance says to an operator's call."""
    return await others.call(instance, f"{_ADMIN}{method}", request, _NOBODY)


def _unknown_call(name: str) -> Unimplemented:
    return Unimplemented(
        reasons.ERROR_REASON_FEATURE_UNAVAILABLE, f"no instance does {name}", feature=name
    )
