"""The presence room against a simple model, in any order of calls."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from hypothesis import given, settings
from hypothesis import strategies as st

from hub.presence.member import Holder
from tests.support.presence_bench import TOPIC, Bench, View

if TYPE_CHECKING:
    from shipspeak.realtime.v1 import frame_pb2


class Model(Bench):
    """The same calls on the room and on a few dictionaries.

    Args:
        shared: all sessions are of one client, and the latest that was set is seen.
    """

    def __init__(self, *, shared: bool) -> None:
        super().__init__()
        self.shared = shared
        self.views = {name: View(name) for name in "xy"}
        self.watching: set[str] = set()
        self.truth: dict[str, int] = {}
        self.ends: dict[str, float] = {}

    def set(self, name: str, state: frame_pb2.PresenceState.ValueType) -> None:
        """A session says something; an ended one says nothing any more."""
        if name in self.ends:
            return
        self.put(name, client="one" if self.shared else "", state=state)
        self.truth.pop(name, None)
        self.truth[name] = state
        if self.shared:
            for other in self.ends:
                self.truth.pop(other, None)
            self.ends.clear()

    def leave(self, name: str) -> None:
        """A clean leave."""
        self.room.leave(TOPIC, Holder("i", name))
        self.truth.pop(name, None)
        self.ends.pop(name, None)

    def end(self, name: str, grace: float) -> None:
        """A session is cut off."""
        if name in self.truth and name not in self.ends:
            self.ends[name] = self.clock() + grace
            self.room.end(Holder("i", name), self.ends[name])

    def watch(self, name: str) -> None:
        """A watcher comes, or asks again."""
        self.room.watch(TOPIC, self.views[name])
        self.watching.add(name)

    def unwatch(self, name: str) -> None:
        """A watcher goes."""
        self.room.unwatch(TOPIC, name)
        self.watching.discard(name)

    def stall(self, name: str) -> None:
        """A watcher reads nothing for a while."""
        self.views[name].stalled = True

    def recover(self, name: str) -> None:
        """It reads again."""
        self.views[name].recover()

    def rest(self, seconds: float) -> None:
        """Time passes, on both sides."""
        self.run(seconds)
        for name, until in tuple(self.ends.items()):
            if until <= self.clock():
                self.truth.pop(name, None)
                del self.ends[name]

    def expected(self) -> dict[tuple[str, str], tuple[int, dict[str, str]]]:
        """What every watcher must see."""
        if not self.shared:
            return {("alice", name): (state, {}) for name, state in self.truth.items()}
        if not self.truth:
            return {}
        return {("alice", "one"): (list(self.truth.values())[-1], {})}


SESSIONS, VIEWS = st.sampled_from("abc"), st.sampled_from("xy")
STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("set"), SESSIONS, st.integers(1, 3)),
        st.tuples(st.just("leave"), SESSIONS),
        st.tuples(st.just("end"), SESSIONS, st.floats(0, 3)),
        st.tuples(st.sampled_from(["watch", "unwatch", "stall", "recover"]), VIEWS),
        st.tuples(st.just("rest"), st.floats(0.001, 2)),
    ),
    max_size=60,
)


@settings(max_examples=400, deadline=None)
@given(STEPS, st.booleans())
def test_whatever_happens_watchers_end_with_the_truth(
    steps: list[tuple[Any, ...]], shared: bool
) -> None:
    """G12: after a rest each watcher sees what is so, and nothing is left to do."""
    model = Model(shared=shared)
    for name, *arguments in steps:
        getattr(model, name)(*arguments)
        # Times of two changes differ, so that the model knows which is the later.
        model.rest(0.001)
    for view in model.views.values():
        view.recover()
    model.rest(10)
    for name in model.watching:
        assert model.views[name].members == model.expected()
        assert model.views[name].counts[0] == len(model.expected())
    assert model.room.next_due is None
