"""G12: presence is right at once on a clean leave, within 2.5 heartbeats of a silent death."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.guarantees.validators.violation import Violation

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.guarantees.history import History
    from tests.guarantees.presence import Life, Presence, Shown, Viewer

NAME = "G12 present"
HEARTBEATS = 2.5
MAX_LISTED = 100
FOREVER = float("inf")


def present(history: History) -> list[Violation]:
    """Judge G12: what each watcher held, at every moment, against who was there."""
    found: list[Violation] = []
    for viewer in history.presence.viewers:
        problems = (*_counts(viewer), *_members(history.presence, viewer))
        found.extend(Violation(NAME, viewer.topic, viewer.name, words) for words in problems)
    return found


def _spans(viewer: Viewer) -> Iterator[tuple[Shown, float, float]]:
    """What was held, from when, until when."""
    if not viewer.shown:
        return
    ends = [*(shown.at for shown in viewer.shown[1:]), viewer.until]
    for shown, end in zip(viewer.shown, ends, strict=True):
        yield shown, shown.at, end


def _counts(viewer: Viewer) -> Iterator[str]:
    for shown, at, _ in _spans(viewer):
        if shown.members is None:
            if shown.sessions <= MAX_LISTED:
                yield f"at {at:.2f} only counts were told of {shown.sessions} members"
        elif len(shown.members) > MAX_LISTED:
            yield f"at {at:.2f} {len(shown.members)} members were listed"
        elif len(shown.members) != shown.sessions:
            yield f"at {at:.2f} {len(shown.members)} are listed, and {shown.sessions} counted"


def _members(presence: Presence, viewer: Viewer) -> Iterator[str]:
    lives: dict[str, list[Life]] = {}
    for life in presence.lives:
        if life.topic == viewer.topic:
            lives.setdefault(life.member, []).append(life)
    first = viewer.shown[0].at if viewer.shown else viewer.until
    if first - viewer.began_at > presence.prompt:
        yield f"nothing was shown for {first - viewer.began_at:.2f} s"
    for shown, at, end in _spans(viewer):
        if shown.members is None:
            continue
        for member in lives.keys() | shown.members.keys():
            state = shown.members.get(member)
            yield from _judge(presence, member, lives.get(member, []), (state, at, end))


def _judge(
    presence: Presence, member: str, lives: list[Life], held: tuple[str | None, float, float]
) -> Iterator[str]:
    state, at, end = held
    prompt = presence.prompt
    if state is None:
        for life in lives:
            left = FOREVER if life.left_at is None else life.left_at
            begin = max(at, life.joined_at + prompt)
            if begin < min(end, left):
                yield f"{member} is there since {life.joined_at:.2f}, and not shown at {begin:.2f}"
        return
    # Lives that are near to each other may both be in force, and either is right then.
    there = [life for life in lives if life.joined_at - prompt <= at]
    if not there:
        yield f"{member} is shown at {at:.2f}, and was never there"
        return
    near = [life for life in there[:-1] if at < _gone_by(presence, life)]
    problems = [list(_problems(presence, life, lives, held)) for life in (*near, there[-1])]
    if all(problems):
        yield from problems[-1]


def _problems(
    presence: Presence, there: Life, lives: list[Life], held: tuple[str | None, float, float]
) -> Iterator[str]:
    """What is wrong with what was held, if it was about this life."""
    _, _, end = held
    member, prompt = there.member, presence.prompt
    gone_by = _gone_by(presence, there)
    back = any(there.joined_at < life.joined_at <= gone_by + prompt for life in lives)
    if end > gone_by and not back:
        yield f"{member} left at {there.left_at:.2f}, and is shown until {end:.2f}"
    yield from _state(member, there, held, prompt)


def _gone_by(presence: Presence, life: Life) -> float:
    if life.left_at is None:
        return FOREVER
    silence = 0.0 if life.clean else HEARTBEATS * presence.heartbeat
    return life.left_at + silence + presence.prompt


def _state(
    member: str, life: Life, held: tuple[str | None, float, float], prompt: float
) -> Iterator[str]:
    """A state is shown from its word on, and no longer than a moment after the next one."""
    state, at, end = held
    ends = [*(when for when, _ in life.states[1:]), FOREVER]
    spans = [
        (when - prompt, until + prompt)
        for (when, word), until in zip(life.states, ends, strict=True)
        if word == state
    ]
    if not any(begin <= at and end <= until for begin, until in spans):
        yield f"{member} is shown as {state!r} from {at:.2f} to {end:.2f}, and it is not"
