"""I3: a secret that leaks is found, whoever made it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.support import leaks
from tests.support.hub_process import HubProcess
from tests.support.tokens import SECRET, make_token

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.timeout(180)
@pytest.mark.parametrize("what", ["token", "signature", "secret"])
def test_a_planted_leak_in_a_hub_s_log_fails_its_test(tmp_path: Path, what: str) -> None:
    token = make_token()
    planted = {"token": token, "signature": token.rpartition(".")[2], "secret": SECRET}[what]
    with (
        pytest.raises(AssertionError, match="the hub's log"),
        HubProcess(tmp_path, env={"RTHUB_AUTH_HS256_SECRET": SECRET}, dev=False) as hub,
        hub.log_file.open("a") as log,
    ):
        log.write(f"refused {planted}\n")


def test_every_token_that_is_signed_is_known() -> None:
    token = make_token("somebody")
    assert leaks.signatures[-1] == token.rpartition(".")[2]
    found = leaks.search({"a URL": f"/v1/publish?token={token}"}, leaks.signatures)
    assert [leak.where for leak in found] == ["a URL"]
    assert token not in repr(found)


def test_what_is_short_is_not_looked_for() -> None:
    assert leaks.search({"a text": "of letters"}, ["t", ""]) == []
