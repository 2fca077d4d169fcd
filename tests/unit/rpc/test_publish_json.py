"""Publishing as JSON: the same request, the same refusals, counted like all others."""

from __future__ import annotations

import json

import pytest

from hub.rpc.publish_json import JsonAnswer, publish_json
from hub.session.sink import Caller
from tests.support.listening import UnaryBench

JSON = {"content-type": "application/json"}


class _Bench(UnaryBench):
    async def post(self, body: bytes, metadata: dict[str, str]) -> JsonAnswer:
        method = publish_json(self.unary.publish, self.metrics)
        return await method(body, Caller(metadata))


@pytest.fixture
async def bench() -> _Bench:
    return _Bench()


async def test_a_draft_as_json_is_stored(bench: _Bench) -> None:
    metrics = {"metrics": {"metrics": [{"name": "n"}]}}
    body = {"drafts": [{"id": "h1", "topic": "meeting/1", "content": metrics}]}
    status, text = await bench.post(
        json.dumps(body).encode(), {"content-type": "Application/JSON; charset=utf-8"}
    )
    (result,) = json.loads(text)["results"]
    assert (status, result["outcome"], result["offset"]) == (200, "OUTCOME_STORED", "1")


@pytest.mark.parametrize(
    ("body", "metadata", "status", "reason"),
    [
        (b"{}", {"content-type": "text/plain"}, 400, "FIELD_INVALID"),
        (b"{}", {}, 400, "FIELD_INVALID"),
        (b"[", JSON, 400, "FRAME_MALFORMED"),
        (b"\xff", JSON, 400, "FRAME_MALFORMED"),
        (b'{"drafts": 1}', JSON, 400, "FRAME_MALFORMED"),
        (b"{}", {**JSON, "authorization": "Bearer x"}, 401, "TOKEN_SIGNATURE_INVALID"),
    ],
)
async def test_a_refusal_has_its_status_and_reason_and_is_counted(
    bench: _Bench, body: bytes, metadata: dict[str, str], status: int, reason: str
) -> None:
    answered, text = await bench.post(body, metadata)
    assert (answered, json.loads(text)["details"][0]["reason"]) == (status, reason)
    assert f'rthub_refused_total{{reason="{reason}"}} 1.0' in bench.metrics.render()[0].decode()
