"""grpc.health.v1 for the whole hub, each service and each shard, on every door."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_health.v1.health import aio as health_aio

if TYPE_CHECKING:
    from collections.abc import Callable

    import grpc

    from hub.engine.contract import Engine

_SERVING = health_pb2.HealthCheckResponse.SERVING
_NOT_SERVING = health_pb2.HealthCheckResponse.NOT_SERVING


class Health:
    """NOT_SERVING until ready, and again from the first moment of draining.

    Args:
        services: full names of the services.
        engine: tells about the shards, which are named ``shard/0`` and on.
        overloaded: whether nearly everything is refused for load.
    """

    def __init__(
        self, services: tuple[str, ...], engine: Engine, overloaded: Callable[[], bool]
    ) -> None:
        self._overloaded = overloaded
        self.servicer = health_aio.HealthServicer()
        self._open = False
        self._services = services
        self._engine = engine
        self._told: dict[str, bool] = {}

    @property
    def serving(self) -> bool:
        """Whether the hub as a whole does all it promises; the one answer of every probe."""
        return self._open and not self._overloaded() and all(self._shards())

    def generic_handlers(self) -> tuple[grpc.GenericRpcHandler, ...]:
        """The service's handlers, for a door that is no grpc.Server."""
        collector = _HandlerCollector()
        # The generated function wants a server, and calls no more of it than the collector has.
        health_pb2_grpc.add_HealthServicer_to_server(
            self.servicer, cast("grpc.aio.Server", collector)
        )
        return collector.handlers

    async def start(self) -> None:
        """Answer NOT_SERVING for every known name."""
        await self.refresh()

    async def set_ready(self) -> None:
        """The doors are open."""
        self._open = True
        await self.refresh()

    async def drain(self) -> None:
        """For good: NOT_SERVING, told to watchers at once."""
        self._open = False
        await self.servicer.enter_graceful_shutdown()

    async def refresh(self) -> None:
        """Tell what has changed; to be called about once a second."""
        states = {
            f"shard/{number}": self._open and serving
            for number, serving in enumerate(self._shards())
        }
        for name in ("", *self._services):
            states[name] = self.serving
        for name, serving in states.items():
            if self._told.get(name) is not serving:
                self._told[name] = serving
                await self.servicer.set(name, _SERVING if serving else _NOT_SERVING)

    def _shards(self) -> list[bool]:
        engine = self._engine
        return [engine.shard_serving(number) for number in range(engine.shard_count)]


class _HandlerCollector:
    """Keeps what generated ``add_..._to_server`` code registers."""

    def __init__(self) -> None:
        self.handlers: tuple[grpc.GenericRpcHandler, ...] = ()

    def add_generic_rpc_handlers(self, handlers: tuple[grpc.GenericRpcHandler, ...]) -> None:
        """Keep the handlers."""
        self.handlers = tuple(handlers)

    def add_registered_method_handlers(
        self, service: str, handlers: dict[str, grpc.RpcMethodHandler[bytes, bytes]]
    ) -> None:
        """The same handlers once more, for servers that look methods up by name; not needed."""
