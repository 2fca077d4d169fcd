"""The choice of the server, and what another one than ours cannot keep."""

from __future__ import annotations

import pytest

from tests.wire import chosen

OURS = "it looks inside uvicorn's connections"
HEAD = "granian bounds heads by itself: 30 s, and a buffer of a size of its own"
TURN = "granian's send takes a turn of the loop, so events that come at once go out as one frame"
RUNNER = "it is about the runner of uvicorn: its sockets, signals or proxies"
CUT = "granian offers no way to cut a connection: a reader that never reads ends by TCP's time-out"
CODES = "granian ends a WebSocket that breaks the protocol or its bounds without a close code"
PINGS = "granian pings no WebSocket: a client without a window is found dead by TCP only"
STALL = "granian ended the connection of a reader that had stalled; why is not understood"
# Test -> why it cannot hold on granian. Everything else of the suite does.
NOT_ON_GRANIAN: dict[str, str] = {
    "test_slow_head_is_answered_408": HEAD,
    "test_endless_head_is_refused": HEAD,
    "test_call_that_never_ends_is_cut": "granian answers a cancelled request with 500",
    "test_stream_opens_at_once_and_carries_frames_in_order": TURN,
    "test_text_mode_is_base64_per_frame": TURN,
    "test_stalled_reader_delays_nobody_and_loses_nothing": OURS,
    "test_listener_and_accepted_connection": OURS,
    "test_given_socket_is_used_and_its_port_given_back": RUNNER,
    "test_forwarded_addresses_are_believed_from_trusted_proxies_only": RUNNER,
    "test_on_uvloop": RUNNER,
    "test_a_message_over_the_limit_ends_it": CODES,
    "test_fragments_count_together": CODES,
    "test_endless_empty_fragments_end_it": CODES,
    "test_broken_frames_end_it": CODES,
    "test_a_stalled_reader_is_bounded_delays_nobody_and_loses_nothing": OURS,
    "test_pings_without_reading_gather_no_pongs": OURS,
    "test_answers_that_nobody_reads_stop_the_reading": STALL,
    "test_a_reader_that_never_reads_is_cut_at_the_end": CUT,
    "test_reader_that_never_reads_is_cut": CUT,
    "test_a_silent_peer_is_asked_and_then_cut_off": PINGS,
    "test_a_peer_that_answers_pings_is_kept": PINGS,
    "test_no_upgrade_while_an_answer_is_under_way": "granian takes no request before the last ends",
}


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--http-server", choices=("uvicorn", "granian"), default="uvicorn")


@pytest.fixture(scope="session", autouse=True)
def server_under_test(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> None:
    if request.config.getoption("--http-server", "uvicorn") == "granian":
        chosen.choose_granian(tmp_path_factory.mktemp("tls"))


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if config.getoption("--http-server", "uvicorn") != "granian":
        return
    for item in items:
        name = getattr(item, "originalname", item.name)
        reason = NOT_ON_GRANIAN.get(item.name) or NOT_ON_GRANIAN.get(name)
        if reason is not None:
            item.add_marker(pytest.mark.skip(reason=reason))
