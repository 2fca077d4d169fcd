"""Admin methods on who may: revocation."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hub.rpc.decode import decode
from shipspeak.realtime.v1 import admin_service_pb2

if TYPE_CHECKING:
    from hub.pipeline.revoke import RevocationLog
    from hub.rpc.admin import AdminMethod


class AccessAdmin:
    """Takes rights back.

    Args:
        revocations: stores them.
    """

    def __init__(self, revocations: RevocationLog) -> None:
        self._revocations = revocations

    def table(self) -> dict[str, AdminMethod]:
        """RPC name -> method."""
        return {"Revoke": self.revoke}

    async def revoke(self, request: bytes) -> bytes:
        """Revoke: stored and in force when this answers."""
        await self._revocations.revoke(decode(admin_service_pb2.RevokeRequest, request))
        return admin_service_pb2.RevokeResponse().SerializeToString()
