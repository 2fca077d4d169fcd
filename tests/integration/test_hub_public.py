"""Public topics at the browsers' door of a hub that wants tokens: what HTTP says of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import httpx
import pytest

from hub.auth.tokens import mint
from shipspeak.realtime.v1.realtime_service_pb2 import PollResponse
from tests.support.raw_client import RawClient, draft
from tests.support.tokens import SECRET

if TYPE_CHECKING:
    from tests.support.hub_process import HubProcess


def _token() -> str:
    return mint(
        SECRET,
        subject="editor",
        issuer="shipspeak",
        audience="shipspeak-realtime",
        lifetime=60,
        publish=["public/*", "meeting/*"],
        subscribe=["meeting/*"],
    )


async def test_anybody_reads_what_a_right_is_needed_to_write(locked_hub: HubProcess) -> None:
    """F4, G10."""
    async with RawClient(locked_hub.grpc, _token()) as editor, httpx.AsyncClient() as http:
        await editor.publish(draft("public/status", 1))
        address = f"{locked_hub.http}/v1/topics/public/status"
        answer = await http.get(f"{address}?since=earliest")
        response = PollResponse.FromString(answer.content)
        assert [event.id for frame in response.frames for run in frame.runs for event in run.events]
        control = answer.headers["cache-control"]
        assert control in {f"public, max-age={seconds}" for seconds in range(1, 6)}
        assert answer.headers["access-control-allow-origin"] == "*"
        assert "vary" not in answer.headers
        same = {"if-none-match": f'W/"other", {answer.headers["etag"]}'}
        again = await http.get(f"{address}?since=earliest", headers=same)
        assert (again.status_code, again.content) == (304, b"")
        assert again.headers["etag"] == answer.headers["etag"]
        assert "max-age" in again.headers["cache-control"]


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("meeting/1", 403),
        ("meeting/1?since=earliest", 403),
        ("nothing/1", 404),
        ("public", 400),
        ("", 400),
        ("public/a?since=!", 400),
        ("public/a?since=AAAA", 400),
        ("public/a?since=latest&since=latest", 400),
        ("public/a?since=latest&bust=1", 400),
        ("public/a?since=" + "A" * 800, 400),
        ("public/%2e%2e/x", 400),
    ],
)
async def test_refusals_are_kept_by_no_cache(
    locked_hub: HubProcess, path: str, status: int
) -> None:
    """G10: not even for those who have a token."""
    headers = {"authorization": f"Bearer {_token()}"}
    async with httpx.AsyncClient() as http:
        answer = await http.get(f"{locked_hub.http}/v1/topics/{path}", headers=headers)
    assert (answer.status_code, answer.headers["cache-control"]) == (status, "no-store")
    assert answer.json()["message"]


async def test_other_verbs_are_refused(locked_hub: HubProcess) -> None:
    async with httpx.AsyncClient() as http:
        answer = await http.post(f"{locked_hub.http}/v1/topics/public/a")
    assert (answer.status_code, answer.headers["allow"]) == (405, "GET, HEAD")
