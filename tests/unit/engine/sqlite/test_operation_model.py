"""Batches of publishes, openings and operations against a plain model, with failing commits."""

from __future__ import annotations

import copy
import shutil
import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from hub.engine.contract import NotAttempted, Stored, TopicHead
from hub.engine.sqlite.policy import Retention
from hub.engine.sqlite.requests import LIGHT, Open, Operate, Operated, Publish, Published
from hub.errors import Aborted, HubError
from shipspeak.realtime.v1 import error_reason_pb2 as reasons
from tests.unit.engine.sqlite.support import START_MS, PlainShard, draft

if TYPE_CHECKING:
    from hub.engine.sqlite.operation import Work
    from hub.engine.sqlite.requests import Answer, Outcome, Request

Shape = tuple[Any, ...]  # a request: its kind, then what it is made of
TOPICS = ("meeting/1", "meeting/2", "user/1")
MAX_EVENTS = 4
ENDS = ("done", "done", "done", "refused", "broken")

topics = st.sampled_from(TOPICS)
ids = st.sampled_from([f"e{n}" for n in range(8)])
one_draft = st.tuples(topics, ids, st.one_of(st.none(), st.none(), st.integers(0, 6)))
steps = st.one_of(st.tuples(st.just("append"), one_draft), st.tuples(st.just("purge"), topics))
requests = st.one_of(
    st.tuples(st.just("publish"), st.lists(one_draft, min_size=1, max_size=4)),
    st.tuples(st.just("operate"), st.lists(steps, max_size=4), st.sampled_from(ENDS)),
    st.tuples(st.just("open"), topics),
)
failures = st.sampled_from([None, None, None, "lost", "kept", "unwritable"])


@dataclass
class ModelTopic:
    log: list[str] = field(default_factory=list)  # offset = index + 1
    floor: int = 0


@dataclass
class Model:
    """What a batch does, one request after the other."""

    topics: dict[str, ModelTopic] = field(
        default_factory=lambda: {name: ModelTopic() for name in TOPICS}
    )
    ids: dict[tuple[str, str], int] = field(default_factory=dict)

    def append(self, topic: str, event_id: str, expected: int | None) -> str:
        """ "3" = stored at 3, "=3" = was at 3, "!" = another head."""
        if (topic, event_id) in self.ids:
            return f"={self.ids[topic, event_id]}"
        log = self.topics[topic].log
        if expected not in (None, len(log)):
            return "!"
        log.append(event_id)
        self.ids[topic, event_id] = len(log)
        return str(len(log))

    def request(self, request: Shape) -> object:
        kind, *rest = request
        if kind == "open":
            return len(self.topics[rest[0]].log), self.topics[rest[0]].floor
        if kind == "publish":
            return self._publish(rest[0])
        before = copy.deepcopy((self.topics, self.ids))
        did = [self._step(*step) for step in rest[0]]
        if rest[1] != "done":
            self.topics, self.ids = before
            return rest[1]
        return did

    def _publish(self, call: list[tuple[str, str, int | None]]) -> list[str]:
        outcomes: list[str] = []
        failed: set[str] = set()
        for topic, event_id, expected in call:
            outcome = "-" if topic in failed else self.append(topic, event_id, expected)
            if outcome == "!":
                failed.add(topic)
            outcomes.append(outcome)
        return outcomes

    def _step(self, kind: str, what: Any) -> object:
        if kind == "append":
            return self.append(*what)
        topic = self.topics[what]
        topic.floor = len(topic.log)
        return topic.floor

    def tidy(self) -> None:
        for topic in self.topics.values():
            topic.floor = max(topic.floor, len(topic.log) - MAX_EVENTS - 1)


class _Steps:
    """The real operation: the same steps on the shard's tables."""

    topics = TOPICS
    weight = LIGHT

    def __init__(self, steps: list[tuple[str, object]], end: str) -> None:
        self._steps, self._end = steps, end

    def run(self, work: Work) -> object:
        did = [self._step(work, *step) for step in self._steps]
        if self._end == "refused":
            raise Aborted(reasons.ERROR_REASON_REVISION_STALE, "no")
        if self._end == "broken":
            raise ZeroDivisionError
        return did

    def _step(self, work: Work, kind: str, what: Any) -> object:
        if kind == "append":
            topic, event_id, expected = what
            return _name(work.append(draft(event_id, topic, expected_offset=expected)))
        name = str(what)
        topic = work.topic(name)
        newest = work.connection.execute(
            "SELECT event_id FROM event WHERE topic_id = ? AND offset = ?", (topic.id, topic.head)
        ).fetchone()
        if newest is not None:
            work.connection.execute("DELETE FROM event WHERE topic_id = ?", (topic.id,))
            work.move_floor(name, topic.head, newest[0], 0)
        return topic.head


class Machine(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.directory = Path(tempfile.mkdtemp())
        self.model = Model()
        self.shard = self._open()

    def _open(self) -> PlainShard:
        return PlainShard(self.directory / "shard.db", lambda _: Retention(max_events=MAX_EVENTS))

    @rule(batch=st.lists(requests, min_size=1, max_size=5), failure=failures)
    def commit(self, batch: list[Shape], failure: str | None) -> None:
        if any(request[-1] == "broken" for request in batch):
            failure = None  # one at a time
        before = copy.deepcopy(self.model)
        expected = [self.model.request(request) for request in batch]
        outcome = self._commit(batch, failure)
        assert outcome is not None
        if outcome.failure is None:
            assert [_answer(answer) for answer in outcome.answers] == expected
            self._check_told(before, outcome)
            return
        assert failure is not None
        reason = "STORAGE_FAILED" if failure == "unwritable" else "OUTCOME_UNKNOWN"
        for answer in outcome.answers:
            assert _reasons(answer) <= {reason, "STORAGE_FAILED", None}
        if failure != "kept":
            self.model = before

    def _commit(self, batch: list[Shape], failure: str | None) -> Outcome:
        connection = self.shard.connection
        if failure == "unwritable":
            connection.execute("PRAGMA query_only=1")
        else:
            connection.fail = failure
        outcome = self.shard.writer.commit([_request(request) for request in batch])
        connection.fail = None
        connection.execute("PRAGMA query_only=0")
        self.shard.housekeeper.note(outcome)
        return outcome

    def _check_told(self, before: Model, outcome: Outcome) -> None:
        """What the feeds are handed is what is new in the logs, in order, and nothing else."""
        told: dict[str, list[tuple[int, int, str]]] = {}
        for answer in outcome.answers:
            if isinstance(answer, Published | Operated):
                for event in answer.events:
                    told.setdefault(event.append.topic, []).append(
                        (event.prev, event.offset, event.append.event_id)
                    )
        for name in TOPICS:
            old = len(before.topics[name].log)
            new = list(enumerate(self.model.topics[name].log, 1))[old:]
            assert told.get(name, []) == [(offset - 1, offset, one) for offset, one in new]
        assert outcome.stored == sum(len(events) for events in told.values())
        assert set(outcome.topics) == set(told)

    @rule()
    def tidy(self) -> None:
        self.model.tidy()
        self.shard.tidy(START_MS)

    @rule()
    def restart(self) -> None:
        self.shard.close()
        self.shard = self._open()

    @invariant()
    def the_logs_are_the_models(self) -> None:
        for name, model in self.model.topics.items():
            page = self.shard.reader.read(name, 0, 1000, 1 << 20)
            assert (page.state.head, page.state.floor) == (len(model.log), model.floor)
            kept = list(enumerate(model.log, 1))[model.floor :]
            assert [(event.offset, event.event_id) for event in page.events] == kept
            assert page.state.oldest_ms == (START_MS if kept else 0)
            if model.floor:
                assert page.state.floor_id == model.log[model.floor - 1]
            assert self.shard.open(name) == page.state
        assert self.shard.count("dedup") == len(self.model.ids)

    def teardown(self) -> None:
        self.shard.close()
        shutil.rmtree(self.directory)


def _request(request: Shape) -> Request:
    kind, *rest = request
    if kind == "open":
        return Open(rest[0])
    if kind == "publish":
        return Publish([draft(e, topic, expected_offset=n) for topic, e, n in rest[0]], 0)
    return Operate(_Steps(rest[0], rest[1]))


def _answer(answer: Answer) -> object:
    if isinstance(answer, TopicHead):
        return answer.head, answer.floor
    if isinstance(answer, Published):
        return [_name(result) for result in answer.results]
    if isinstance(answer, Operated):
        return answer.value
    return "refused" if answer.reason_name == "REVISION_STALE" else "broken"


def _reasons(answer: Answer) -> set[str | None]:
    answers = answer.results if isinstance(answer, Published) else [answer]
    return {one.reason_name if isinstance(one, HubError) else None for one in answers}


def _name(result: object) -> str:
    if isinstance(result, Stored):
        return f"={result.offset}" if result.duplicate else str(result.offset)
    if isinstance(result, HubError):
        return "!"
    assert result == NotAttempted()
    return "-"


TestModel = Machine.TestCase
TestModel.settings = settings(max_examples=40, stateful_step_count=15, deadline=None)
