"""AdminService: the admin right is demanded first, of every method alike, built or not."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import TYPE_CHECKING

import structlog

from hub.rpc.unoffered import unoffered
from shipspeak.realtime.v1 import admin_service_pb2

if TYPE_CHECKING:
    from hub.rpc.admission import Admission
    from hub.rpc.unary import UnaryMethod
    from hub.session.sink import Caller

log = structlog.get_logger(__name__)

SERVICE = admin_service_pb2.DESCRIPTOR.services_by_name["AdminService"]

AdminMethod = Callable[[bytes], Awaitable[bytes]]
"""Serialized request in, serialized response out; the caller is known to be an administrator."""

DEFAULT_PAGE = 100


def admin_methods(
    admission: Admission, offered: Mapping[str, AdminMethod]
) -> dict[str, UnaryMethod]:
    """RPC name -> method, for all RPCs of the service.

    Args:
        admission: tells who calls.
        offered: those that are built; the others are refused as UNIMPLEMENTED.
    """
    return {
        method.name: _guarded(method.name, offered.get(method.name), admission)
        for method in SERVICE.methods
    }


def _guarded(name: str, method: AdminMethod | None, admission: Admission) -> UnaryMethod:
    async def call(request: bytes, caller: Caller) -> bytes:
        principal = admission.principal(caller)
        principal.require_admin()
        if method is None:
            raise unoffered(name)
        answer = await method(request)
        log.info("admin_call", rpc=name, by=principal.subject)
        return answer

    return call


def page_size(page: admin_service_pb2.Page) -> int:
    """Items that a page may hold."""
    return page.size or DEFAULT_PAGE
