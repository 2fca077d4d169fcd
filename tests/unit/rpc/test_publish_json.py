"""Publishing as JSON: the same request, the same refusals, counted like all others."""

from __future__ import annotations

import asyncio
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

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
        (b'{"drafts": "\\ud800"}', JSON, 400, "FRAME_MALFORMED"),
        (b"[" * 100_000, JSON, 400, "FRAME_MALFORMED"),
        (b"{}", {**JSON, "authorization": "Bearer x"}, 401, "TOKEN_SIGNATURE_INVALID"),
    ],
)
async def test_a_refusal_has_its_status_and_reason_and_is_counted(
    bench: _Bench, body: bytes, metadata: dict[str, str], status: int, reason: str
) -> None:
    answered, text = await bench.post(body, metadata)
    assert len(text) < 1000
    assert (answered, json.loads(text)["details"][0]["reason"]) == (status, reason)
    assert f'rthub_refused_total{{reason="{reason}"}} 1.0' in bench.metrics.render()[0].decode()


async def test_what_a_refusal_quotes_is_bounded(bench: _Bench) -> None:
    status, text = await bench.post(json.dumps({"drafts": "x" * 100_000}).encode(), JSON)
    assert status == 400
    assert len(text) < 1000


_texts = st.text() | st.sampled_from(["meeting/1", "user/a", "\ud800"])
_json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | _texts,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(_texts, inner, max_size=4),
    max_leaves=8,
)
_content = st.fixed_dictionaries(
    {},
    optional={
        "priority": _json,
        "key": _json,
        "attributes": _json,
        "metrics": _json | st.just({"metrics": [{"name": "n"}]}),
        "other": _json | st.fixed_dictionaries({"@type": _texts}, optional={"value": _json}),
    },
)
_draft = st.fixed_dictionaries(
    {"id": st.uuids().map(str) | _json, "topic": st.just("meeting/1") | _json},
    optional={
        "content": _content,
        "ttl": _json | st.just("3s"),
        "firstSentAt": _json | st.sampled_from(["1970-01-01T00:00:00Z", "0001-01-01T00:00:00Z"]),
        "expectedOffset": _json,
    },
)


@given(st.fixed_dictionaries({"drafts": st.lists(_draft, max_size=3) | _json}) | _json)
def test_no_json_is_a_fault_of_the_hub(value: object) -> None:
    async def post() -> JsonAnswer:
        return await _Bench().post(json.dumps(value).encode(), JSON)

    status, text = asyncio.run(post())
    assert status in (200, 400)
    assert b"INTERNAL" not in text
