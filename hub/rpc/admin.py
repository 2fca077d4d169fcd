"""AdminService: the admin right is demanded first, of every method alike, built or not.

Each call is written into the audit, whatever becomes of it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import TYPE_CHECKING, Final

from google.protobuf.message import DecodeError
from google.protobuf.message_factory import GetMessageClass
from google.rpc import code_pb2

from hub.errors import HubError, ReasonValue
from hub.rpc.unoffered import unoffered
from shipspeak.realtime.v1 import admin_service_pb2
from shipspeak.realtime.v1 import error_reason_pb2 as reasons

if TYPE_CHECKING:
    from google.protobuf.descriptor import MethodDescriptor

    from hub.pipeline.audit import AuditBook
    from hub.rpc.admission import Admission
    from hub.rpc.unary import UnaryMethod
    from hub.session.sink import Caller

SERVICE = admin_service_pb2.DESCRIPTOR.services_by_name["AdminService"]

AdminMethod = Callable[[bytes], Awaitable[bytes]]
"""Serialized request in, serialized response out; the caller is known to be an administrator."""

DEFAULT_PAGE = 100
MAX_TARGET: Final = 500


def admin_methods(
    admission: Admission, offered: Mapping[str, AdminMethod], audit: AuditBook
) -> dict[str, UnaryMethod]:
    """RPC name -> method, for all RPCs of the service.

    Args:
        admission: tells who calls.
        offered: those that are built; the others are refused as UNIMPLEMENTED.
        audit: is told of every call.
    """
    return {
        method.name: _guarded(method, offered.get(method.name), admission, audit)
        for method in SERVICE.methods
    }


def _guarded(
    rpc: MethodDescriptor, method: AdminMethod | None, admission: Admission, audit: AuditBook
) -> UnaryMethod:
    async def act(request: bytes, caller: Caller, entry: admin_service_pb2.AuditEntry) -> bytes:
        principal = admission.principal(caller)
        entry.who = principal.subject
        principal.require_admin()
        entry.target = target_of(rpc, request)
        if method is None:
            raise unoffered(rpc.name)
        return await method(request)

    async def call(request: bytes, caller: Caller) -> bytes:
        entry = admin_service_pb2.AuditEntry(action=rpc.name, peer=caller.peer)
        try:
            answer = await act(request, caller, entry)
        except asyncio.CancelledError:
            entry.code = code_pb2.CANCELLED
            audit.write_later(entry)
            raise
        except Exception as failure:
            entry.code, entry.reason = _ending(failure)
            # Without a target nobody was let in, whatever the reason: a key set that is away, say.
            await audit.write(entry, refused=not entry.target)
            raise
        await audit.write(entry)
        return answer

    return call


def _ending(
    failure: Exception,
) -> tuple[int, ReasonValue]:
    if isinstance(failure, HubError):
        return failure.code, failure.reason
    return code_pb2.INTERNAL, reasons.ERROR_REASON_INTERNAL


def target_of(rpc: MethodDescriptor, request: bytes) -> str:
    """What a request is about, in one line: its fields and their values, but for pages."""
    message = GetMessageClass(rpc.input_type)()
    try:
        message.ParseFromString(request)
    except DecodeError:
        return "unreadable"
    parts = (
        f"{field.name}={_shown(value)}"
        for field, value in message.ListFields()
        if field.name != "page"
    )
    return " ".join(parts)[:MAX_TARGET] or "all"


def _shown(value: object) -> str:
    text = value if isinstance(value, str) else " ".join(str(value).split())
    return "".join(character if character.isprintable() else "?" for character in text)


def page_size(page: admin_service_pb2.Page) -> int:
    """Items that a page may hold."""
    return page.size or DEFAULT_PAGE
