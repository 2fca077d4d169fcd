"""Where the token comes from."""

from __future__ import annotations

import asyncio

import pytest

from shipspeak_realtime import AuthError, NetworkError, ServerBusyError
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
        return f"token-{len(asked)}"

    source = TokenSource(get_token)
    waiting = [asyncio.create_task(source.current()) for _ in range(3)]
    await asyncio.sleep(0)
    waiting[0].cancel()
    gate.set()
    assert await asyncio.gather(*waiting[1:]) == ["token-1", "token-1"]
    assert await source.current() == "token-1"
    assert await source.renew() == "token-2"
    assert await source.current() == "token-2"


async def test_none_from_the_function_means_signed_out():
    async def get_token() -> None:
        return None

    with pytest.raises(AuthError) as caught:
        await TokenSource(get_token).current()
    assert caught.value.reason == "TOKEN_MISSING"


async def test_what_the_function_raises_is_a_network_error():
    async def get_token() -> str:
        raise KeyError("mine")

    source = TokenSource(get_token)
    for ask in (source.current, source.renew):
        with pytest.raises(NetworkError, match="the token function failed: KeyError") as caught:
            await ask()
        assert isinstance(caught.value.__cause__, KeyError)


async def test_a_typed_error_of_the_function_stays_what_it_is():
    async def get_token() -> str:
        raise ServerBusyError("later", retry_after=2.0)

    with pytest.raises(ServerBusyError):
        await TokenSource(get_token).current()


async def test_a_function_that_cancels_itself_cancels_nobody_else():
    async def get_token() -> str:
        raise asyncio.CancelledError

    with pytest.raises(NetworkError, match="cancelled"):
        await TokenSource(get_token).current()


async def test_a_caller_that_is_cancelled_while_it_asks_stays_cancelled():
    async def get_token() -> str:
        await asyncio.Event().wait()
        return ""

    source = TokenSource(get_token)
    asking = asyncio.create_task(source.current())
    await asyncio.sleep(0)
    asking.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asking


@pytest.mark.parametrize("bad", ["abc\n", "a b", "tök", "a\0", b"abc"], ids=repr)
async def test_what_no_header_can_carry_is_an_auth_error(bad: str):
    async def get_token() -> str:
        return bad

    for source in (TokenSource(bad), TokenSource(get_token)):
        for ask in (source.current, source.renew):
            with pytest.raises(AuthError) as caught:
                await ask()
            assert caught.value.reason == "TOKEN_MALFORMED"
            assert repr(bad) not in str(caught.value), "a token is not for logs"
