"""AdminService: the admin right is demanded first; the methods come with their own features."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hub.rpc.unoffered import unoffered
from shipspeak.realtime.v1 import admin_service_pb2

if TYPE_CHECKING:
    from hub.rpc.admission import Admission
    from hub.rpc.unary import UnaryMethod
    from hub.session.sink import Caller

SERVICE = admin_service_pb2.DESCRIPTOR.services_by_name["AdminService"]


def admin_methods(admission: Admission) -> dict[str, UnaryMethod]:
    """RPC name -> method, for all RPCs of the service."""
    return {method.name: _unavailable(method.name, admission) for method in SERVICE.methods}


def _unavailable(name: str, admission: Admission) -> UnaryMethod:
    async def refuse(_request: bytes, caller: Caller) -> bytes:
        admission.principal(caller).require_admin()
        raise unoffered(name)

    return refuse
