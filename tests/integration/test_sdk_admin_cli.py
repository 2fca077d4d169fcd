"""`rthub topics`, `sessions` and `queue` as an operator runs them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from shipspeak.realtime.v1 import meeting_pb2
from shipspeak_realtime import AdminClient, RealtimeClient
from tests.integration.test_sdk_cli import rthub

if TYPE_CHECKING:
    from tests.support.hub_process import HubProcess

pytestmark = pytest.mark.timeout(240)


def test_topics_are_listed_shown_purged_and_cleaned(shared_hub: HubProcess):
    """E2: a look inside, and purging."""
    for number in (1, 2):
        made = rthub(
            *("publish", "user/op", "--text", "hi", "--id", f"n{number}"), server=shared_hub.grpc
        )
        assert made.returncode == 0, made.stderr
    listed = rthub("topics", "user/*", server=shared_hub.grpc)
    assert listed.returncode == 0, listed.stderr
    header, row = listed.stdout.splitlines()
    assert header.split() == ["topic", "head", "depth", "oldest", "readers"]
    assert row.split()[:3] == ["user/op", "2", "2"]
    queue = rthub("queue", "show", "user/op", server=shared_hub.grpc).stdout.splitlines()
    assert queue[1].split()[:3] == ["user/op", "2", "2"]

    deleted = rthub("queue", "delete", "user/op", "n1", "--yes", server=shared_hub.grpc)
    assert deleted.stdout == "deleted user/op n1\n"
    shown = rthub(
        *("tail", "user/op", "--from", "earliest", "--count", "1", "--json"),
        server=shared_hub.grpc,
    )
    assert '"id": "n2"' in shown.stdout or '"id":"n2"' in shown.stdout

    purged = rthub("queue", "purge", "user/op", "-y", server=shared_hub.grpc)
    assert purged.stdout == "purged user/op: 2 events removed\n"
    after = rthub("queue", "show", "user/op", server=shared_hub.grpc)
    assert after.stdout.splitlines()[1].split() == ["user/op", "2", "0", "-", "0"]


async def test_sessions_are_listed_by_sdk(shared_hub: HubProcess):
    async with (
        RealtimeClient(shared_hub.grpc, device_id="laptop") as client,
        AdminClient(shared_hub.grpc) as admin,
    ):
        await client.publish("meeting/op", _update())
        reading = aiter(client.subscribe("meeting/op", start="earliest"))
        await anext(reading)
        found = [session async for session in admin.sessions(topic="meeting/op")]
        assert [session.device_id for session in found] == ["laptop"]
        assert len(await admin.shards()) == 4


def _update() -> meeting_pb2.MeetingUpdate:
    return meeting_pb2.MeetingUpdate(
        stage_progress=meeting_pb2.StageProgress(stage="analyse", fraction=0.5)
    )


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (("queue", "show", "meeting/never"), 1, "no such topic"),
        (("queue", "delete", "meeting/never", "x", "-y"), 3, "EVENT_UNKNOWN"),
        (("queue", "purge", "no topic", "-y"), 3, "TOPIC_INVALID"),
        (("topics", "--bogus"), 1, "No such option"),
        (("queue", "purge"), 1, "Missing argument"),
        (("sessions", "--timeout", "soon"), 1, "Invalid value"),
        (("work", "seek", "a", "--to", "yesterday"), 1, "is no time"),
        (("publish", "meeting/1", "--ttl", "abc"), 1, "Invalid value"),
        (("tail",), 1, "Missing argument"),
        (("token", "--bogus"), 1, "No such option"),
        (("bogus",), 1, "No such command"),
        (("work", "bogus"), 1, "No such command"),
        (("dead", "list", "nosuch"), 1, "no namespace 'nosuch'"),
        (("dead", "replay", "nosuch", "-y"), 1, "no namespace 'nosuch'"),
        (("dead", "replay", "meeting"), 1, "dead letters of meeting again?"),
    ],
)
def test_mistakes_have_their_exit_codes(
    shared_hub: HubProcess, arguments: tuple[str, ...], code: int, words: str
):
    result = rthub(*arguments, server=shared_hub.grpc)
    assert result.returncode == code, result.stderr
    assert words in result.stderr
    assert "Traceback" not in result.stderr


def test_a_hub_that_is_away_exits_2():
    assert rthub("topics", "--timeout", "1", server="127.0.0.1:1").returncode == 2
    assert rthub("sessions", "--timeout", "1", server="127.0.0.1:1").returncode == 2


def test_a_user_is_sent_away_and_a_token_is_revoked(shared_hub: HubProcess):
    """I1: exactly one target, and a question before what cannot be undone."""
    sent = rthub("access", "disconnect", "--user", "nobody", server=shared_hub.grpc)
    assert (sent.returncode, sent.stdout) == (0, "closed 0 sessions\n")
    revoked = rthub("access", "revoke", "--token-id", "t-1", "--yes", server=shared_hub.grpc)
    assert (revoked.returncode, revoked.stdout) == (0, "revoked the token t-1\n")
    two = rthub(
        *("access", "revoke", "--token-id", "t", "--user", "u", "--yes"), server=shared_hub.grpc
    )
    assert two.returncode == 1
    assert "give one of the three" in two.stderr
