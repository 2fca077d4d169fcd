"""Where a call's token comes from."""

from __future__ import annotations

import pytest

from hub.errors import Unauthenticated
from hub.rpc.admission import token_of
from hub.session.sink import Caller


@pytest.mark.parametrize(
    ("header", "hello", "token"),
    [
        ("", "", ""),
        ("", "from-hello", "from-hello"),
        ("Bearer from-header", "", "from-header"),
        ("bearer from-header", "from-hello", "from-header"),
        ("BEARER  spaced ", "", "spaced"),
    ],
)
def test_the_header_comes_first(header: str, hello: str, token: str) -> None:
    caller = Caller({"authorization": header} if header else {})
    assert token_of(caller, hello) == token


@pytest.mark.parametrize("header", ["Basic eDp5", "Bearer", "token", "Bearerx"])
def test_another_scheme_is_refused_and_not_repeated(header: str) -> None:
    with pytest.raises(Unauthenticated) as caught:
        token_of(Caller({"authorization": header}), "from-hello")
    assert caught.value.reason_name == "TOKEN_MALFORMED"
    assert header.rsplit(maxsplit=1)[-1] not in caught.value.message.replace("Bearer <JWT>", "")
