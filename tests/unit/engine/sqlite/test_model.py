"""The shard against a plain model in memory, under any mix of operations and restarts."""

from __future__ import annotations

import shutil
import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from hub.engine.contract import NotAttempted, Stored, TopicHead, Verdict
from hub.engine.sqlite.policy import Retention
from hub.errors import FailedPrecondition
from hub.model.cursor import Cursor
from tests.unit.engine.sqlite.support import START_MS, PlainShard, draft, results

if TYPE_CHECKING:
    from hub.model.events import Append

TOPICS = ("meeting/1", "meeting/2", "user/1")
LIFETIME_MS = 1000
RETENTION = {
    "meeting/1": Retention(max_events=3),
    "meeting/2": Retention(max_age_s=0.5),
    "user/1": Retention(max_events=4, max_age_s=2),
}

ids = st.sampled_from([f"e{n}" for n in range(12)])
one_draft = st.tuples(
    st.sampled_from(TOPICS),
    ids,
    st.sampled_from(["p", "q"]),
    st.one_of(st.none(), st.none(), st.integers(0, 12)),  # expected offset
    st.one_of(st.just(0), st.integers(1, 1500)),  # how long ago it was first sent; 0 = not said
)
calls = st.lists(
    st.tuples(st.lists(one_draft, min_size=1, max_size=5), st.booleans()), min_size=1, max_size=4
)


@dataclass
class ModelTopic:
    epoch: int
    log: list[Append] = field(default_factory=list)  # everything ever stored; offset = index + 1
    floor: int = 0

    @property
    def head(self) -> int:
        return len(self.log)


@dataclass
class Model:
    """What a log promises, written down as plainly as possible."""

    now_ms: int = START_MS
    topics: dict[str, ModelTopic] = field(default_factory=dict)
    ids: dict[tuple[str, str, str], tuple[int, int]] = field(default_factory=dict)

    def publish(self, call: list[Append]) -> list[str]:
        """Outcomes: "3" = stored at 3, "=3" = was at 3, "!" and "?" = refused, "-" = not tried."""
        outcomes: list[str] = []
        failed: set[str] = set()
        for one in call:
            outcome = "-" if one.topic in failed else self._one(one)
            if outcome in ("!", "?"):
                failed.add(one.topic)
            outcomes.append(outcome)
        return outcomes

    def publish_group(self, call: list[Append]) -> list[str]:
        topic = self.topics[call[0].topic]
        log, known = list(topic.log), dict(self.ids)
        outcomes = self.publish(call)
        bad = [outcome for outcome in outcomes if outcome in ("!", "?")]
        if bad:
            topic.log, self.ids = log, known
            outcomes = [outcome if outcome in ("!", "?") else "-" for outcome in outcomes]
        return outcomes

    def _one(self, one: Append) -> str:
        topic = self.topics[one.topic]
        key = (one.topic, one.publisher, one.event_id)
        if key in self.ids:
            return f"={self.ids[key][0]}"
        age = one.published_ms - one.first_sent_ms if one.first_sent_ms else 0
        if age > LIFETIME_MS // 2:
            for offset in range(topic.head, topic.floor, -1):
                kept = topic.log[offset - 1]
                if (kept.publisher, kept.event_id) == (one.publisher, one.event_id):
                    return f"={offset}"
            if age > LIFETIME_MS:
                return "?"
        if one.expected_offset not in (None, topic.head):
            return "!"
        topic.log.append(one)
        self.ids[key] = (topic.head, one.published_ms)
        return str(topic.head)

    def tidy(self) -> None:
        for name, topic in self.topics.items():
            policy = RETENTION[name]
            while topic.floor < topic.head:
                oldest = topic.log[topic.floor]
                over = policy.max_events is not None and (
                    topic.head - topic.floor > policy.max_events + 1
                )
                aged = policy.max_age_s is not None and (
                    oldest.published_ms < self.now_ms - policy.max_age_s * 1000
                )
                if not (over or aged):
                    break
                topic.floor += 1
        self.ids = {
            key: (offset, at)
            for key, (offset, at) in self.ids.items()
            if at >= self.now_ms - LIFETIME_MS
        }


class Machine(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.directory = Path(tempfile.mkdtemp())
        self.model = Model()
        self.shard = self._open()

    def _open(self) -> PlainShard:
        return PlainShard(self.directory / "shard.db", RETENTION.__getitem__, LIFETIME_MS)

    def _known(self, topic: str) -> ModelTopic:
        if topic not in self.model.topics:
            state = self.shard.open(topic)
            assert isinstance(state, TopicHead)
            assert state.epoch != 0
            assert state == self.shard.reader.head(topic)
            self.model.topics[topic] = ModelTopic(state.epoch)
        return self.model.topics[topic]

    @rule(batch=calls)
    def publish(
        self, batch: list[tuple[list[tuple[str, str, str, int | None, int]], bool]]
    ) -> None:
        requests: list[list[Append]] = []
        expected: list[str] = []
        for shapes, grouped in batch:
            call = [
                draft(
                    event_id,
                    shapes[0][0] if grouped else topic,
                    publisher=publisher,
                    expected_offset=expected_offset,
                    published_ms=self.model.now_ms,
                    first_sent_ms=self.model.now_ms - ago if ago else 0,
                    body=event_id.encode(),
                    group=1 if grouped else 0,
                )
                for topic, event_id, publisher, expected_offset, ago in shapes
            ]
            for one in call:
                self._known(one.topic)
            requests.append(call)
        for call in requests:
            publish = self.model.publish_group if call[0].group else self.model.publish
            expected += publish(call)
        assert [_name(result) for result in results(self.shard.commit(*requests))] == expected

    @rule(ms=st.integers(1, 700))
    def wait(self, ms: int) -> None:
        self.model.now_ms += ms

    @rule()
    def tidy(self) -> None:
        self.model.tidy()
        self.shard.tidy(self.model.now_ms)

    @rule()
    def restart(self) -> None:
        self.shard.close()
        self.shard = self._open()

    @rule(
        topic=st.sampled_from(TOPICS),
        offset=st.integers(0, 20),
        event_id=st.one_of(st.just(""), ids),
        stranger=st.booleans(),
    )
    def resume(self, topic: str, offset: int, event_id: str, stranger: bool) -> None:
        model = self._known(topic)
        there = model.log[offset - 1].event_id if 0 < offset <= model.head else None
        if stranger or offset > model.head:
            verdict = Verdict.RESET
        elif offset < model.floor:
            verdict = Verdict.GAP
        elif event_id and there is not None and event_id != there:
            verdict = Verdict.RESET
        else:
            verdict = Verdict.OK
        epoch = model.epoch ^ 1 if stranger else model.epoch
        resumed = self.shard.reader.resume(topic, Cursor(epoch, offset, event_id))
        assert resumed.verdict is verdict
        assert resumed.position == (offset if verdict is Verdict.OK else model.floor)
        if verdict is Verdict.GAP:
            assert resumed.lost == model.floor - offset

    @invariant()
    def the_log_is_the_models(self) -> None:
        for name in TOPICS:
            if name not in self.model.topics:
                state = self.shard.reader.head(name)
                assert state == TopicHead(state.epoch, 0, 0)
                continue
            model = self.model.topics[name]
            page = self.shard.reader.read(name, 0, 1000, 1 << 20)
            assert (page.state.epoch, page.state.head) == (model.epoch, model.head)
            assert page.state.floor == model.floor
            kept = list(enumerate(model.log, 1))[model.floor :]
            assert [(e.offset, e.event_id) for e in page.events] == [
                (offset, one.event_id) for offset, one in kept
            ]
            assert page.state.oldest_ms == (kept[0][1].published_ms if kept else 0)
        assert self.shard.count("dedup") == len(self.model.ids)
        written = [topic for topic in self.model.topics.values() if topic.log]
        assert self.shard.count("topic") == len(written)

    def teardown(self) -> None:
        self.shard.close()
        shutil.rmtree(self.directory)


def _name(result: object) -> str:
    if isinstance(result, Stored):
        return f"={result.offset}" if result.duplicate else str(result.offset)
    if isinstance(result, FailedPrecondition):
        return "!" if result.reason_name == "OFFSET_MISMATCH" else "?"
    assert result == NotAttempted()
    return "-"


TestModel = Machine.TestCase
TestModel.settings = settings(max_examples=40, stateful_step_count=25, deadline=None)
