"""Where the token comes from."""

from __future__ import annotations

import asyncio

import pytest

from shipspeak_realtime import AuthError
from shipspeak_realtime.tokens import TokenSource


async def test_a_fixed_token_stays():
    source = TokenSource("fixed")
    assert [await source.current(), await source.renew()] == ["fixed", "fixed"]
    assert not source.renewable
    assert await TokenSource(None).current() is None


async def test_a_function_is_asked_once_for_all_who_wait():
    asked = []
    gate = asyncio.Event()

    async def get_token() -> str:
        asked.append(1)
        await gate.wait()
        return f"token {len(asked)}"

    source = TokenSource(get_token)
    waiting = [asyncio.create_task(source.current()) for _ in range(3)]
    await asyncio.sleep(0)
    waiting[0].cancel()
    gate.set()
    assert await asyncio.gather(*waiting[1:]) == ["token 1", "token 1"]
    assert await source.current() == "token 1"
    assert await source.renew() == "token 2"
    assert await source.current() == "token 2"


async def test_none_from_the_function_means_signed_out():
    async def get_token() -> None:
        return None

    with pytest.raises(AuthError) as caught:
        await TokenSource(get_token).current()
    assert caught.value.reason == "TOKEN_MISSING"
