"""`rthub publish`, `tail` and `health` as a person runs them."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.support.hub_process import HubProcess

pytestmark = pytest.mark.timeout(240)
RTHUB = str(Path(sys.executable).parent / "rthub")
PROGRESS = '{"meeting": {"stageProgress": {"stage": "analyse", "fraction": 0.4, "eta": "12s"}}}'
COMMAND_SECONDS = 50


def rthub(*arguments: str, server: str = "") -> subprocess.CompletedProcess[str]:
    env = {**os.environ, "RTHUB_SERVER": server, "COLUMNS": "200"}
    return subprocess.run(
        [RTHUB, *arguments],
        capture_output=True,
        text=True,
        timeout=COMMAND_SECONDS,
        env=env,
        check=False,
    )


def test_publish_prints_the_receipt_and_tail_shows_the_event(shared_hub: HubProcess):
    printed = rthub("publish", "meeting/cli", "--json", PROGRESS, server=shared_hub.grpc)
    assert printed.returncode == 0, printed.stderr
    assert re.fullmatch(r"stored meeting/cli offset 1 id [0-9a-f-]{36}\n", printed.stdout)
    shown = rthub(
        "tail", "meeting/cli", "--from", "earliest", "--count", "1", server=shared_hub.grpc
    )
    assert shown.returncode == 0, shown.stderr
    assert re.fullmatch(
        r"\d\d:\d\d:\d\d\.\d{3}  meeting/cli      #1  stage_progress analyse 40% eta 12s\n",
        shown.stdout,
    )
    assert "connected" in shown.stderr


def test_text_for_people_is_a_notification(shared_hub: HubProcess):
    args = ("publish", "user/cli", "--text", "Your report is ready", "--id", "one")
    assert rthub(*args, server=shared_hub.grpc).stdout == "stored user/cli offset 1 id one\n"
    again = rthub(*args, server=shared_hub.grpc)
    assert again.stdout == "stored user/cli offset 1 id one (published before)\n"
    shown = rthub(
        *("tail", "user/cli", "--from", "earliest", "--count", "1", "--json"),
        server=shared_hub.grpc,
    )
    event = json.loads(shown.stdout)
    assert event["topic"] == "user/cli"
    assert event["content"]["notification"]["title"] == "Your report is ready"


def test_a_draft_for_later_is_scheduled(shared_hub: HubProcess):
    args = ("publish", "user/later", "--text", "x", "--id", "one", "--deliver-in", "600")
    assert rthub(*args, server=shared_hub.grpc).stdout == "scheduled user/later id one\n"
    again = rthub(*args, server=shared_hub.grpc)
    assert again.stdout == "scheduled user/later id one (published before)\n"


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (("publish", "nokind/1", "--text", "x"), 1, "NAMESPACE_UNKNOWN"),
        (("publish", "meeting/1"), 1, "--json or --text"),
        (("publish", "meeting/1", "--json", "{"), 1, "not the JSON of a Content"),
        (("publish", "meeting/1", "--json", '{"meting": {}}'), 1, "meting"),
        (("tail", "nokind/1"), 1, "NAMESPACE_UNKNOWN"),
    ],
)
def test_mistakes_are_told_in_a_line(
    shared_hub: HubProcess, arguments: tuple[str, ...], code: int, words: str
):
    result = rthub(*arguments, server=shared_hub.grpc)
    assert result.returncode == code
    assert words in result.stderr
    assert "Traceback" not in result.stderr


def test_tail_counts_what_it_does_not_show(shared_hub: HubProcess):
    """G6: an event past its time is not delivered, and never silently."""
    for extra in (("--ttl", "0.001"), ()):
        told = rthub("publish", "meeting/brief", "--json", PROGRESS, *extra, server=shared_hub.grpc)
        assert told.returncode == 0, told.stderr
    shown = rthub(
        "tail", "meeting/brief", "--from", "earliest", "--count", "1", server=shared_hub.grpc
    )
    assert "#2" in shown.stdout
    assert "-- meeting/brief: 1 expired, not shown (in offsets 1 to 2)" in shown.stderr


def test_tail_outlives_a_killed_hub_and_ends_cleanly(hub: HubProcess):
    env = {**os.environ, "RTHUB_SERVER": hub.grpc, "COLUMNS": "200"}
    with subprocess.Popen(
        [RTHUB, "tail", "meeting/1", "--from", "earliest"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=env,
    ) as tail:
        assert tail.stdout is not None
        assert tail.stderr is not None
        rthub("publish", "meeting/1", "--json", PROGRESS, server=hub.grpc)
        assert "#1  stage_progress analyse 40%" in tail.stdout.readline()
        hub.restart()
        rthub("publish", "meeting/1", "--json", PROGRESS, server=hub.grpc)
        assert "#2  stage_progress analyse 40%" in tail.stdout.readline()
        tail.send_signal(signal.SIGINT)
        rest, told = tail.communicate(timeout=COMMAND_SECONDS)
    assert (tail.returncode, rest) == (0, "")
    lines = told.splitlines()
    assert lines[0] == "-- connected"
    assert re.match(r"-- the connection was lost, again in \d+\.\d s", lines[1])
    assert lines[-2:] == ["-- connected", "-- meeting/1: resumed, 0 lost"]


def test_health_tells_by_its_exit_code(hub: HubProcess):
    assert rthub("health", server=hub.grpc).returncode == 0
    service = "shipspeak.realtime.v1.RealtimeService"
    assert rthub("health", "--service", service, server=hub.grpc).returncode == 0
    assert rthub("health", "--service", "no.such.Service", server=hub.grpc).returncode == 3
    hub.kill()
    assert rthub("health", "--timeout", "0.5", server=hub.grpc).returncode == 2


def test_health_names_the_services_that_it_knows(shared_hub: HubProcess):
    told = rthub("health", "--service", "nope", server=shared_hub.grpc)
    assert told.returncode == 3
    assert "shipspeak.realtime.v1.RealtimeService" in told.stderr
    assert "NOT_FOUND" not in told.stderr


@pytest.mark.parametrize("door", ["--grpc-port", "--http-port"])
@pytest.mark.parametrize("as_json", [False, True])
def test_a_taken_port_is_named_with_what_to_do(
    shared_hub: HubProcess, tmp_path: Path, door: str, as_json: bool
):
    taken = {"--grpc-port": shared_hub.grpc, "--http-port": shared_hub.http}[door]
    port = taken.rpartition(":")[2]
    ports = {"--grpc-port": "0", "--http-port": "0", door: port}
    options = [part for item in ports.items() for part in item] + ["--log-json"] * as_json
    told = rthub("serve", "--dev", "--data-dir", str(tmp_path), *options)
    assert told.returncode == 2
    assert all(words in told.stderr for words in (f":{port}", "in use", f"{door} (0 = "))
    assert "GRPC_VERBOSITY" not in told.stderr
    assert ".cc:" not in told.stderr
    if as_json:
        assert [json.loads(line)["event"] for line in told.stderr.splitlines()][-1:] == [
            "cannot_start"
        ]


def test_a_pattern_that_matches_nothing_is_not_minted():
    secret = ("--secret", "integration-secret-0123456789abcdef")
    assert rthub("token", "alice", "--subscribe", "***", *secret).returncode == 1
    assert rthub("token", "alice", "--subscribe", "user/{sub}", *secret).returncode == 0
    told = rthub("token", "spiffe://org/x", "--subscribe", "user/{sub}", *secret)
    assert told.returncode == 1
    assert "{sub}" in told.stderr
    assert rthub("token", "spiffe://org/x", "--publish", "meeting/*", *secret).returncode == 0


@pytest.mark.parametrize(
    "command", [("publish", "meeting/1", "--text", "x"), ("tail", "meeting/1")]
)
def test_a_missing_token_comes_with_how_to_give_one(
    start_hub: Callable[..., HubProcess], command: tuple[str, ...]
):
    key = {"RTHUB_AUTH_HS256_SECRET": "integration-secret-0123456789abcdef"}
    told = rthub(*command, server=start_hub(env=key, dev=False).grpc)
    assert told.returncode == 1
    assert "RTHUB_TOKEN" in told.stderr
    assert told.stderr.count("TOKEN_MISSING") == 1


@pytest.mark.parametrize(
    "arguments",
    [("--bogus",), ("--timeout", "soon"), ("more",), ("--server", ""), ("--server", "http://a:1")],
)
def test_bad_arguments_of_health_exit_1(arguments: tuple[str, ...]):
    assert rthub("health", *arguments).returncode == 1
