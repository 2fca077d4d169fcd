"""Unary methods that count their callers: every door calls the same ones."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from hub.limits.rates import Rates
    from hub.rpc.unary import UnaryMethod
    from hub.session.sink import Caller


def limited(methods: Mapping[str, UnaryMethod], rates: Rates) -> dict[str, UnaryMethod]:
    """The same methods; a call that is too much is refused before it is looked at."""
    return {name: _limited(name, method, rates) for name, method in methods.items()}


def _limited(name: str, method: UnaryMethod, rates: Rates) -> UnaryMethod:
    async def call(request: bytes, caller: Caller) -> bytes:
        rates.call(caller.peer, name)
        return await method(request, caller)

    return call
