"""The product told over a real hub: a practice session, and the end of a meeting."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, Literal

import httpx
import pytest

from shipspeak.realtime.v1 import metrics_pb2, notification_pb2
from shipspeak_realtime import UserProgress
from tests.support.demo_stage import Stage

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from shipspeak_realtime import RealtimeClient

pytestmark = pytest.mark.timeout(150)
SECONDS = 100
CLEAN = "We ship on Monday and tell everybody what has changed since. " * 6


@pytest.fixture
async def stage(tmp_path) -> AsyncIterator[Stage]:
    stage = Stage(tmp_path)
    await stage.start_hub()
    yield stage
    await asyncio.to_thread(stage.end)


async def back_end(stage: Stage) -> str:
    return (await stage.start_ready("-m", "shipspeak_demo.backend", "--port", "0"))[1]


def page(stage: Stage, url: str, user: str) -> httpx.AsyncClient:
    headers = {"Authorization": f"Bearer {stage.token(user)}"}
    return httpx.AsyncClient(base_url=url, headers=headers, timeout=30)


async def read_until(
    hub: RealtimeClient,
    topic: str,
    is_last: Callable[[Any], bool],
    start: Literal["earliest", "snapshot"] = "earliest",
) -> list[Any]:
    events: list[Any] = []
    async for event in hub.subscribe(topic, start=start):
        events.append(event)
        if is_last(event.payload):
            break
    return events


async def hear_a_hint(hub: RealtimeClient, topic: str) -> Any:
    [*_, hint] = await read_until(hub, topic, lambda one: one.HasField("hint"))
    return hint


async def test_a_practice_session_outlives_the_back_end_and_ends_in_progress(stage):
    """B1, B2, B3, B4: hints, scores, milestones once, a summary, and what it brings the user."""
    url = await back_end(stage)
    async with asyncio.timeout(SECONDS), stage.reader("ada") as hub:
        text, rounds = "", 0
        async with page(stage, url, "ada") as http:
            session = (await http.post("/api/practice", json={})).json()
            speech = f"/api/practice/{session['id']}/speech"
            hearing = asyncio.create_task(hear_a_hint(hub, session["topic"]))
            # A hint is worth five seconds and no more, so on a busy machine one may be given up.
            while not hearing.done():
                text, rounds = f"{text}Um, so um. {CLEAN}", rounds + 1
                body = {"text": text, "revision": rounds, "untimed_s": 30}
                assert (await http.put(speech, json=body)).status_code == 200
                await asyncio.wait([hearing], timeout=6)
            await read_until(hub, session["topic"], lambda one: one.HasField("milestone"))
        hint = await hearing
        assert (hint.payload.hint.aspect, hint.message.HasField("expires_at")) == ("praise", True)
        stage.running[-1].kill()
        url = await back_end(stage)
        async with page(stage, url, "ada") as http:
            body = {"text": f"{text}Thank you.", "revision": 99, "untimed_s": 30}
            assert (await http.put(speech, json=body)).status_code == 200
            ended = (await http.post(f"/api/practice/{session['id']}/finish", json={})).json()
            again = (await http.post(f"/api/practice/{session['id']}/finish", json={})).json()
            assert again == ended
            refused = await http.put(speech, json={**body, "revision": 100})
            assert (refused.status_code, refused.json()["error"]["code"]) == (409, "ENDED")
            async with page(stage, url, "ben") as other:
                assert (await other.get(f"/api/practice/{session['id']}")).status_code == 404
        events = await read_until(hub, session["topic"], lambda one: one.analytics.final)
        progress = [one async for one in take(hub, "user/ada/progress", 1)]
        inbox = await read_until(hub, "user/ada", lambda one: "First practice" in str(one))
    updates = [event.payload for event in events]
    milestones = [one.milestone.milestone_id for one in updates if one.HasField("milestone")]
    assert milestones[:2] == ["fifty-words", "clean-fifty"]
    assert len(milestones) == len(set(milestones)), "one came again after the restart"
    score = [one.score for one in updates if one.HasField("score")][-1]
    assert score.overall == ended["overall"]
    assert {one.dimension: one.score for one in score.dimensions} == ended["dimensions"]
    assert {one.name: one.value for one in updates[-1].analytics.figures} == ended["figures"]
    assert ended["figures"]["fillers"] == 2 * rounds
    assert (progress[0].level, progress[0].streak_days) == (1, 1)
    assert progress[0].goals["sessions"] == pytest.approx(0.1)
    assert inbox[-1].payload.kind == notification_pb2.NOTIFICATION_KIND_ACHIEVEMENT


async def take(hub: RealtimeClient, topic: str, sessions: int) -> AsyncIterator[UserProgress]:
    """The first progress in which so many sessions count."""
    async for event in hub.subscribe(topic, last=1):
        progress = UserProgress.of(event)
        if progress.goals["sessions"] >= sessions / 10:
            yield progress
            return


async def test_the_end_of_a_meeting_stays_until_its_owner_has_seen_it(stage, samples):
    """A3: with link and summary, in the owner's inbox, gone from everywhere once it was seen.

    Beside it the team's list has one row for the meeting, which says the same.
    """
    url = await back_end(stage)
    await stage.start_ready("-m", "shipspeak_demo.worker", "--speed", "0")
    data = (samples / "weekly-review.vtt").read_bytes()
    async with (
        asyncio.timeout(SECONDS),
        stage.reader("ada") as hub,
        page(stage, url, "ada") as http,
    ):
        body = {"title": "Weekly", "filename": "weekly.vtt", "size": len(data)}
        meeting = (await http.post("/api/meetings", json=body)).json()
        headers = {"Content-Type": "application/offset+octet-stream", "Upload-Offset": "0"}
        await http.patch(meeting["upload_url"], content=data, headers=headers)
        [*_, told] = await read_until(hub, "user/ada", lambda one: "Weekly" in str(one))
        assert told.payload.title == "Weekly is ready"
        assert told.payload.actions[0].url == f"/#/meetings/{meeting['id']}"
        result = (await http.get(f"/api/meetings/{meeting['id']}/result")).json()
        assert told.payload.body == result["summary"]["headline"]

        assert await hub.mark_read(told) == [True]
        later = await read_until(hub, "user/ada", lambda one: "WITHDRAWN" in str(one))
        assert "Weekly" not in str([event.payload for event in later])

        rows = await read_until(hub, "meeting/list", is_done, start="snapshot")
        assert [event.key for event in rows] == [meeting["id"]]
        assert rows[0].attributes["title"] == "Weekly"


def is_done(payload: metrics_pb2.MetricsUpdate) -> bool:
    return {one.name: one.value for one in payload.metrics}["percent"] == 100


async def test_each_kind_of_news_has_its_schedule_and_its_end(stage):
    """C1: announced by those at the desk alone, and a reminder that takes the place of another."""
    url = await back_end(stage)
    async with asyncio.timeout(SECONDS), stage.reader("ada") as hub:
        async with page(stage, url, "ada") as http:
            for kind in ("feature", "maintenance", "education"):
                body = {"kind": kind, "title": kind, "lasts_s": 3600}
                answer = await http.post("/api/news", json=body)
                assert (answer.status_code, answer.json()["outcome"]) == (202, "stored")
            body = {"kind": "feature", "title": "later", "in_s": 3600}
            assert (await http.post("/api/news", json=body)).json()["outcome"] == "scheduled"
            body = {"kind": "achievement", "title": "no"}
            assert (await http.post("/api/news", json=body)).status_code == 422
            for seconds in (3600, 5):
                answer = await http.post("/api/reminders", json={"in_s": seconds})
                assert answer.status_code == 202
        async with page(stage, url, "ben") as http:
            refused = await http.post("/api/news", json={"kind": "feature", "title": "no"})
            assert (refused.status_code, refused.json()["error"]["code"]) == (403, "NOT_YOURS")
        async with httpx.AsyncClient(base_url=url) as http:
            assert (await http.post("/api/news", json={})).status_code == 401
        events = await read_until(hub, "system/all", lambda one: one.title == "education")
        assert [event.payload.title for event in events] == ["feature", "maintenance", "education"]
        assert all(event.expires_at for event in events)
        [reminder] = await read_until(hub, "user/ada", lambda one: "practise" in str(one))
        assert reminder.payload.kind == notification_pb2.NOTIFICATION_KIND_REMINDER
