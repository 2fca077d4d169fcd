"""The back end's routes over ASGI: uploads that resume, conflicts, tokens, origins."""

from __future__ import annotations

import asyncio
import json
from dataclasses import replace
from typing import TYPE_CHECKING

import httpx
import jwt
import pytest
from shipspeak_demo.announcer import Announcer
from shipspeak_demo.compose import make_services
from shipspeak_demo.facts import Fact, StageBegan, UploadProgressed
from shipspeak_demo.rate import RateMeter
from shipspeak_demo.settings import Settings, SettingsError, read_settings
from shipspeak_demo.store import Database, JobQueue
from shipspeak_demo.web.app import create_app
from shipspeak_demo.web.services import LARGEST_UPLOAD

from shipspeak_realtime import RealtimeClient

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

SECRET = "0123456789abcdef0123456789abcdef"
PAGE = "http://127.0.0.1:8080"
CHUNK = {"Content-Type": "application/offset+octet-stream"}


class Told:
    """Keeps what was published, and can hold publishing up as a hub that is away does."""

    def __init__(self) -> None:
        self.facts: list[Fact] = []
        self.open = asyncio.Event()
        self.open.set()

    async def __call__(self, fact: Fact) -> None:
        await self.open.wait()
        self.facts.append(fact)


@pytest.fixture
def settings(tmp_path, samples) -> Settings:
    return Settings(
        data=tmp_path,
        hub="127.0.0.1:1",
        allowed_origins=(PAGE,),
        public_url="",
        samples=samples,
        issuer="demo-issuer",
        audience="demo-audience",
        secret=SECRET,
    )


@pytest.fixture
async def told():
    return Told()


@pytest.fixture
async def services(settings, clock, told):
    database = Database(settings.database)
    async with RealtimeClient(settings.hub) as hub:
        made = make_services(settings, database, hub, clock=clock, now=clock)
        services = replace(made, announcer=Announcer(told))
        yield services
        await services.announcer.close(1)
        await services.profile.close()
    database.close()


@pytest.fixture
async def http(services):
    transport = httpx.ASGITransport(create_app(services))
    async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1") as http:
        yield http


async def make(http, size: int):
    answer = await http.post("/api/meetings", json={"filename": "a.vtt", "size": size})
    assert answer.status_code == 201
    return answer.json()


async def send(http, url: str, offset: int, body):
    headers = {**CHUNK, "Upload-Offset": str(offset)}
    return await http.patch(url, content=body, headers=headers)


async def test_an_upload_in_chunks_queues_the_meeting(http, services, settings, told):
    meeting = await make(http, 11)
    for offset, body in ((0, b"hello"), (5, b" "), (6, b"world")):
        answer = await send(http, meeting["upload_url"], offset, body)
        assert (answer.status_code, answer.headers["upload-offset"]) == (
            204,
            str(offset + len(body)),
        )
    shown = (await http.get(f"/api/meetings/{meeting['id']}")).json()
    assert (shown["status"], shown["received"], shown["size"]) == ("queued", 11, 11)
    assert (settings.uploads / f"{meeting['id']}-1").read_bytes() == b"hello world"
    await services.announcer.drained()
    began, *progress = told.facts
    assert isinstance(began, StageBegan)
    assert progress[-1].sent == progress[-1].total == 11
    assert sorted({fact.sent for fact in progress}) == [fact.sent for fact in progress]


@pytest.mark.parametrize("offset", [0, 4, 6, 11])
async def test_a_wrong_offset_is_a_conflict_and_tells_the_right_one(http, offset):
    meeting = await make(http, 11)
    await send(http, meeting["upload_url"], 0, b"hello")
    answer = await send(http, meeting["upload_url"], offset, b"xxxxx")
    assert (answer.status_code, answer.headers["upload-offset"]) == (409, "5")
    assert answer.json()["error"]["code"] == "OFFSET_MISMATCH"
    for ask in (http.head, http.get):
        shown = await ask(meeting["upload_url"])
        assert (shown.headers["upload-offset"], shown.headers["upload-length"]) == ("5", "11")


async def test_a_broken_line_keeps_what_came(services, settings):
    meeting = services.meetings.create("t", "a.vtt", 10)
    messages = [
        {"type": "http.request", "body": b"abcd", "more_body": True},
        {"type": "http.disconnect"},
    ]
    url = f"/api/uploads/{meeting.upload_id}"
    scope = {
        "type": "http", "method": "PATCH", "path": url, "raw_path": url.encode(),
        "query_string": b"", "root_path": "", "scheme": "http", "http_version": "1.1",
        "headers": [
            (b"content-type", b"application/offset+octet-stream"), (b"upload-offset", b"0"),
        ],
    }  # fmt: skip

    async def receive():
        return messages.pop(0)

    async def discard(message):
        del message

    await create_app(services)(scope, receive, discard)
    assert services.uploads.get(meeting.upload_id).received == 4
    assert not services.busy


async def test_bytes_above_the_kept_offset_are_cut_off(http, services, settings):
    meeting = await make(http, 6)
    await send(http, meeting["upload_url"], 0, b"abc")
    # What a crash leaves behind: written, but never counted.
    with (settings.uploads / f"{meeting['id']}-1").open("ab") as file:
        file.write(b"lost tail")
    await send(http, meeting["upload_url"], 3, b"def")
    assert (settings.uploads / f"{meeting['id']}-1").read_bytes() == b"abcdef"


async def test_more_than_announced_is_refused(http):
    meeting = await make(http, 4)
    answer = await send(http, meeting["upload_url"], 0, b"abcdef")
    assert (answer.status_code, answer.json()["error"]["code"]) == (413, "TOO_LARGE")
    assert (await http.head(meeting["upload_url"])).headers["upload-offset"] == "4"


async def test_two_at_once_are_one_too_many(http):
    meeting = await make(http, 8)
    first_half_in, go_on = asyncio.Event(), asyncio.Event()

    async def slow() -> AsyncIterator[bytes]:
        yield b"abcd"
        first_half_in.set()
        await go_on.wait()
        yield b"efgh"

    async with asyncio.TaskGroup() as group:
        first = group.create_task(send(http, meeting["upload_url"], 0, slow()))
        await first_half_in.wait()
        second = await send(http, meeting["upload_url"], 0, b"zzzz")
        go_on.set()
    assert (second.status_code, second.json()["error"]["code"]) == (423, "UPLOAD_BUSY")
    assert (first.result().status_code, first.result().headers["upload-offset"]) == (204, "8")


async def test_progress_is_told_while_the_bytes_come(http, services, clock, told):
    meeting = await make(http, 50)

    async def throttled() -> AsyncIterator[bytes]:
        for _ in range(5):
            clock.advance(0.5)
            yield b"0123456789"
            await services.announcer.drained()

    await send(http, meeting["upload_url"], 0, throttled())
    await services.announcer.drained()
    told = [fact for fact in told.facts if isinstance(fact, UploadProgressed)]
    assert [fact.sent for fact in told] == [10, 20, 30, 40, 50]
    assert {fact.bytes_per_second for fact in told} == {20.0}


async def test_an_upload_does_not_wait_for_the_hub(http, services, told):
    told.open.clear()
    meeting = await make(http, 30)
    for offset in (0, 10, 20):
        assert (await send(http, meeting["upload_url"], offset, b"x" * 10)).status_code == 204
    assert told.facts == []
    told.open.set()
    await services.announcer.drained()
    told = told.facts
    assert isinstance(told[0], StageBegan)
    # What waited was replaced by newer progress of the same upload.
    assert told[-1].sent == 30
    assert len(told) <= 3


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        ({"filename": "a", "size": LARGEST_UPLOAD + 1}, 413, "TOO_LARGE"),
        ({"filename": "a", "size": 0}, 422, "BAD_REQUEST"),
        ({"filename": "a", "size": True}, 422, "BAD_REQUEST"),
        ({"filename": "a", "size": "9"}, 422, "BAD_REQUEST"),
        ({"filename": "", "size": 9}, 422, "BAD_REQUEST"),
        ({"filename": "a\x00b", "size": 9}, 422, "BAD_REQUEST"),
        ({"filename": "a" * 201, "size": 9}, 422, "BAD_REQUEST"),
        ({"size": 9}, 422, "BAD_REQUEST"),
        ([], 422, "BAD_REQUEST"),
    ],
)
async def test_bad_meetings_are_refused(http, body, status, code):
    answer = await http.post("/api/meetings", json=body)
    assert (answer.status_code, answer.json()["error"]["code"]) == (status, code)
    assert answer.json()["error"]["what_to_do"]


async def test_a_body_that_is_no_json_is_refused(http):
    kind = {"Content-Type": "application/json"}
    for content, headers, status in (
        (b"{", kind, 422),
        (b"[" * 10_000, kind, 422),
        (b" " * 20_000, kind, 413),
        (b"{}", {"Content-Type": "text/plain"}, 415),
    ):
        answer = await http.post("/api/meetings", content=content, headers=headers)
        assert answer.status_code == status, content[:10]


async def test_bad_patches_are_refused(http):
    url = (await make(http, 4))["upload_url"]
    for headers, status in (
        ({"Upload-Offset": "0"}, 415),
        ({**CHUNK}, 422),
        ({**CHUNK, "Upload-Offset": "-1"}, 422),
        ({**CHUNK, "Upload-Offset": "9" * 40}, 422),
    ):
        assert (await http.patch(url, content=b"x", headers=headers)).status_code == status
    assert (await send(http, "/api/uploads/none", 0, b"x")).status_code == 404
    assert (await http.get("/api/none")).json()["error"]["code"] == "NOT_FOUND"
    assert (await http.put(url)).json()["error"]["code"] == "METHOD_NOT_ALLOWED"


async def test_recovery_uploads_again(http, services, clock):
    meeting = await make(http, 2)
    assert (await http.post(f"/api/meetings/{meeting['id']}/retry", json={})).status_code == 409
    await send(http, meeting["upload_url"], 0, b"hi")
    queue = JobQueue(services.meetings._database, clock)
    lease = queue.claim("w")
    assert lease is not None
    queue.settle(lease, "x", failure='{"code": "BROKEN_TRANSCRIPT"}')
    queue.close(lease)
    shown = (await http.get(f"/api/meetings/{meeting['id']}")).json()
    assert (shown["status"], shown["failure"]) == ("failed", {"code": "BROKEN_TRANSCRIPT"})
    again = await http.post(
        f"/api/meetings/{meeting['id']}/retry",
        json={"option": "upload_again", "filename": "b.vtt", "size": 3},
    )
    assert (again.status_code, again.json()["attempt"]) == (201, 2)
    assert again.json()["upload_url"] != meeting["upload_url"]
    assert (await send(http, meeting["upload_url"], 2, b"")).status_code == 404
    assert (await send(http, again.json()["upload_url"], 0, b"abc")).status_code == 204
    assert (await http.get("/api/meetings")).json()["meetings"][0]["status"] == "queued"


async def test_a_way_out_that_was_not_offered_is_refused(http, services, clock):
    """Retrying the stage on a broken file was once accepted, and failed in the same way again."""
    meeting = await make(http, 2)
    await send(http, meeting["upload_url"], 0, b"hi")
    queue = JobQueue(services.meetings._database, clock)
    lease = queue.claim("w")
    assert lease is not None
    offered = [{"option": "upload_again", "label": "Upload a corrected file"}]
    queue.settle(lease, "x", failure=json.dumps({"code": "X", "options": offered}))
    queue.close(lease)
    url = f"/api/meetings/{meeting['id']}/retry"
    refused = await http.post(url, json={"option": "retry_stage"})
    assert refused.status_code == 409
    assert refused.json()["error"]["code"] == "NOT_OFFERED"
    assert "upload_again" in refused.json()["error"]["what_to_do"]
    again = {"option": "upload_again", "filename": "b.vtt", "size": 3}
    assert (await http.post(url, json=again)).status_code == 201


@pytest.mark.parametrize(
    ("given", "after"), [({}, "b.vtt"), ({"title": "Weekly review"}, "Weekly review")]
)
async def test_another_file_renames_a_meeting_that_had_the_files_name(http, given, after):
    body = {"filename": "a.vtt", "size": 2, **given}
    meeting = (await http.post("/api/meetings", json=body)).json()
    again = {"option": "upload_again", "filename": "b.vtt", "size": 3}
    assert (await http.post(f"/api/meetings/{meeting['id']}/retry", json=again)).status_code == 201
    shown = (await http.get(f"/api/meetings/{meeting['id']}")).json()
    assert (shown["title"], shown["filename"]) == (after, "b.vtt")


async def test_recovery_refuses_other_options(http):
    meeting = await make(http, 2)
    url = f"/api/meetings/{meeting['id']}/retry"
    assert (await http.post(url, json={"option": "pray"})).status_code == 422
    assert (await http.post("/api/meetings/none/retry", json={})).status_code == 404


async def test_result_and_transcript(http, services, clock):
    data = b"Dana: hello there\nLee: hi\n"
    meeting = await make(http, len(data))
    base = f"/api/meetings/{meeting['id']}"
    assert (await http.get(f"{base}/result")).json()["error"]["code"] == "NOT_READY"
    assert (await http.get(f"{base}/transcript")).json()["error"]["code"] == "NOT_READY"
    await send(http, meeting["upload_url"], 0, data)
    shown = (await http.get(f"{base}/transcript")).json()
    assert (shown["timing"], [cue["speaker"] for cue in shown["cues"]]) == (
        "estimated",
        ["Dana", "Lee"],
    )
    queue = JobQueue(services.meetings._database, clock)
    lease = queue.claim("w")
    assert lease is not None
    queue.settle(lease, "x", result='{"summary": {}}')
    assert (await http.get(f"{base}/result")).json() == {"summary": {}}


async def test_page_token(http, clock):
    body = (await http.get("/api/token?user=alice")).json()
    claims = jwt.decode(
        body["token"], SECRET, algorithms=["HS256"], audience="demo-audience",
        issuer="demo-issuer", options={"verify_exp": False, "verify_iat": False},
    )  # fmt: skip
    assert (claims["sub"], claims["exp"] - claims["iat"], claims["exp"]) == (
        "alice",
        600,
        body["expires_at"],
    )
    own = ["user/alice", "user/alice/progress", "practice/alice/*"]
    assert claims["grants"] == {
        "publish": [],
        "subscribe": ["meeting/*", *own, "system/all", "group/team"],
        "presence": ["meeting/*", "group/team"],
        "work": [],
        "admin": False,
    }
    assert (await http.get("/api/token", params={"user": "a/*"})).status_code == 422


async def test_only_the_pages_origin_is_let_in(http):
    ask = {
        "Access-Control-Request-Method": "PATCH",
        "Access-Control-Request-Headers": "upload-offset",
    }
    allowed = await http.options("/api/uploads/x", headers={"Origin": PAGE, **ask})
    assert (allowed.status_code, allowed.headers["access-control-allow-origin"]) == (200, PAGE)
    foreign = await http.options("/api/uploads/x", headers={"Origin": "http://evil.example", **ask})
    assert foreign.status_code == 400
    assert "access-control-allow-origin" not in foreign.headers
    missing = await http.get("/api/meetings/none", headers={"Origin": PAGE})
    assert (missing.status_code, missing.headers["access-control-allow-origin"]) == (404, PAGE)
    assert "upload-offset" in missing.headers["access-control-expose-headers"].lower()
    other = await http.get("/api/token", headers={"Origin": "http://evil.example"})
    assert "access-control-allow-origin" not in other.headers


async def test_samples(http, samples):
    listed = (await http.get("/api/samples")).json()["samples"]
    assert {one["name"] for one in listed} == {
        path.name for path in samples.iterdir() if path.name != "index.json"
    }
    for one in listed:
        data = (await http.get(f"/api/samples/{one['name']}")).content
        assert (len(data), data) == (one["size"], (samples / one["name"]).read_bytes())
    assert (await http.get("/api/samples/index.json")).status_code == 404


def test_rate_over_a_sliding_window(clock):
    meter = RateMeter(clock, window_s=2.0)
    assert meter.mark(0) == 0.0
    rates = []
    for total in (100, 200, 300, 300, 300, 300):
        clock.advance(1)
        rates.append(meter.mark(total))
    assert rates == [100.0, 100.0, 100.0, 50.0, 0.0, 0.0]


def test_settings_need_the_hubs_secret():
    env = {"RTHUB_AUTH_HS256_SECRET": SECRET, "RTHUB_AUTH_ISSUER": "i", "RTHUB_AUTH_AUDIENCE": "a"}
    assert SECRET not in repr(read_settings(env))
    for name in env:
        with pytest.raises(SettingsError, match=name):
            read_settings({**env, name: ""})
    with pytest.raises(SettingsError, match="shorter than 32"):
        read_settings({**env, "RTHUB_AUTH_HS256_SECRET": "short"})
