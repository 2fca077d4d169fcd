"""G10: nothing is handed over, and nothing accepted, later than 5 s after the right to it ended."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.guarantees.rights import EVERYWHERE
from tests.guarantees.validators.violation import Violation

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.guarantees.history import History
    from tests.guarantees.rights import Right

NAME = "G10 authorized"
# Expiry, changed grants and revocations act within so long.
GRACE_MS = 5_000


def authorized(history: History) -> list[Violation]:
    """Judge G10 where rights were written down; who has none written down then has none.

    What was given to a transport is judged by the time of that, as frames may be made before, for
    others; what was accepted, by the time that the log has.
    """
    if not history.rights:
        return []
    return [*_given(history), *_accepted(history)]


def _given(history: History) -> Iterator[Violation]:
    rights = _Rights(history, "subscribe")
    for event in history.handed:
        problem = rights.problem(event.principal, event.topic, event.at_ms)
        if event.principal and problem:
            words = f"{event.id} was given to the transport {problem}"
            yield Violation(NAME, event.topic, event.session, words)


def _accepted(history: History) -> Iterator[Violation]:
    rights = _Rights(history, "publish")
    clients = {(publish.topic, publish.id): publish.client for publish in history.publishes}
    for topic, log in history.logs.items():
        for event in log.events:
            client = clients.get((topic, event.id), "")
            problem = rights.problem(client, topic, event.published_ms)
            if client and event.published_ms and problem:
                yield Violation(NAME, topic, client, f"{event.id} was accepted {problem}")


class _Rights:
    """The rights to one action, by principal."""

    def __init__(self, history: History, action: str) -> None:
        self._rights: dict[str, list[Right]] = {}
        for right in history.rights:
            if right.action == action:
                self._rights.setdefault(right.principal, []).append(right)

    def problem(self, principal: str, topic: str, at_ms: int) -> str:
        """What was wrong at that moment; empty = nothing."""
        last = None
        for right in self._rights.get(principal, ()):
            if right.topic not in (topic, EVERYWHERE) or at_ms < right.from_ms:
                continue
            if at_ms <= right.until_ms + GRACE_MS:
                return ""
            last = max(last or 0, right.until_ms)
        if last is None:
            return "without a right"
        return f"{at_ms - last} ms after the right ended"
